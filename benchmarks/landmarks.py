"""How far a landmarker's points are from exact ones, or from MediaPipe's on true photographs.

    python benchmarks/landmarks.py --data photofaces [--landmarker net] [--against mediapipe:face_landmarker.task]

On people marked test: their rendered pictures against the exact points of geometry.npz, and with --against their
photographs too. It begins with eyes that are off as a detector's are: by up to 15° and 3% of the frame, 15% of the
size. Prints mean, median and 95% of the distance in % of the way between the outer corners of the eyes, by part; with
--against also without what is off in everybody alike (each point's mean offset in the other pictures). Draws the worst
dozen, the landmarker's points in green, those it is compared with in red. Then faces are looked for, with the
landmarker and by cascades alone: how far the eyes are off, how many faces are missed, milliseconds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from mien.data.dataset import Data, open_data
from mien.data.sampling.geometry import read_geometry
from mien.faces.align import template
from mien.faces.detect import find_faces
from mien.faces.landmarks import Landmarker, eyes_of
from mien.media.sheet import save_sheet, sheet
from mien.runtime.landmarker import find_landmarker

PARTS = {
    "jaw": slice(0, 17), "brows": slice(17, 27), "nose": slice(27, 36), "eyes": slice(36, 48), "mouth": slice(48, 68),
    "all": slice(0, 68),
}  # fmt: skip


def off(found: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Return the mean distance of points (68, 2) by part, in % of the way between the outer corners of the eyes."""
    unit = np.linalg.norm(true[45] - true[36]) / 100
    far = np.linalg.norm(found - true, axis=1) / unit
    centres = float(np.linalg.norm(eyes_of(found) - eyes_of(true), axis=1).mean() / unit)
    return {name: float(far[part].mean()) for name, part in PARTS.items()} | {"eye centres": centres}


def roughly(size: int, rng: np.random.Generator) -> np.ndarray:
    """Return the template's eyes (2, 2) as a detector may see them."""
    eyes, angle = template(size), np.deg2rad(rng.uniform(-15, 15))
    turn = np.exp(rng.uniform(-0.15, 0.15)) * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    return (eyes - eyes.mean(0)) @ turn.T + eyes.mean(0) + rng.uniform(-0.03, 0.03, 2) * size


def dotted(rgb: np.ndarray, *points: np.ndarray) -> np.ndarray:
    """Return a picture with points (68, 2) in red, then in green."""
    page = cv2.resize(rgb, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    for colour, each in zip(((230, 40, 40), (60, 230, 60)), points, strict=False):
        for x, y in each:
            cv2.circle(page, (round(2 * x + 0.5), round(2 * y + 0.5)), 2, colour, -1, cv2.LINE_AA)
    return page


def errors(data: Data, tool: Landmarker, other: Landmarker | None) -> list[dict[str, Any]]:
    """Return a row a picture: whom it is compared with, the error by part, and the picture with its points."""
    geometry, rng, found, size = read_geometry(data), np.random.default_rng(0), [], data.size
    for row in range(len(data)):
        rgb, known = data.images[row], geometry.row[row] >= 0
        seen = tool.points(rgb, roughly(size, rng))
        against = {"exact": geometry.landmarks[geometry.row[row]] * size - 0.5} if known else {}
        if other and (theirs := other.points(rgb, template(size))) is not None:
            against["other, " + ("rendered" if known else "photographs")] = theirs
        for name, true in against.items():
            if seen is not None:
                drawn = dotted(rgb, true, seen)
                found.append({"of": name, **off(seen, true), "picture": drawn, "offsets": offsets(seen, true)})
    return found


def offsets(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return found less true points (68, 2), along and across the eyes, in % of the way between their outer corners."""
    x, y = true[45] - true[36]
    return 100 * (found - true) @ np.array([[x, -y], [y, x]]) / (x**2 + y**2)


def centred(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return the mean distance by part without each point's mean offset in the other pictures."""
    all_of = np.stack([row["offsets"] for row in rows])
    others = (all_of.sum(0) - all_of) / (len(all_of) - 1)
    far = np.linalg.norm(all_of - others, axis=2)
    return {name: round(float(far[:, part].mean()), 2) for name, part in PARTS.items()}


def finding(data: Data, tool: Landmarker, other: Landmarker | None) -> list[dict[str, Any]]:
    """Return a row a picture and way of finding: whose eyes are looked for, how far off they are, milliseconds."""
    geometry, found, size = read_geometry(data), [], data.size
    for row in range(len(data)):
        known = geometry.row[row] >= 0
        true = geometry.landmarks[geometry.row[row]] * size - 0.5 if known else None
        if true is None and other:
            true = other.points(data.images[row], template(size))
        if true is None or (known and row % 12):
            continue
        margin = size // 2
        wide = cv2.copyMakeBorder(data.images[row], *[margin] * 4, cv2.BORDER_REPLICATE)
        unit, eyes = np.linalg.norm(true[45] - true[36]) / 100, eyes_of(true) + margin
        for name, by in (("landmarker", tool), ("cascades", None)):
            begun = time.process_time()
            faces = find_faces(wide, by)
            spent = 1000 * (time.process_time() - begun)
            far = min((np.linalg.norm(f.eyes - eyes, axis=1).mean() / unit for f in faces), default=np.nan)
            found.append({"of": "rendered" if known else "photographs", "by": name, "eyes": far, "ms": spent})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--landmarker", default="net")
    parser.add_argument("--against")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/landmarks"))
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    tool, other = find_landmarker(asked.landmarker), find_landmarker(asked.against) if asked.against else None
    if tool is None:
        parser.error(f"--landmarker {asked.landmarker}: it has no landmarks")
    every = open_data(asked.data, 256)
    data = every.select(every.manifest.test)
    found = errors(data, tool, other)
    table = (
        pd.DataFrame(found)
        .drop(columns=["picture", "offsets"])
        .groupby("of")
        .agg(["mean", "median", lambda x: x.quantile(0.95)])
    )
    print(table.T.round(2).to_string())
    for name in sorted({row["of"] for row in found} - {"exact"}):
        print(f"{name}, without what is off in everybody: {centred([row for row in found if row['of'] == name])}")
    eyes = pd.DataFrame(finding(data, tool, other)).groupby(["of", "by"])
    told = eyes.agg(
        pictures=("eyes", "size"), missed=("eyes", lambda x: x.isna().sum()), mean=("eyes", "mean"),
        most=("eyes", lambda x: x.quantile(0.95)), ms=("ms", "mean"),
    )  # fmt: skip
    print(told.rename(columns={"most": "95%"}).round(2).to_string())
    worst = sorted(found, key=lambda row: -row["all"])[:12]
    pictures = [row["picture"] for row in worst]
    save_sheet(sheet([pictures[k : k + 4] for k in range(0, 12, 4)], size=320), asked.output / "worst.png")


if __name__ == "__main__":
    main()
