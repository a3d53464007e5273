"""The 68 landmarks of a face: what finds them, and the eye centres that follow."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mien.labels import CORNERS

EYES = (36, 42)  # the first of the six landmarks of the eye on the image's left, and on its right
NOSE, LIPS = 30, (48, 54)  # the landmarks at the nose's tip and at the corners of the mouth


class Landmarker(Protocol):
    """Finds the landmarks of a face whose eyes are roughly known."""

    @property
    def name(self) -> str:
        """Who it is, for reports."""
        ...

    def points(self, rgb: np.ndarray, eyes: np.ndarray) -> np.ndarray | None:
        """Return (68, 2) float64 pixel indices of the photo uint8 (H, W, 3), None where no face is seen at `eyes`."""
        ...


def eyes_of(points: np.ndarray) -> np.ndarray:
    """Return the eye centres (2, 2), each the mid-point of its corners, of landmarks (68, 2)."""
    return np.array([points[list(pair)].mean(axis=0) for pair in CORNERS])


def eye_aspects(points: np.ndarray) -> tuple[float, float]:
    """Return how high each eye is open to its width, the person's left (the image's right) first, of (68, 2) landmarks.

    (|p2 - p6| + |p3 - p5|) / (2 |p1 - p4|) after Soukupova and Cech, "Real-Time Eye Blink Detection using Facial
    Landmarks", 2016: about .3 of an open eye, below .1 of a shut one.
    """
    of_right, of_left = (_aspect(points[first : first + 6]) for first in EYES)
    return of_left, of_right


def _aspect(eye: np.ndarray) -> float:
    p1, p2, p3, p4, p5, p6 = eye
    heights = np.linalg.norm(p2 - p6) + np.linalg.norm(p3 - p5)
    return float(heights / (2 * max(float(np.linalg.norm(p1 - p4)), 1e-6)))


def five_points(points: np.ndarray) -> np.ndarray:
    """Return (5, 2) of landmarks (68, 2): eye centres, the nose's tip, the mouth's corners; the image's left first."""
    return np.concatenate([eyes_of(points), points[[NOSE, *LIPS]]])
