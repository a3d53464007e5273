"""The 52 blendshapes of ARKit, 0-1, by the map of `mien.blendshapes`, and the head in degrees with our signs."""

from __future__ import annotations

import numpy as np

from mien.blendshapes import SHAPES, shapes_of
from mien.labels import AUS, au_name
from mien.recognition.table import Row

HEAD = {"headYaw": "yaw", "headPitch": "pitch", "headRoll": "roll"}
COLUMNS = ("path", "frame", "time", "number", *SHAPES, *HEAD)


def cells(row: Row) -> Row:
    """Return a row as blendshapes; without a face it has none."""
    found: Row = {name: row[name] for name in ("path", "frame", "time", "number") if name in row}
    if "number" in row:
        found |= {name: round(value, 4) for name, value in shapes(row).items()}
        found |= {theirs: row[ours] for theirs, ours in HEAD.items() if ours in row}
    return found


def shapes(row: Row) -> dict[str, float]:
    """Return a face's blendshapes; of units that are not read by side, both sides show what is read."""
    left, right = (
        np.array([row.get(f"{au_name(au)}_{side}", row.get(au_name(au), np.nan)) for au in AUS]) for side in "LR"
    )
    return shapes_of(left, right, (row.get("gaze_x", 0.0), row.get("gaze_y", 0.0)))
