"""How a person's pixels move from one picture to another: exact, from the geometry.npz of rendered faces.

For every rendered picture that file holds the backward flow to the same person's frontal neutral picture N:
picture(p) = N(p + flow(p)). Two pictures A and B of a person thus meet in N, and the flow from A to B follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from mien.data.augment import Warp, inverse_matrix
from mien.data.batch import Motion
from mien.data.cache import Data
from mien.errors import InputError
from mien.labels import POINTS, mirrored_points

FILE = "geometry.npz"
CELLS = 64  # of the flow as it is kept, a side
REFERENCE = 256.0  # pixels of the frame that landmarks are in where the file does not say
MIRRORED = mirrored_points()
UNITS = 16.0  # of the flow as it is kept, a cell: quarter pixels of a frame of 256
ROUNDS = 6  # of the fixed-point iteration
SURE = 0.3  # cells by which the two ways to N may disagree at the end


@dataclass(frozen=True, eq=False)
class Geometry:
    """Flow and mouth of every row that has them; `row` -1 where it has none."""

    flow: np.ndarray  # (K, 64, 64, 2) int8, in UNITS
    mouth: np.ndarray  # (K, 64, 64) uint8, share × 255
    landmarks: np.ndarray  # (K, 68, 2) float32, x, y in shares of the side
    row: np.ndarray  # (N,) int64 into the two
    size: int  # of the pictures, in pixels

    def motion(self, face: np.ndarray, truth: np.ndarray, warps: Sequence[Warp]) -> Motion:
        """Return how rows `truth` come out of rows `face`, both warped by `warps`; unknown where either is."""
        grid = self.size // 4
        flow = np.zeros((len(face), grid, grid, 2), np.float32)
        mouth, known = np.zeros((2, len(face), grid, grid), np.float32)
        for i, (a, b, warp) in enumerate(zip(face.tolist(), truth.tolist(), warps, strict=True)):
            if a < 0 or b < 0 or self.row[a] < 0 or self.row[b] < 0:
                continue
            at, linear = cells_of(warp, self.size, grid)
            first, second = (self.flow[self.row[k]].astype(np.float32) / UNITS for k in (a, b))
            moved, known[i] = flow_between(first, second, at)
            flow[i] = moved @ linear.T / CELLS
            mouth[i] = looked_up(self.mouth[self.row[b]].astype(np.float32) / 255, at)
        planes = [torch.from_numpy(x[:, None]) for x in (mouth, known)]
        return Motion(torch.from_numpy(flow).permute(0, 3, 1, 2), *planes)

    def points(self, rows: np.ndarray, warps: Sequence[Warp]) -> np.ndarray:
        """Return the landmarks (B, 68, 2) of rows warped by `warps`, float32 in shares of the side; NaN unknown."""
        found = np.full((len(rows), POINTS, 2), np.nan, np.float32)
        for i, (row, warp) in enumerate(zip(rows.tolist(), warps, strict=True)):
            if row >= 0 and self.row[row] >= 0:
                matrix = inverse_matrix(warp, self.size, self.size)
                before = self.landmarks[self.row[row]] * self.size - 0.5  # pixel centres are whole numbers
                after = (before - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
                found[i] = (after[MIRRORED] if warp.flip else after) / self.size + 0.5 / self.size
        return found


def cells_of(warp: Warp, size: int, grid: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where a warped picture's `grid` cells lie in its own 64 before the warp, (grid, grid, 2) float32 x, y.

    And the (2, 2) matrix that turns a motion there into one of the warped picture.
    """
    matrix = inverse_matrix(warp, size, size)  # in pixels, whose centres are whole numbers
    centres = (np.arange(grid) + 0.5) * size / grid - 0.5
    pixels = np.stack(np.meshgrid(centres, centres), -1) @ matrix[:, :2].T + matrix[:, 2]
    cells = (pixels + 0.5) * CELLS / size - 0.5
    return cells.astype(np.float32), np.linalg.inv(matrix[:, :2]).astype(np.float32)


def flow_between(first: np.ndarray, second: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the flow (g, g, 2) at places `at` from picture A to picture B, in cells: B(p) = A(p + flow).

    `first` and `second` (64, 64, 2) are A's and B's own flows to their common picture. A's place q of what B shows at p
    solves q + first(q) = p + second(p); found by iteration. The second result (g, g) is 1 where it was.
    """
    common = at + looked_up(second, at)
    place = common
    for _ in range(ROUNDS):
        place = common - looked_up(first, place)
    off = np.abs(place + looked_up(first, place) - common).max(-1)
    return place - at, (off < SURE).astype(np.float32)


def looked_up(grid: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return a grid (64, 64, …) at places (g, g, 2), bilinear; beyond the border it goes on as at the border."""
    x, y = (np.ascontiguousarray(at[..., k], np.float32) for k in range(2))
    return cv2.remap(grid, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def read_geometry(data: Data) -> Geometry:
    """Return the geometry of a data set's rows, from the geometry.npz beside each picture's manifest.

    Raises InputError where no row has any.
    """
    paths = [data.manifest.path(i) for i in range(len(data))]
    homes: dict[Path, Path | None] = {
        folder: home_of(folder, data.manifest.folder) for folder in {path.parent for path in paths}
    }
    flows, mouths, landmarks, begun = [], [], [], 0
    found: dict[Path, int] = {}
    for home in sorted({home for home in homes.values() if home}):
        with np.load(home / FILE) as kept:
            names = [home / str(name) for name in kept["file_name"]]
            flows.append(kept["flow"])
            mouths.append(kept["mouth"])
            side = float(kept["size"]) if "size" in kept else REFERENCE
            landmarks.append((kept["landmarks"].astype(np.float32) + 0.5) / side)
        found |= {name: begun + k for k, name in enumerate(names)}
        begun += len(names)
    row = np.array([found.get(path, -1) for path in paths], np.int64)
    if not (row >= 0).any():
        raise InputError(
            f"{data.manifest.folder}: no {FILE} beside the pictures; this model learns from exact motion, as the face "
            "studio (mien synth) and photofaces have it"
        )
    joined = [np.concatenate(parts) for parts in (flows, mouths, landmarks)]
    return Geometry(joined[0], joined[1], joined[2], row, data.size)


def home_of(folder: Path, top: Path) -> Path | None:
    """Return the nearest folder with a geometry.npz, from `folder` up to `top`; None if there is none."""
    inside = [folder, *folder.parents]
    inside = inside[: inside.index(top) + 1] if top in inside else inside[:1]
    return next((place for place in inside if (place / FILE).is_file()), None)
