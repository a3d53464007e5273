"""How a person's pixels move from one picture to another: exact, from the geometry.npz of rendered faces.

For every rendered picture that file holds the backward flow to the same person's frontal neutral picture N:
picture(p) = N(p + flow(p)). Two pictures A and B of a person thus meet in N, and the flow from A to B follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from mien.data.batch import Motion
from mien.data.dataset import Data
from mien.data.sampling.augment import Warp, inverse_matrix
from mien.data.sampling.gaze import turned_irises
from mien.data.sampling.mouths import Mouths, read_mouths
from mien.data.sampling.rendered import ARRAYS, CELLS, FILE, REFERENCE, Files, count_known, read_files
from mien.errors import InputError
from mien.labels import POINTS, mirrored_points

MIRRORED = mirrored_points()
UNITS = 16.0  # of the flow in the file, a cell: quarter pixels of a frame of 256
ROUNDS = 6  # of the fixed-point iteration
AGREE = 0.5 / REFERENCE  # of the side: landmarks that lie this near are those of one picture
FAR = 1e4  # cells; beyond the border by so much is as far as one can be
HALF = 0.5  # share of a cell's open mouth: teeth that are moved rather than new
SURE = 0.3  # cells that may lie between the two places in N at the end of the iteration


@dataclass(frozen=True, eq=False)
class Geometry:
    """Flow and mouth of every row that has them; `row` -1 where it has none."""

    flow: np.ndarray  # (K, 64, 64, 2) int8, in UNITS
    mouth: np.ndarray  # (K, 64, 64) uint8, share × 255
    landmarks: np.ndarray  # (K, 68, 2) float32, x, y in shares of the side
    row: np.ndarray  # (N,) int64 into the two
    size: int  # of the pictures, in pixels
    origin: np.ndarray | None = None  # (N,) int64: which N a person's row counts from; None: each person has one
    mouths: Mouths | None = None
    gaze: np.ndarray | None = None  # (N, 2) degrees to the right and up

    def motion(self, face: np.ndarray, truth: np.ndarray, warps: Sequence[Warp]) -> Motion:
        """Return how rows `truth` come out of rows `face`, both warped by `warps`; unknown where either is.

        Nor is it known between two folders' pictures of a person whose flows do not count from the same N.
        """
        grid = self.size // 4
        flow = np.zeros((len(face), grid, grid, 2), np.float32)
        mouth, known = np.zeros((2, len(face), grid, grid), np.float32)
        for i, (a, b, warp) in enumerate(zip(face.tolist(), truth.tolist(), warps, strict=True)):
            if a < 0 or b < 0 or self.row[a] < 0 or self.row[b] < 0:
                continue
            if self.origin is not None and self.origin[a] != self.origin[b]:
                continue
            at, linear = cells_of(warp, self.size, grid)
            first, second = (self.flow[self.row[k]].astype(np.float32) / UNITS for k in (a, b))
            moved, known[i] = flow_between(first, second, at)
            mouth[i] = looked_up(self.mouth[self.row[b]].astype(np.float32) / 255, at)
            if self.mouths is not None and (teeth := self.mouths.moved(a, b)):
                of_teeth, share = (looked_up(x, at) for x in teeth)
                there = share > HALF
                moved[there], known[i][there] = of_teeth[there] / share[there][:, None].clip(HALF), 1
                mouth[i] *= 1 - share
            if self.gaze is not None:
                points = self.landmarks[self.row[b]] * CELLS - 0.5
                turned_irises(moved, known[i], at, points, self.gaze[b], self.gaze[a])
            flow[i] = moved @ linear.T / CELLS
        opened, sure = (torch.from_numpy(x[:, None]) for x in (mouth, known))
        seen = None if self.mouths is None else torch.from_numpy(self.mouths.seen(truth, warps, self.size))
        return Motion(torch.from_numpy(flow).permute(0, 3, 1, 2), opened, sure, seen)

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
    at = np.clip(np.nan_to_num(at), -FAR, FAR)  # OpenCV's places are integers at last
    x, y = (np.ascontiguousarray(at[..., k], np.float32) for k in range(2))
    return cv2.remap(grid, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def read_geometry(data: Data) -> Geometry:
    """Return the geometry of a data set's rows. Raises InputError where no row has any."""
    files = read_files(data.manifest, ARRAYS)
    if not count_known(files):
        raise InputError(
            f"{data.manifest.folder}: no {FILE} beside the pictures; this model learns from exact motion, as the face "
            "studio (mien synth) and photofaces have it"
        )
    landmarks = (files.arrays["landmarks"].astype(np.float32) + 0.5) / files.side[:, None, None]
    flow, row = files.arrays["flow"], files.row
    mouths = read_mouths(files.homes, [data.manifest.path(i) for i in range(len(data))])
    gaze = np.nan_to_num(np.stack([data.manifest.gaze_x, data.manifest.gaze_y], 1))
    origins = _origins(data, files, landmarks)
    return Geometry(flow, files.arrays["mouth"], landmarks, row, data.size, origins, mouths, gaze)


def read_landmarks(data: Data) -> np.ndarray:
    """Return (N, 68, 2) landmarks in pixels of the data's frames, NaN where geometry.npz has none.

    Raises InputError where there is no geometry.npz at all.
    """
    files = read_files(data.manifest, ("landmarks",))
    if not files.homes:
        raise InputError(
            f"{data.manifest.folder / FILE}: missing; the exact truth needs the landmarks that the face studio writes; "
            "without a truth, ask for --partners 1"
        )
    out, has = np.full((len(data), POINTS, 2), np.nan), files.row >= 0
    points, side = files.arrays["landmarks"].astype(np.float64), files.side.astype(np.float64)
    place = files.row[has]
    out[has] = (points[place] + 0.5) * data.size / side[place, None, None] - 0.5  # pixel centres are whole numbers
    return out


def _origins(data: Data, files: Files, landmarks: np.ndarray) -> np.ndarray:
    """Return (N,) int64, equal where rows of one person count from one neutral picture.

    Each file has its own. Where two files show a person, theirs are one if their landmarks (K, 68, 2) agree.
    """
    home = np.where(files.row >= 0, files.home[files.row], -1)
    if len(files.homes) < 2:
        return home
    still = (home >= 0) & ~np.asarray(files.arrays["flow"].any((1, 2, 3)))[files.row]  # N itself
    origin, subject = home.copy(), data.manifest.subject
    for person in range(len(data.manifest.subjects)):
        mine = np.flatnonzero((subject == person) & (home >= 0))
        firsts = {int(home[i]): landmarks[files.row[i]] for i in mine[still[mine]][::-1]}  # of each file
        for number in np.unique(home[mine]).tolist():
            same = [k for k in sorted(firsts) if number in firsts and np.abs(firsts[k] - firsts[number]).max() < AGREE]
            origin[mine[home[mine] == number]] = same[0] if same else number
    return origin
