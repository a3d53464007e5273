"""The 68 landmarks of a face: what finds them, and the eye centres that follow."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mien.labels import CORNERS


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
