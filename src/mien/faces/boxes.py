"""Boxes where a face may be, many of them wrong, from OpenCV's bundled cascades on a small copy of the photograph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mien.faces.align import invert
from mien.faces.cascade import search

SMALLEST = 20.0  # pixels of a box in the small copy; no cascade has a smaller window
# A cascade's weight becomes (weight − zero) / spread: about 1 for a clear upright face. The strictest comes first.
ZEROS = {"frontalface_alt2": 54.7, "frontalface_alt": 106.7, "frontalface_default": 8.4}
SPREADS = {"frontalface_alt2": 3.0, "frontalface_alt": 3.0, "frontalface_default": 8.0}
PROPOSERS = ("frontalface_alt2", "frontalface_default")
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
    likelihood: float  # of a face, in the unit of ZEROS and SPREADS
    tilt: float  # degrees clockwise

    @property
    def eyes(self) -> np.ndarray:
        """Where the eyes (2, 2) of a face in the box are, roughly."""
        turn = turned(-self.tilt, self.width)
        return np.array([self.x, self.y]) + np.array(
            [turn @ [side * EYES_APART / 2, EYES_DOWN - 0.5] for side in (-1, 1)]
        )

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


def propose(grey: np.ndarray, scale: float, tilt: float = 0.0, level: bool = False, margin: float = 0.0) -> list[Box]:
    """Return boxes found in a copy of `grey` (H, W), `scale` times as large, turned back by `tilt` degrees.

    `level` equalises the contrast tile by tile, for a face in the shadow of a bright photo. `margin` adds a border of
    that share of the longer side, for a face that the photo's edge cuts.
    """
    width, height = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
    small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA) if scale < 1 else grey
    if level:
        small = cv2.createCLAHE(3.0, (8, 8)).apply(small)
    turn, rim = turned(tilt, 1.0), 2 * margin * max(width, height)
    to = np.ceil(np.abs(turn) @ [width + rim, height + rim] - 1e-6)  # all of the turned photo fits in
    matrix = np.column_stack([turn, (to - 1) / 2 - turn @ [(width - 1) / 2, (height - 1) / 2]])
    if tilt or rim:
        beyond = cv2.BORDER_REPLICATE if rim else cv2.BORDER_CONSTANT
        small = cv2.warpAffine(
            small, matrix, (int(to[0]), int(to[1])), borderMode=beyond, borderValue=float(small.mean())
        )
    back = invert(matrix)
    boxes = []
    for name in PROPOSERS:
        for x, y, w, h, weight in search(name, small, SMALLEST, float(to.max()), 1.2, 1):
            cx, cy = back[:, :2] @ [x + (w - 1) / 2, y + (h - 1) / 2] + back[:, 2]
            # small pixel i lies at (i + ½) / scale − ½ of the photo
            x, y = (cx + 0.5) / scale - 0.5, (cy + 0.5) / scale - 0.5
            boxes.append(Box(float(x), float(y), w / scale, (weight - ZEROS[name]) / SPREADS[name], tilt))
    return boxes


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
