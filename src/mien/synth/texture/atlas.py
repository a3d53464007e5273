"""Where everything lies in the one texture of a person: the skin's chart, the hair's chart, and small tiles.

The texture is (ATLAS_HEIGHT, ATLAS_WIDTH, 5) float32: linear red, green, blue, gloss, and strand (0-1), the texture
against which ragged edges of hair are cut. Places are in pixels.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np

from mien.synth.geometry.skull import S_MAX, T_BOTTOM, T_TOP, surface_grid

SKIN_SIDE = 512
HAIR_TOP, HAIR_HEIGHT = SKIN_SIDE, 256
HAIR_T = (T_TOP, -2.3)
ATLAS_WIDTH, ATLAS_HEIGHT = SKIN_SIDE + 128, SKIN_SIDE + HAIR_HEIGHT
TILES = {  # name: (left, top, width, height)
    "eye": (SKIN_SIDE, 0, 128, 128),
    "upper teeth": (SKIN_SIDE, 128, 128, 48),
    "lower teeth": (SKIN_SIDE, 176, 128, 48),
    "ear": (SKIN_SIDE, 224, 128, 128),
    "plain": (SKIN_SIDE, 352, 32, 32),
}
CROWDING = 0.35  # how much finer the texture is at the face's midline than at the back
RELIEF_SCALE = 2


def _crowd(s: np.ndarray) -> np.ndarray:
    return s / (1 + CROWDING * s)


def skin_uv(s: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return places (n, 2) of surface coordinates on the skin's chart."""
    u = 0.5 + 0.5 * np.sign(s) * _crowd(np.abs(s)) / _crowd(np.array(S_MAX))
    v = (T_TOP - t) / (T_TOP - T_BOTTOM)
    return (np.stack([u, v], -1) * SKIN_SIDE - 0.5).astype(np.float32)


def hair_uv(s: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return places (n, 2) of surface coordinates on the hair's chart."""
    u = skin_uv(s, t)[..., 0]
    v = HAIR_TOP + np.clip((HAIR_T[0] - t) / (HAIR_T[0] - HAIR_T[1]), 0, 1) * (HAIR_HEIGHT - 2)
    return np.stack([u, v], -1).astype(np.float32)


def tile_uv(name: str, place: np.ndarray) -> np.ndarray:
    """Return places (n, 2) of positions 0-1 on a tile."""
    left, top, width, height = TILES[name]
    return (np.array([left, top]) + 0.5 + np.clip(place, 0, 1) * (width - 2, height - 2)).astype(np.float32)


@dataclass(frozen=True)
class Texels:
    """For every pixel of the skin's chart (h, w): surface coordinates and the place on the mean head."""

    s: np.ndarray
    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray

    @property
    def density(self) -> float:
        """Pixels per eye distance near the midline."""
        return float(1 / (self.s[0, self.s.shape[1] // 2 + 1] - self.s[0, self.s.shape[1] // 2]))


@lru_cache(maxsize=2)
def texels(side: int = SKIN_SIDE) -> Texels:
    """Return the map of the skin's chart at `side` pixels."""
    place = (np.arange(side) + 0.5) / side
    q = np.abs(2 * place - 1) * _crowd(np.array(S_MAX))
    s = np.sign(2 * place - 1) * q / (1 - CROWDING * q)
    t = T_TOP - place * (T_TOP - T_BOTTOM)
    points = surface_grid(s, t).astype(np.float32)
    grid_t, grid_s = np.meshgrid(t.astype(np.float32), s.astype(np.float32), indexing="ij")
    return Texels(grid_s, grid_t, points[..., 0], points[..., 1], points[..., 2])


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """Return linear light for sRGB values 0-1."""
    srgb = np.asarray(srgb, float)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def noise(rng: np.random.Generator, shape: tuple[int, int], width: float, height: float | None = None) -> np.ndarray:
    """Return smooth noise of mean 0 and deviation 1; `width` (and `height`) is the grain in pixels."""
    sizes = np.array([width if height is None else height, width])
    coarse = np.maximum(1, np.floor(sizes / 2.5)).astype(int)  # coarse grain needs no fine field
    small = -(-np.array(shape) // coarse)
    fine = rng.standard_normal((small[0], small[1]), np.float32)
    field = cv2.GaussianBlur(fine, (0, 0), sizes[1] / coarse[1], sigmaY=sizes[0] / coarse[0])
    if coarse.max() > 1:
        field = cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def polyline_distance(x: np.ndarray, y: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the distance of every (x, y) to a polyline (k, 2)."""
    nearest = np.full(x.shape, 1e9, np.float32)
    for (x0, y0), (x1, y1) in pairwise(points):
        dx, dy = x1 - x0, y1 - y0
        along = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy + 1e-12), 0, 1)
        nearest = np.minimum(nearest, np.hypot(x - x0 - along * dx, y - y0 - along * dy))
    return nearest
