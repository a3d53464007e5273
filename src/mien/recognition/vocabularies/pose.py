"""Head and gaze of a row in the camera's axes: x to the image's right, y down, z away from the camera.

The head nods (pitch), then turns (yaw), then tilts (roll), as in docs/studio.md; its gaze is in its own axes.
"""

from __future__ import annotations

import math

import numpy as np

from mien.recognition.table import Row


def turn(axis: int, degrees: float) -> np.ndarray:
    """Return the rotation (3, 3) about x, y or z (0, 1, 2) by the right hand: about z clockwise in the image."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def head_matrix(row: Row) -> np.ndarray | None:
    """Return how a row's head is turned, (3, 3), None where that is not known."""
    if not {"yaw", "pitch", "roll"} <= row.keys():
        return None
    return np.asarray(turn(2, row["roll"]) @ turn(1, -row["yaw"]) @ turn(0, row["pitch"]))


def euler(matrix: np.ndarray) -> tuple[float, float, float]:
    """Return angles in radians about x, y and z of a rotation Rx Ry Rz, as OpenFace takes it apart."""
    return (
        math.atan2(-matrix[1, 2], matrix[2, 2]),
        math.asin(min(max(matrix[0, 2], -1.0), 1.0)),
        math.atan2(-matrix[0, 1], matrix[0, 0]),
    )


def gaze_ray(row: Row) -> np.ndarray | None:
    """Return where a row's eyes look, of length 1; straight into the camera is (0, 0, -1). None where not known."""
    head = head_matrix(row)
    if head is None or not {"gaze_x", "gaze_y"} <= row.keys():
        return None
    return np.asarray(head @ turn(1, -row["gaze_x"]) @ turn(0, -row["gaze_y"]) @ (0.0, 0.0, -1.0))
