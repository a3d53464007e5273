"""What a model's edits do to lids, gaze, heads, open mouths, real smiles and colours, on people it never saw.

    python benchmarks/changes.py --data photofaces --extra photofaces_extra [--model fields] [--folds 0 1 2] [-o out]

Of people marked test, whose true pictures the sets hold: eyes shut, winks, gaze ±18°, heads turned, and mouths opened
and closed; errors are L1 in a region as shares of the unchanged face's, and what is read is read from the result and
from the truth alike. Real pairs, a neutral photograph and a smiling one of a person: of `--folds`, which a model that
is judged by them must not have learnt from; the smile is the example, or a class at the best of five strengths.
Colours: the test people's neutral photographs in grey and in sepia, edited seven ways; how far a result's pixels leave
the picture's own line of colours, in levels of 255. Writes a JSON and sheets to look at.
"""  # fmt: skip

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mien.controls import Controls
from mien.data.dataset import Data, open_data
from mien.data.sampling.geometry import read_landmarks
from mien.faces.landmarks import eye_aspects
from mien.labels import CLASSES
from mien.media.sheet import save_sheet, sheet
from mien.metrics.regions import region_boxes
from mien.runtime.engine import Engine
from mien.runtime.open import open_engine

ASKED = {  # of the second set: what leads to its pictures
    "lids_shut": Controls(aus={43: 5.0}),
    "wink_left": Controls(aus={"43L": 5.0, "6L": 1.0}),
    "wink_right": Controls(aus={"43R": 5.0, "6R": 1.0}),
    "gaze left": Controls(gaze=(-18.0, 0.0)),
    "gaze right": Controls(gaze=(18.0, 0.0)),
}
STRENGTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
SEPIA = np.array([1.2, 1.0, 0.78])


def l1(a: np.ndarray, b: np.ndarray, box: tuple[slice, slice]) -> float:
    """Return the mean absolute difference of two pictures in a box, as a share of white."""
    return float(np.abs(a[box].astype(np.float32) - b[box]).mean() / 255)


