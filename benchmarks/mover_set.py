"""Write the data set that the mover of `fields` that comes with mien learnt from, as links to photofaces' two folders.

    python benchmarks/mover_set.py --data photofaces --extra photofaces_extra -o mover_set
    mien train fields --data mover_set --start RUN --set read_steps=0 --run runs/mover

People of folds 3 to 9 that are not marked test. Of the first set without turned heads, as its frames follow the eyes
where those of the second rest; gaze, lids and winks of the second two to four times over; and the real pairs of a
neutral and a smiling photograph, of real_geometry.npz, as people of their own, six times, with the units that `--model`
reads from the smile: those that come with them are fitted low.
"""  # fmt: skip

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from mien.data.images import read_image
from mien.data.sampling.rendered import FILE
from mien.labels import AUS
from mien.runtime.engine import Engine
from mien.runtime.open import open_engine

HELD_OUT = ("0", "1", "2")  # folds, whose real pairs benchmarks/changes.py measures
AGAIN = (r"_x(?:0\d|1\d|20|21)_", r"_x(?:00|01|09|18|19|20)_", r"_x(?:00|19|20)_")  # of the second set's pictures
TIMES = 6


def table(folder: Path) -> pd.DataFrame:
    """Return the rows of metadata.csv, as text, of people to learn from."""
    rows = pd.read_csv(folder / "metadata.csv", dtype=str, keep_default_na=False)
    return rows[(rows.test != "1") & ~rows.fold.isin(HELD_OUT)]


def linked(rows: pd.DataFrame, name: str, folder: Path, output: Path) -> pd.DataFrame:
    """Return rows whose pictures lie in a folder `name` that leads to `folder`."""
    place = output / name
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink():
        place.symlink_to(folder.resolve())
    return rows.assign(file_name=f"{name}/" + rows.file_name)


def units_of(engine: Engine, picture: Path) -> dict[str, str]:
    """Return the columns of action units that a photograph is read as."""
    read = engine.readings(np.array([read_image(picture)]))
    found = {}
    for k, au in enumerate(AUS):
        left, right = (max(0.0, round(float(side[0, k]), 2)) for side in (read.left, read.right))
        found |= {f"AU{au:02}": str(max(left, right)), f"AU{au:02}_L": str(left), f"AU{au:02}_R": str(right)}
    return found


def real_pairs(rows: pd.DataFrame, folder: Path, output: Path, engine: Engine) -> pd.DataFrame:
    """Return the real pairs' rows, TIMES each, and write the motion of each time's folder."""
    fitted, exact = np.load(folder / "real_geometry.npz"), np.load(folder / FILE)
    place = {str(name): k for k, name in enumerate(fitted["file_name"])}
    rendered = {str(name): k for k, name in enumerate(exact["file_name"])}
    first = rows[(rows.kind == "rendered") & (rows.expression == "neutral")].groupby("subject", sort=False).first()
    smiles = rows[(rows.kind == "real") & (rows.expression == "happiness")]
    found, arrays = [], {name: [] for name in ("file_name", "flow", "mouth", "landmarks")}
    for smile in smiles.to_dict("records"):
        k, rest = place[smile["file_name"]], first.loc[smile["subject"]].to_dict()
        calm = smile["file_name"].replace("happiness", "neutral")
        straight = dict.fromkeys(("yaw", "pitch", "gaze_x", "gaze_y"), "0.0")
        shown = smile | straight | units_of(engine, folder / smile["file_name"]) | {"intensity": "1.0"}
        for time in range(TIMES):
            who = {"subject": f"{smile['subject']}real{time}", "kind": "real", "parents": ""}
            found += [
                shown | who | {"file_name": f"real{time}/{smile['file_name']}", "expr_id": f"smile_{smile['subject']}"},
                rest | who | {"file_name": f"real{time}/{calm}", "expr_id": f"rest_{smile['subject']}"},
            ]
        arrays["file_name"] += [smile["file_name"], calm]
        arrays["landmarks"] += [fitted["landmarks"][k], exact["landmarks"][rendered[str(rest["file_name"])]]]
        for name in ("flow", "mouth"):
            arrays[name] += [fitted[name][k], np.zeros_like(fitted[name][k])]
    for time in range(TIMES):
        linked(smiles, f"real{time}/real", folder / "real", output)
        np.savez_compressed(output / f"real{time}" / FILE, **{name: np.array(x) for name, x in arrays.items()})
    return pd.DataFrame(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--extra", type=Path, required=True)
    parser.add_argument("--model", default="fields")
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    rows, more = table(asked.data), table(asked.extra)
    made = rows[rows.kind == "rendered"]
    straight = made[(made.yaw.astype(float) == 0) & (made.pitch.astype(float) == 0)]
    parts = [linked(straight, "first", asked.data, asked.output), linked(more, "second", asked.extra, asked.output)]
    for k, pattern in enumerate(AGAIN):
        again = more[more.file_name.str.contains(pattern)]
        parts.append(linked(again, f"again{k}", asked.extra, asked.output))
    parts.append(real_pairs(rows, asked.data, asked.output, open_engine(asked.model)))
    joined = pd.concat(parts)[list(rows.columns)].fillna("")
    joined.to_csv(asked.output / "metadata.csv", index=False)
    print(f"{asked.output}: {len(joined)} pictures, {joined.subject.nunique()} people")


if __name__ == "__main__":
    main()
