"""What rendered open mouths show, from mouths.npz: where teeth are, and where on the dental arch each lies.

The same tooth has the same coordinates in every picture, so that teeth which two pictures of a person show both can be
moved from one to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial import cKDTree

from mien.data.sampling.augment import Warp, inverse_matrix
from mien.data.sampling.rendered import read_mouth_files

FRAME, TOP, LEFT = 256, 136, 64  # of the file's window, in pixels
CORNER = np.array([TOP, LEFT])
CELL = 4  # pixels of FRAME a cell of the flow is wide
TOOTH = 1  # in `part`
NEAR = 0.03  # of the arch: places that are one
HUNDREDTHS = 100.0


@dataclass(frozen=True, eq=False)
class Mouths:
    """Parts and arch of every row that has them; `row` -1 where it has none."""

    part: np.ndarray  # (K, ROWS, COLUMNS) uint8: 0 outside, 1 teeth, 2 gums, 3 the dark
    arch: np.ndarray  # (K, ROWS, COLUMNS, 2) int8 in HUNDREDTHS: angle, height
    row: np.ndarray  # (N,) int64 into the two

    def seen(self, rows: np.ndarray, warps: Sequence[Warp], size: int) -> np.ndarray:
        """Return (B, 3, size / 2, size / 2) float32 of the mouth's window in warped pictures: share of teeth, angle and
        height; NaN outside mouths and where nothing is known.
        """  # fmt: skip
        half = size // 2
        out = np.full((len(rows), 3, half, half), np.nan, np.float32)
        for i, (row, warp) in enumerate(zip(rows.tolist(), warps, strict=True)):
            if row < 0 or self.row[row] < 0:
                continue
            x, y = _window_of(warp, size)
            part = cv2.remap(self.part[self.row[row]], x, y, cv2.INTER_NEAREST, borderValue=0)
            arch = self.arch[self.row[row]].astype(np.float32) / HUNDREDTHS
            arch = cv2.remap(arch, x, y, cv2.INTER_NEAREST, borderValue=0)
            if warp.flip:
                arch[..., 0] *= -1
            inside = part > 0
            out[i, 0][inside] = part[inside] == TOOTH
            out[i, 1:][:, inside] = arch[inside].T
        return out

    def moved(self, face: int, truth: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return where the teeth that row `truth` shows are in row `face`: flow (64, 64, 2) in cells, and the share
        (64, 64) of a cell's open mouth that is such teeth; None where they have none in common.
        """  # fmt: skip
        a, b = self.row[face], self.row[truth]
        if a < 0 or b < 0:
            return None
        before, after = (np.argwhere(self.part[k] == TOOTH) for k in (a, b))
        if not len(before) or not len(after):
            return None
        arches = [self.arch[k][tuple(at.T)] / HUNDREDTHS for k, at in ((a, before), (b, after))]
        far, which = cKDTree(arches[0]).query(arches[1], distance_upper_bound=NEAR)
        found = np.isfinite(far)
        if not found.any():
            return None
        motion = (before[which[found]] - after[found])[:, ::-1] / CELL
        flow = np.zeros((FRAME // CELL, FRAME // CELL, 2), np.float32)
        share, inside = np.zeros((2, FRAME // CELL, FRAME // CELL), np.float32)
        cells = tuple(((after[found] + CORNER) // CELL).T)
        np.add.at(flow, cells, motion)
        np.add.at(share, cells, 1)
        np.add.at(inside, tuple(((np.argwhere(self.part[b] > 0) + CORNER) // CELL).T), 1)
        return flow / np.maximum(share, 1)[..., None], share / np.maximum(inside, 1)


def _window_of(warp: Warp, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where a warped picture's mouth window's pixels lie in the file's, x and y (size / 2, size / 2)."""
    matrix = inverse_matrix(warp, size, size)
    places = np.stack(np.meshgrid(np.arange(size // 4, size - size // 4), np.arange(size // 2, size)), -1)
    pixels = (places @ matrix[:, :2].T + matrix[:, 2] + 0.5) * FRAME / size - 0.5
    return (pixels[..., 0] - LEFT).astype(np.float32), (pixels[..., 1] - TOP).astype(np.float32)


def read_mouths(homes: tuple[Path, ...], pictures: list[Path]) -> Mouths | None:
    """Return what the mouths.npz of folders say of pictures; None if there is none.

    Raises InputError for a file that is damaged or holds something else.
    """
    found = read_mouth_files(homes)
    if not found:
        return None
    names = [home / str(name) for home, arrays in found for name in arrays["file_name"]]
    place = {path: k for k, path in enumerate(names)}
    row = np.array([place.get(path, -1) for path in pictures], np.int64)
    part, arch = (np.concatenate([arrays[name] for _, arrays in found]) for name in ("part", "arch"))
    return Mouths(part, arch, row)
