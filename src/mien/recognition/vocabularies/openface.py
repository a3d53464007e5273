"""OpenFace 2's columns, as FeatureExtraction and FaceLandmarkVidMulti write them (its wiki's page Output Format).

Angles are radians in the camera's axes (`pose.py`); AU45, the blink, is our AU43; frames count from 1, faces from 0.
Left empty: pose_T (millimetres need the camera), AU28_c; landmarks where none were found. Left out: the eyes'
landmarks, landmarks in 3D, parameters of its shape model. `input` names the file, which OpenFace does not.
"""

from __future__ import annotations

import math

from mien.labels import POINTS
from mien.recognition.table import Row
from mien.recognition.vocabularies.pose import euler, gaze_ray, head_matrix

UNITS = {f"AU{au:02d}": f"AU{au:02d}" for au in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26)}
UNITS["AU45"] = "AU43"
PRESENT = sorted([*UNITS, "AU28"])
GAZE = tuple(f"gaze_{eye}_{axis}" for eye in (0, 1) for axis in "xyz")
TURNS = ("pose_Rx", "pose_Ry", "pose_Rz")
PLACES = tuple(f"{axis}_{k}" for axis in "xy" for k in range(POINTS))
COLUMNS = (
    *("frame", "face_id", "timestamp", "confidence", "success", *GAZE, "gaze_angle_x", "gaze_angle_y"),
    *("pose_Tx", "pose_Ty", "pose_Tz", *TURNS, *PLACES),
    *(f"{unit}_r" for unit in UNITS), *(f"{unit}_c" for unit in PRESENT), "input",
)  # fmt: skip


def cells(row: Row) -> Row:
    """Return a row in OpenFace's words; without a face `success` and `confidence` are 0."""
    found: Row = {"frame": row.get("frame", 0) + 1, "timestamp": row.get("time", 0.0), "input": row["path"]}
    if "number" not in row:
        return found | {"face_id": 0, "confidence": 0.0, "success": 0}
    found |= {"face_id": row["number"] - 1, "confidence": row.get("score", 1.0), "success": 1}
    ray, head = gaze_ray(row), head_matrix(row)
    if ray is not None:
        x, y, z = ray.tolist()
        found |= dict(zip(GAZE, (round(v, 6) for v in (x, y, z, x, y, z)), strict=True))
        found |= {"gaze_angle_x": round(math.atan2(x, -z), 4), "gaze_angle_y": round(math.atan2(y, -z), 4)}
    if head is not None:
        found |= dict(zip(TURNS, (round(angle, 4) for angle in euler(head)), strict=True))
    found |= places(row)
    for theirs, ours in UNITS.items():
        if ours in row:
            found |= {f"{theirs}_r": row[ours], f"{theirs}_c": row[f"{ours}_present"]}
    return found


def places(row: Row) -> Row:
    """Return a row's landmarks as x_0 … x_67, y_0 … y_67, pixels; none where they are not known."""
    points = row.get("points")
    return {} if points is None else dict(zip(PLACES, [*points[0::2], *points[1::2]], strict=True))
