"""A corpus' picture as a square face: with its eyes on the template, or the middle of the picture as it is."""

from __future__ import annotations

import cv2
import numpy as np

from mien.faces.align import align, similarity
from mien.faces.detect import find_faces
from mien.faces.landmarks import eyes_of


def eyes_from_68(points: np.ndarray) -> np.ndarray | None:
    """Return eye centres (2, 2), each eye's corners' mid-point, of landmarks (68, 2) in pixels; None if not sound."""
    eyes = eyes_of(points.astype(np.float64))
    sound = np.isfinite(eyes).all() and np.hypot(*(eyes[1] - eyes[0])) > 1
    return eyes if sound else None


def align_face(rgb: np.ndarray, size: int, eyes: np.ndarray | None, lying: bool = False) -> np.ndarray | None:
    """Return uint8 (size, size, 3) with the eyes on the template; None where no face is found.

    `eyes` (2, 2) in pixels of `rgb` (H, W, 3) are taken where they lie inside; else those of the largest face
    that is found. With `lying`, where none is upright, the picture is turned by a right angle, either way.
    """
    height, width = rgb.shape[:2]
    if eyes is not None and (eyes >= 0).all() and (eyes < (width, height)).all():
        return align(rgb, similarity(eyes, size), size)
    for quarter in (0, 3, 1) if lying else (0,):  # rot90 turns anticlockwise
        upright = np.ascontiguousarray(np.rot90(rgb, quarter))
        faces = find_faces(upright)
        if faces:
            largest = max(faces, key=lambda face: face.box[2])
            return align(upright, similarity(largest.eyes, size), size)
    return None


def central_square(rgb: np.ndarray, size: int) -> np.ndarray:
    """Return the central square of uint8 `rgb` (H, W, 3), scaled to (size, size, 3)."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(rgb[top : top + side, left : left + side])
    if side == size:
        return square
    return cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_CUBIC)
