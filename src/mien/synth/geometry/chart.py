"""The mesh of the head's skin in surface coordinates: rows and columns, the three slits, what hangs behind them.

Eyes and mouth are slits between two copies of the same row of vertices (one belongs to the upper lid or lip, one to
the lower); each copy continues inwards as a `Roll`, so that an opening shows the thickness of lid or lip and never a
crack. The mesh is one for all people.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from mien.synth.geometry.skull import S_MAX, T_BOTTOM, T_TOP, surface_grid

EYE_X, EYE_HALF = 0.5, 0.235  # centre and half width of the slit between the lids
EYE_T, MOUTH_T = 0.0, -1.08
MOUTH_HALF = 0.43
BACK = 3.6  # beyond this s the skin is never seen and not meshed
ROLL_DEPTH = {"eye": 2, "mouth": 4}  # rows of vertices behind a margin


@dataclass(frozen=True)
class Roll:
    """What continues behind one margin: `rows` (K, n) vertex indices behind the n vertices of `margin`."""

    margin: np.ndarray
    rows: np.ndarray
    along: np.ndarray  # position along the slit, -1 at one corner, 1 at the other


@dataclass(frozen=True)
class Slit:
    """One opening: its upper and lower margins, from the person's right to left; both end in the same corners."""

    upper: Roll
    lower: Roll


@dataclass(frozen=True)
class Chart:
    """The skin's mesh; n vertices (grid first, then rolls), m triangles."""

    s: np.ndarray  # (n,)
    t: np.ndarray  # (n,)
    mean: np.ndarray  # (n, 3) the mean head
    above: np.ndarray  # (n,) bool: upper side of the mouth's slit
    above_eye: np.ndarray  # (n,) bool: upper side of the eyes' slit
    faces: np.ndarray  # (m, 3) int32
    columns: int  # the first vertices are a grid of rows of so many
    rows: int
    grid_size: int  # the first grid_size vertices lie on the skin
    eyes: dict[int, Slit]  # keyed -1 the person's right, +1 left
    mouth: Slit
    skin_faces: int  # the first skin_faces triangles are skin, the rest line the openings


def _spaced(stops: list[tuple[float, int]]) -> np.ndarray:
    """Return values from the first stop through all others; each stop says how many steps lead to it."""
    parts = [np.array([stops[0][0]])]
    for (a, _), (b, n) in pairwise(stops):
        parts.append(np.linspace(a, b, n + 1)[1:])
    return np.concatenate(parts)


def _columns() -> np.ndarray:
    """Return the columns' s, with columns exactly at the corners of eyes and mouth."""
    fine = np.linspace(0, 1.3, 1301)
    at_eye = surface_grid(fine, np.array([EYE_T]))[0, :, 0]
    at_mouth = surface_grid(fine, np.array([MOUTH_T]))[0, :, 0]
    inner, outer = np.interp((EYE_X - EYE_HALF, EYE_X + EYE_HALF), at_eye, fine)
    corner = np.interp(MOUTH_HALF, at_mouth, fine)
    half = _spaced([(0, 0), (inner, 12), (corner, 8), (outer, 11), (1.3, 14), (2.4, 10), (S_MAX, 7)])
    return np.concatenate([-half[:0:-1], half])


def _rows() -> np.ndarray:
    """Return the rows' t from the crown down, with rows exactly on the slits."""
    brow_to_nose = [(T_TOP, 0), (1.2, 8), (0.55, 11), (0.2, 12), (EYE_T, 10), (-0.2, 9), (-0.5, 12), (-0.9, 19)]
    return _spaced([*brow_to_nose, (MOUTH_T, 9), (-1.3, 11), (-1.95, 20), (-2.4, 7), (T_BOTTOM, 8)])


def _nearest(values: np.ndarray, target: float) -> int:
    return int(np.argmin(np.abs(values - target)))


