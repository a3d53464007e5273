"""Turns, shifts and scales pictures so that their faces lie alike, as far as that can be seen in them.

In a copy that was augmented the face lies elsewhere. A regression learns from the data set's own pictures, warped by
known amounts, to estimate such a warp; its estimates for a picture and for the copy differ by the warp between them.
Warps are similarities: a place z = x + iy of the result, from the frame's centre, is taken from shift + turn·z.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SMALL = 32
"""Pixels at which pictures are straightened; shifts are shares of the frame, so any size takes the same warp."""

INSET, GRID = 2, 14
STAGES = 4
RIDGE = 30.0
DRAWN, VARIANTS = 12_000, 8
"""At most so many warped pictures are learned from, at most so many of each on average."""

SPAN = (0.22, 0.12, 0.08)
"""Warps learned from: ± radians, ± share of the frame, ± logarithm of the scale."""


@dataclass(frozen=True, eq=False)
class Poses:
    """N similarities."""

    turn: np.ndarray  # (N,) complex: scale and rotation
    shift: np.ndarray  # (N,) complex, share of the frame

    def after(self, first: Poses) -> Poses:
        """Return the warp that is `first` and then this one."""
        return Poses(self.turn * first.turn, self.turn * first.shift + self.shift)

    def inverse(self) -> Poses:
        """Return what undoes this."""
        return Poses(1 / self.turn, -self.shift / self.turn)

    def take(self, rows: np.ndarray) -> Poses:
        """Return the similarities of these rows."""
        return Poses(self.turn[rows], self.shift[rows])


def matrix(turn: complex, shift: complex, size: int) -> np.ndarray:
    """Return the (2, 3) matrix from a pixel of the result (x, y, 1) to a pixel of the picture, both `size` wide."""
    centre = (size - 1) / 2 * (1 + 1j)
    move = shift * size + centre - turn * centre
    return np.array([[turn.real, -turn.imag, move.real], [turn.imag, turn.real, move.imag]], np.float32)


def warped(grey: np.ndarray, poses: Poses) -> np.ndarray:
    """Return pictures (N, S, S) each warped by its similarity, mirrored beyond the border."""
    size, flags = grey.shape[1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = np.empty_like(grey)
    for k, picture in enumerate(grey):
        m = matrix(poses.turn[k], poses.shift[k], size)
        cv2.warpAffine(picture, m, (size, size), out[k], flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return out


def standard(grey: np.ndarray, inset: int, grid: int) -> np.ndarray:
    """Return the inner part of pictures (N, S, S) as (N, grid²) float32 of mean 0 and deviation near 1."""
    inner = np.stack(
        [cv2.resize(g[inset:-inset, inset:-inset], (grid, grid), interpolation=cv2.INTER_AREA) for g in grey]
    )
    flat = inner.reshape(len(grey), -1).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    return flat / (flat.std(1, keepdims=True) + 4)  # 4 grey levels: an empty picture stays empty


class Straightener:
    """Estimates how a face was warped, in STAGES linear steps, which it learns from pictures (N, 32, 32)."""

    def __init__(self, grey: np.ndarray, seed: int = 0):
        rng = np.random.default_rng(seed)
        rows = rng.integers(0, len(grey), min(DRAWN, VARIANTS * len(grey)))
        angle, x, y, size = (2 * rng.random((4, len(rows))) - 1) * np.array([SPAN[0], SPAN[1], SPAN[1], SPAN[2]])[
            :, None
        ]
        known = Poses(np.exp(size + 1j * angle), x + 1j * y)
        guess = _still(len(rows))
        self.steps: list[np.ndarray] = []
        for _ in range(STAGES):
            total = known.after(guess)
            features = _features(warped(grey[rows], total))
            wanted = _numbers(total.inverse())
            gram = features.T @ features + RIDGE * np.eye(features.shape[1])
            self.steps.append(np.linalg.solve(gram, features.T @ wanted))
            guess = guess.after(_poses(features @ self.steps[-1]))

    def poses(self, grey: np.ndarray) -> Poses:
        """Return the warps that straighten pictures (N, 32, 32)."""
        guess = _still(len(grey))
        for step in self.steps:
            guess = guess.after(_poses(_features(warped(grey, guess)) @ step))
        return guess


def _still(count: int) -> Poses:
    return Poses(np.ones(count, complex), np.zeros(count, complex))


def _features(grey: np.ndarray) -> np.ndarray:
    flat = standard(grey, INSET, GRID)
    return np.concatenate([flat, np.ones((len(flat), 1), np.float32)], 1)


def _numbers(poses: Poses) -> np.ndarray:
    """Return similarities as (N, 4) float64, 0 where nothing moves."""
    return np.stack([poses.turn.real - 1, poses.turn.imag, poses.shift.real, poses.shift.imag], 1)


def _poses(numbers: np.ndarray) -> Poses:
    return Poses(1 + numbers[:, 0] + 1j * numbers[:, 1], numbers[:, 2] + 1j * numbers[:, 3])
