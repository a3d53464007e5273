"""The 68 landmarks as vertices of the skin."""

from functools import lru_cache

import numpy as np

from mien.synth.geometry.anatomy import NOSE_BASE, lower_border, upper_border
from mien.synth.geometry.chart import MOUTH_T, Slit, chart

# on the person's right (image left), x negative; mirrored for the other side
JAW = [
    (-1.21, 0.02), (-1.20, -0.33), (-1.17, -0.66), (-1.10, -0.97), (-0.96, -1.27), (-0.75, -1.53), (-0.54, -1.70),
    (-0.28, -1.80), (0, -1.83),
]  # fmt: skip
BROW = [(-0.94, 0.21), (-0.78, 0.375), (-0.57, 0.425), (-0.37, 0.395), (-0.21, 0.28)]
RIDGE = [(0, 0.08), (0, -0.11), (0, -0.29), (0, -0.47)]
BASE = [(-0.20, NOSE_BASE + 0.02), (-0.10, NOSE_BASE), (0, NOSE_BASE - 0.005)]


def _margin_point(slit: Slit, upper: bool, x: float) -> int:
    margin = (slit.upper if upper else slit.lower).margin
    return int(margin[np.argmin(np.abs(chart().mean[margin, 0] - x))])


def _surface_point(x: float, y: float) -> int:
    mesh = chart()
    distance = (mesh.mean[:, 0] - x) ** 2 + (mesh.mean[:, 1] - y) ** 2 + 9.0 * (np.abs(mesh.s) > 2.2)
    return int(np.argmin(distance[: mesh.grid_size]))


def _mirrored(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return points + [(-x, y) for x, y in reversed([p for p in points if p[0] != 0])]


@lru_cache(maxsize=1)
def landmark_vertices() -> np.ndarray:
    """Return the vertex (68,) of every landmark in the usual order."""
    mesh = chart()
    surface = _mirrored(JAW) + BROW + [(-x, y) for x, y in reversed(BROW)] + RIDGE + _mirrored(BASE)
    found = [_surface_point(x, y) for x, y in surface]
    right, left = mesh.eyes[-1], mesh.eyes[1]
    found += [int(right.upper.margin[0]), _margin_point(right, True, -0.58), _margin_point(right, True, -0.42)]
    found += [int(right.upper.margin[-1]), _margin_point(right, False, -0.42), _margin_point(right, False, -0.58)]
    found += [int(left.upper.margin[0]), _margin_point(left, True, 0.42), _margin_point(left, True, 0.58)]
    found += [int(left.upper.margin[-1]), _margin_point(left, False, 0.58), _margin_point(left, False, 0.42)]
    mouth = mesh.mouth
    outer = [(x, MOUTH_T + float(upper_border(np.array(x)))) for x in (-0.24, -0.095, 0, 0.095, 0.24)]
    under = [(x, MOUTH_T - float(lower_border(np.array(x)))) for x in (0.25, 0.11, 0, -0.11, -0.25)]
    found += [int(mouth.upper.margin[0])] + [_surface_point(x, y) for x, y in outer] + [int(mouth.upper.margin[-1])]
    found += [_surface_point(x, y) for x, y in under]
    found += [_margin_point(mouth, True, x) for x in (-0.37, -0.15, 0, 0.15, 0.37)]
    found += [_margin_point(mouth, False, x) for x in (0.15, 0, -0.15)]
    return np.array(found)