class _Builder:
    """Collects vertices and triangles while the mesh is cut and lined."""

    def __init__(self, s: np.ndarray, t: np.ndarray):
        self.mean = surface_grid(s, t).reshape(-1, 3)
        grid_t, grid_s = np.meshgrid(t, s, indexing="ij")
        self.s, self.t = grid_s.ravel(), grid_t.ravel()
        index = np.arange(self.s.size).reshape(grid_s.shape)
        self.over, self.under = index.copy(), index.copy()  # copy a quad above the row uses, copy one beneath uses
        self.above = self.t > MOUTH_T - 1e-9
        self.above_eye = self.t > EYE_T - 1e-9
        self.lining: list[np.ndarray] = []

    def append(self, source: np.ndarray) -> np.ndarray:
        """Append copies of vertices and return their indices."""
        new = np.arange(len(self.s), len(self.s) + len(source))
        for name in ("s", "t", "mean", "above", "above_eye"):
            setattr(self, name, np.concatenate([getattr(self, name), getattr(self, name)[source]]))
        return new

    def cut(self, row: int, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Cut a slit along a row between two corner columns; return its upper and lower margins, corners included."""
        inside = np.arange(first + 1, last)
        self.under[row, inside] = self.append(self.over[row, inside])
        self.above[self.under[row, inside]] &= row != self.mouth_row
        self.above_eye[self.under[row, inside]] &= row == self.mouth_row
        return self.over[row, first : last + 1].copy(), self.under[row, first : last + 1].copy()

    mouth_row = -1

    def line(self, margin: np.ndarray, depth: int) -> np.ndarray:
        """Continue a margin by `depth` rows of vertices; return their indices (depth, n)."""
        rows = np.stack([self.append(margin) for _ in range(depth)])
        ladder = np.concatenate([margin[None], rows])
        self.lining += [quads(a[None], b[None]) for a, b in pairwise(ladder)]
        return rows


def quads(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Return triangles (2·R·(C-1), 3) between rows of indices `upper` (R, C) and `lower` (R, C) beneath them."""
    a, b, c, d = upper[:, :-1], upper[:, 1:], lower[:, :-1], lower[:, 1:]
    return np.stack([np.stack([a, c, b], -1), np.stack([b, c, d], -1)], 2).reshape(-1, 3)


def _close(slit: Slit) -> np.ndarray:
    """Return the triangles that join what hangs behind both margins: at the back, and at either corner."""
    walls = [quads(slit.upper.rows[-1][None], slit.lower.rows[-1][None])]
    for end in (0, -1):
        columns = [np.concatenate([roll.margin[None, end], roll.rows[:, end]]) for roll in (slit.upper, slit.lower)]
        walls.append(quads(columns[0][None], columns[1][None]))
    return np.concatenate(walls)


@lru_cache(maxsize=1)
def chart() -> Chart:
    """Return the mesh; built once a process."""
    s, t = _columns(), _rows()
    build = _Builder(s, t)
    eye_row, build.mouth_row = _nearest(t, EYE_T), _nearest(t, MOUTH_T)
    x = surface_grid(s, np.array([EYE_T, MOUTH_T]))[:, :, 0]
    front = np.abs(s) < 1.5
    columns = {v: _nearest(np.where(front, x[0], 9), v) for side in (-1, 1) for v in
               (side * EYE_X - EYE_HALF, side * EYE_X + EYE_HALF)}  # fmt: skip
    ends = [_nearest(np.where(front, x[1], 9), v) for v in (-MOUTH_HALF, MOUTH_HALF)]
    margins = {
        side: build.cut(eye_row, columns[side * EYE_X - EYE_HALF], columns[side * EYE_X + EYE_HALF]) for side in (-1, 1)
    }
    mouth_margins = build.cut(build.mouth_row, ends[0], ends[1])
    grid_size = len(build.s)
    skin = quads(build.under[:-1], build.over[1:])
    skin = skin[(np.abs(build.s[skin]) < BACK).all(axis=1)]

    def roll(margin: np.ndarray, kind: str) -> Roll:
        x_margin = build.mean[margin, 0]
        along = 2 * (x_margin - x_margin[0]) / (x_margin[-1] - x_margin[0]) - 1
        return Roll(margin, build.line(margin, ROLL_DEPTH[kind]), along)

    eyes = {side: Slit(roll(up, "eye"), roll(low, "eye")) for side, (up, low) in margins.items()}
    mouth = Slit(roll(mouth_margins[0], "mouth"), roll(mouth_margins[1], "mouth"))
    faces = np.concatenate([skin, *build.lining, *[_close(slit) for slit in (mouth, *eyes.values())]]).astype(np.int32)
    return Chart(
        s=build.s, t=build.t, mean=build.mean, above=build.above, above_eye=build.above_eye, faces=faces,
        columns=len(s), rows=len(t), grid_size=grid_size, eyes=eyes, mouth=mouth, skin_faces=len(skin),
    )  # fmt: skip
