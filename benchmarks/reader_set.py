"""Write the data set of real photographs and rendered ones that the reader that comes with mien learnt from, as links.

    python benchmarks/reader_set.py --data photofaces --data photofaces_extra --data photofaces_reader -o reader_set
    mien train reader --data reader_set --data studio --start RUN --run runs/reader

The labels are those of the folders, and real smiles have the action units of real_geometry.npz beside their word:
fitted to landmarks, which see a smile low (AU12 is told 1.3 times) and the cheeks hardly (AU6 stays unknown). With
`--without K` the photographs of folds K, K + 3, … are left out, for `mien evaluate reading --kind real --folds given`.
"""  # fmt: skip

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from mien.labels import AUS

LOW = {12: 1.3}  # by what a fitted unit is multiplied
UNSEEN = (6,)
FOLDS = 3


def linked(folder: Path, output: Path) -> pd.DataFrame:
    """Return a folder's rows, as text, of pictures that a link leads to."""
    output.mkdir(parents=True, exist_ok=True)
    place = output / folder.name
    if not place.is_symlink():
        place.symlink_to(folder.resolve())
    rows = pd.read_csv(folder / "metadata.csv", dtype=str, keep_default_na=False)
    return rows.assign(file_name=f"{folder.name}/" + rows.file_name)


def fitted(folder: Path) -> pd.DataFrame:
    """Return the columns of units that were fitted to a folder's real smiles, a row for each picture."""
    file = np.load(folder / "real_geometry.npz")
    units = file["aus"].astype(float)  # (N, 21, 2)
    columns: dict[str, np.ndarray] = {}
    for k, au in enumerate(AUS):
        if au not in UNSEEN:
            left, right = np.clip(units[:, k] * LOW.get(au, 1.0), 0, 5).T
            columns |= {f"AU{au:02}": np.maximum(left, right), f"AU{au:02}_L": left, f"AU{au:02}_R": right}
    names = [f"{folder.name}/{name}" for name in file["file_name"]]
    return pd.DataFrame(columns, index=names).map("{:.2f}".format)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, action="append")
    parser.add_argument("--without", type=int, choices=range(FOLDS))
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    rows = pd.concat([linked(folder, asked.output) for folder in asked.data]).fillna("").set_index("file_name")
    for folder in asked.data:
        if (folder / "real_geometry.npz").exists():
            rows.update(fitted(folder))
    if asked.without is not None:
        rows = rows[(rows.kind != "real") | (pd.to_numeric(rows.fold).fillna(0) % FOLDS != asked.without)]
    rows.reset_index().to_csv(asked.output / "metadata.csv", index=False)
    print(f"{asked.output}: {len(rows)} pictures, {rows.subject.nunique()} people")


if __name__ == "__main__":
    main()