def chroma(made: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return (H, W) by how many levels a picture's pixels leave the line of colours brightness × `line`."""
    light = made.astype(np.float64)
    along = light @ line / (line @ line)
    off = np.abs(light - along[..., None] * line).max(-1)
    return off * (light.max(-1) < 254)  # where a channel is at its end, the line ends


def summary(values: Sequence[float]) -> dict[str, float]:
    """Return mean, standard error and count."""
    x = np.asarray(values, np.float64)
    error = x.std(ddof=1) / len(x) ** 0.5 if len(x) > 1 else float("nan")
    return {"mean": round(float(x.mean()), 4), "error": round(float(error), 4), "n": len(x)}


def known_changes(engine: Engine, marks: Engine, data: Data, folder: Path) -> dict[str, object]:
    """Measure lids, winks and gaze, and draw them: face, result, truth."""
    m, points = data.manifest, read_landmarks(data)
    people = np.unique(m.subject[m.test])
    found: dict[str, dict[str, list[float]]] = {name: {} for name in ASKED}
    rows = []
    for person in people:
        mine = np.flatnonzero(m.subject == person)
        still = mine[(m.expression[mine] == 0) & (m.gaze_x[mine] == 0) & (m.yaw[mine] == 0) & (m.pitch[mine] == 0)]
        truths = {str(m.expr_id[k]): int(k) for k in mine if m.gaze_x[k] == 0}
        truths |= {
            f"gaze {'left' if m.gaze_x[k] < 0 else 'right'}": int(k)
            for k in mine
            if m.expression[k] == 0 and m.gaze_x[k]
        }
        face = data.images[int(still[0])]
        row = [face]
        for name, controls in ASKED.items():
            truth = data.images[truths[name]]
            made = engine.picture(face, controls)
            box = region_boxes(points[[int(still[0]), truths[name]]], 256)["eyes"]
            put = found[name].setdefault
            put("error", []).append(l1(made, truth, box) / max(l1(face, truth, box), 1e-6))
            for who, picture in (("face", face), ("made", made), ("truth", truth)):
                small = cv2.resize(picture, (marks.size, marks.size), interpolation=cv2.INTER_AREA)
                left, right = eye_aspects(marks.points(small[None])[0].astype(np.float64))
                read = engine.readings(picture[None])
                units = read.left[0, -1], read.right[0, -1]
                for part, value in zip(
                    ("aspect left", "aspect right", "AU43 left", "AU43 right", "gaze"),
                    (left, right, *units, read.gaze[0, 0]),
                    strict=True,
                ):
                    put(f"{who} {part}", []).append(float(value))
            row += [made, truth]
        rows.append(row)
    titles = ["face", *(x for name in ASKED for x in (name, "truth"))]
    save_sheet(sheet(rows, titles, size=192), folder / "lids_and_gaze.png")
    return {name: {part: summary(v) for part, v in parts.items()} for name, parts in found.items()}


def heads(engine: Engine, data: Data, folder: Path) -> dict[str, object]:
    """Measure heads that turn: what the reader reads of the result and of the truth, and the error beside it."""
    m, points = data.manifest, read_landmarks(data)
    found: dict[str, dict[str, list[float]]] = {}
    rows = []
    for person in np.unique(m.subject[m.test]):
        mine = np.flatnonzero((m.subject == person) & (m.expression == 0) & (m.gaze_x == 0))
        still = int(mine[(m.yaw[mine] == 0) & (m.pitch[mine] == 0)][0])
        row = [data.images[still]]
        for k in mine:
            yaw, pitch = float(m.yaw[k]), float(m.pitch[k])
            if not 0 < max(abs(yaw), abs(pitch)) <= 15:
                continue
            truth, box = data.images[int(k)], region_boxes(points[[still, k]], 256)["face"]
            made = engine.picture(data.images[still], Controls(turn=(yaw, pitch)))
            put = found.setdefault(str(m.expr_id[k]), {}).setdefault
            put("error", []).append(l1(made, truth, box) / l1(data.images[still], truth, box))
            for who, picture in (("made", made), ("truth", truth)):
                read = engine.readings(picture[None])
                put(f"{who} yaw", []).append(float(read.yaw[0]))
                put(f"{who} pitch", []).append(float(read.pitch[0]))
            row += [made, truth]
        rows.append(row)
    save_sheet(sheet(rows, [""] * len(rows[0]), size=192), folder / "heads.png")
    return {name: {part: summary(v) for part, v in parts.items()} for name, parts in found.items()}


def mouths(engine: Engine, data: Data, folder: Path) -> dict[str, object]:
    """Measure mouths that open from rest, and that close to it, by the truth's action units."""
    m, points = data.manifest, read_landmarks(data)
    found: dict[str, list[float]] = {"opened": [], "closed": []}
    rows = []
    for person in np.unique(m.subject[m.test]):
        mine = np.flatnonzero((m.subject == person) & (m.gaze_x == 0) & (m.yaw == 0) & (m.pitch == 0))
        still = int(mine[m.expression[mine] == 0][0])
        for k in mine:
            if str(m.expr_id[k]) not in ("laugh", "smile_teeth", "say_a", "smile_wide"):
                continue
            box = region_boxes(points[[still, k]], 256)["mouth"]
            rest, opened = data.images[still], data.images[int(k)]
            shut = engine.picture(opened, Controls("neutral"))
            like = engine.picture(rest, Controls(like=opened))
            found["closed"].append(l1(shut, rest, box) / l1(opened, rest, box))
            found["opened"].append(l1(like, opened, box) / l1(opened, rest, box))
            rows.append([rest, opened, like, shut])
    save_sheet(sheet(rows[:40], ["face", "open", "opened", "closed"], size=192), folder / "mouths.png")
    return {name: summary(v) for name, v in found.items()}


def real_pairs(engine: Engine, data: Data, folds: Sequence[int], folder: Path) -> dict[str, object]:
    """Measure smiles against the person's own, real one."""
    m = data.manifest
    rendered = {
        int(m.subject[k]): k for k in np.flatnonzero((m.kind == "rendered") & (m.expression == 0) & (m.yaw == 0))
    }
    points = read_landmarks(data)
    real = m.kind == "real"
    smiles = np.flatnonzero(real & (m.expression == 1) & np.isin(m.fold, folds))
    calm = {int(m.subject[k]): int(k) for k in np.flatnonzero(real & (m.expression == 0))}
    found: dict[str, list[float]] = {"example": [], "class": []}
    by_strength = []
    rows = []
    for k in smiles:
        person = int(m.subject[k])
        face, smile = data.images[calm[person]], data.images[int(k)]
        box = region_boxes(points[rendered[person]], 256)["face"]
        base = l1(face, smile, box)
        like = engine.picture(face, Controls(like=smile))
        word = [engine.picture(face, Controls("happiness", s)) for s in STRENGTHS]
        found["example"].append(l1(like, smile, box) / base)
        by_strength.append([l1(x, smile, box) / base for x in word])
        rows.append([face, like, word[-1], smile])
    mean = np.mean(by_strength, 0)
    found["class"] = np.asarray(by_strength)[:, mean.argmin()].tolist()
    save_sheet(sheet(rows, ["face", "by example", "happiness 1", "true smile"], size=192), folder / "real_pairs.png")
    told: dict[str, object] = {name: summary(v) for name, v in found.items()}
    return told | {"class, mean by strength": dict(zip(map(str, STRENGTHS), mean.round(4).tolist(), strict=True))}


def colours(engine: Engine, data: Data, folder: Path) -> dict[str, object]:
    """Measure the colour that edits add to pictures without colours of their own."""
    m = data.manifest
    photos = np.flatnonzero((m.kind == "real") & m.test & (m.expression == 0))
    found: dict[str, list[float]] = {"grey": [], "sepia": []}
    rows = []
    for k in photos:
        grey = data.images[int(k)].mean(-1, keepdims=True)
        for name, line in (("grey", np.ones(3)), ("sepia", SEPIA)):
            face = np.clip(np.rint(0.8 * grey * line), 0, 255).astype(np.uint8)
            made = [engine.picture(face, Controls(word)) for word in CLASSES[1:]]
            found[name] += [float(np.percentile(chroma(x, line), 99)) for x in made]
            rows.append([face, *made])
    save_sheet(sheet(rows, ["photograph", *CLASSES[1:]], size=160), folder / "colours.png")
    return {name: {"mean of 99 %": round(float(np.mean(v)), 3), "worst": round(max(v), 3)} for name, v in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--extra", type=Path, required=True)
    parser.add_argument("--model", default="fields")
    parser.add_argument("--folds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("-o", "--output", type=Path, default=Path("out/changes"))
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    engine, data, extra = open_engine(asked.model), open_data(asked.data, 256), open_data(asked.extra, 256)
    found = {
        "known changes": known_changes(engine, open_engine("landmarks"), extra, asked.output),
        "heads": heads(engine, extra, asked.output),
        "mouths": mouths(engine, extra, asked.output),
        "real pairs": real_pairs(engine, data, asked.folds, asked.output),
        "colours": colours(engine, data, asked.output),
    }
    (asked.output / "changes.json").write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
