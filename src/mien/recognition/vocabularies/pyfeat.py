"""Py-Feat's columns, as its Detector writes them (feat.utils, 0.6 and 0.7).

Action units are fifths of ours, 0-1 as Py-Feat's probabilities are, yet intensities. Emotions are our probabilities;
contempt has no column there. Pitch, Roll and Yaw are radians about the camera's axes (`pose.py`), as in 0.7: nose down,
clockwise and nose to the image's left are positive. Pictures have frame 0. Left empty: AU11, AU28, landmarks where none
were found. Left out: the head's place X, Y, Z, and codes of identity.
"""

from __future__ import annotations

from mien.labels import POINTS
from mien.recognition.table import PLACE, Row
from mien.recognition.vocabularies.openface import places
from mien.recognition.vocabularies.pose import euler, head_matrix

UNITS = tuple(f"AU{au:02d}" for au in (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 17, 20, 23, 24, 25, 26, 28, 43))
EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
BOX = ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight")
COLUMNS = (
    *("frame", *BOX, "FaceScore", *(f"{axis}_{k}" for axis in "xy" for k in range(POINTS)), "Pitch", "Roll", "Yaw"),
    *(*UNITS, *EMOTIONS, "input"),
)


def cells(row: Row) -> Row:
    """Return a row in Py-Feat's words; a frame without a face has `frame` and `input` alone."""
    found: Row = {"frame": row.get("frame", 0), "input": row["path"]}
    if "number" not in row:
        return found
    found |= dict(zip(BOX, (row[name] for name in PLACE[2:]), strict=True)) | places(row)
    if "score" in row:
        found["FaceScore"] = row["score"]
    head = head_matrix(row)
    if head is not None:
        pitch, yaw, roll = (round(angle, 4) for angle in euler(head))
        found |= {"Pitch": pitch, "Roll": roll, "Yaw": yaw}
    found |= {name: round(row[name] / 5, 4) for name in UNITS if name in row}
    return found | {word: row[word] for word in EMOTIONS if word in row}
