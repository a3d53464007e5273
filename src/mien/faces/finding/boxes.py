"""Squares where a face may be: where its eyes are then, what two of them share, and which of many tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

# Where in its box the middle between the eyes lies, and how far they are apart, in its widths, in photofaces.
EYES_DOWN = 0.411
EYES_APART = 0.362
ALIKE = 0.35  # of two boxes' widths, the logarithm of their ratio


@dataclass(frozen=True)
class Box:
    """A square where a face may be, in the photo's pixels."""

    x: float  # centre
    y: float
    width: float
    likelihood: float  # log odds of a face
    tilt: float  # degrees clockwise

    @property
    def eyes(self) -> np.ndarray:
        """Where the eyes (2, 2) of a face in the box are, roughly."""
        turn = turned(-self.tilt, self.width)
        return np.array([self.x, self.y]) + np.array(
            [turn @ [side * EYES_APART / 2, EYES_DOWN - 0.5] for side in (-1, 1)]
        )

    def larger(self, scale: float) -> Box:
        """Return the box in a picture that is `scale` times as large."""
        return replace(self, x=(self.x + 0.5) * scale - 0.5, y=(self.y + 0.5) * scale - 0.5, width=self.width * scale)

    def overlap(self, other: Box) -> float:
        """Return the shared area over that of the smaller one, without regard to the tilt."""
        small = min(self.width, other.width)
        reach = (self.width + other.width) / 2
        across = min(small, max(0.0, reach - abs(self.x - other.x)))
        down = min(small, max(0.0, reach - abs(self.y - other.y)))
        return across * down / small**2

    def inside(self, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
        """Return the part that lies in a photo of that shape: x, y, width, height."""
        half = self.width / 2
        left, top = max(0.0, self.x - half), max(0.0, self.y - half)
        right, bottom = min(float(shape[1]), self.x + half), min(float(shape[0]), self.y + half)
        return left, top, right - left, bottom - top


def box_of(eyes: np.ndarray, likelihood: float = 0.0) -> Box:
    """Return the box of a face with these eyes (2, 2)."""
    across = eyes[1] - eyes[0]
    apart = float(np.hypot(*across))
    down, width = np.array([-across[1], across[0]]) / apart, apart / EYES_APART
    x, y = (float(v) for v in eyes.mean(axis=0) + (0.5 - EYES_DOWN) * width * down)
    return Box(x, y, width, likelihood, float(np.rad2deg(np.arctan2(across[1], across[0]))))


def turned(tilt: float, scale: float) -> np.ndarray:
    """Return the linear part (2, 2) of the matrix that turns back by `tilt` degrees and scales."""
    cos, sin = scale * np.cos(np.deg2rad(tilt)), scale * np.sin(np.deg2rad(tilt))
    return np.array([[cos, sin], [-sin, cos]])


def distinct(boxes: Sequence[Box], most: int) -> list[Box]:
    """Return at most so many boxes, the likeliest first, none of nearly the size, place and tilt of a likelier one."""
    kept: list[Box] = []
    where = np.zeros((0, 4))  # of those kept
    for box in sorted(boxes, key=lambda box: -box.likelihood):
        if len(kept) == most:
            break
        x, y, width, tilt = where.T
        # A face is proposed many times: two boxes of nearly the same size and place have the same answer.
        small, reach = np.minimum(width, box.width), (width + box.width) / 2
        across, down = np.clip(reach - np.abs(x - box.x), 0, small), np.clip(reach - np.abs(y - box.y), 0, small)
        alike = (np.abs(np.log(width / box.width)) < ALIKE) & (np.cos(np.deg2rad(tilt - box.tilt)) > 0.9)
        if (alike & (across * down > 0.6 * small**2)).any():
            continue
        kept.append(box)
        where = np.append(where, [[box.x, box.y, box.width, box.tilt]], axis=0)
    return kept
