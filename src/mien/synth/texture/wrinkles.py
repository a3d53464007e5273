"""Furrows of the skin: those that action units fold, those that age leaves, and the grain of pores.

A furrow is a height (eye distances) on the skin's chart; its slope bends the light, its bottom is darker. Weights
rise with the action units of the same side and with age.
"""

from functools import lru_cache

import cv2
import numpy as np

from mien.labels import AUS
from mien.synth.geometry.bumps import bell, spot, step
from mien.synth.geometry.chart import EYE_HALF, EYE_X, MOUTH_HALF, MOUTH_T
from mien.synth.person import Person
from mien.synth.texture.atlas import RELIEF_SCALE, SKIN_SIDE, Texels, noise, polyline_distance, texels

SIDE = SKIN_SIDE // RELIEF_SCALE

# furrow: (share that age adds, {AU: share at intensity 5})
DRIVERS: dict[str, tuple[float, dict[int, float]]] = {
    "forehead inner": (0.5, {1: 1.0, 2: 0.25}),
    "forehead outer": (0.45, {2: 1.0, 1: 0.15}),
    "frown": (0.5, {4: 1.0, 9: 0.35}),
    "nose root": (0.1, {9: 1.0, 10: 0.15, 4: 0.1}),
    "nasolabial": (0.75, {12: 0.75, 9: 0.75, 10: 0.7, 6: 0.3, 15: 0.2, 20: 0.25, 25: 0.05}),
    "marionette": (0.6, {15: 0.9, 17: 0.35, 20: 0.3}),
    "crow": (0.5, {6: 1.0, 12: 0.25, 7: 0.2}),
    "lower lid": (0.4, {6: 0.8, 7: 0.8, 12: 0.2, 9: 0.3}),
    "chin": (0.05, {17: 1.0, 15: 0.1}),
    "dimple": (0.0, {14: 1.0, 12: 0.35, 20: 0.4}),
    "lip lines": (0.35, {18: 0.8, 23: 0.5, 24: 0.4}),
}


def _furrow(distance: np.ndarray, width: float, depth: float) -> np.ndarray:
    """Return a groove with soft shoulders."""
    return -depth * np.exp(-((distance / width) ** 2)) + 0.45 * depth * np.exp(-((distance / (2.4 * width)) ** 2))


def _heights(m: Texels) -> dict[str, np.ndarray]:
    a, y, over = np.abs(m.x), m.y, m.t - MOUTH_T
    outer = EYE_X + EYE_HALF
    rows = [0.58 + 0.145 * k for k in range(4)]
    bend = 0.04 * np.cos(2.2 * a) + 0.012 * np.sin(7 * m.x)
    uneven = 0.62 + 0.38 * noise(np.random.default_rng(3), a.shape, 0.16 * m.density)
    lines = sum(_furrow(y + bend - r, 0.026, 0.014 - 0.0015 * k) for k, r in enumerate(rows)) * np.clip(uneven, 0.1, 1)
    rays = [
        ((outer + 0.09, 0.02 + 0.05 * k), (outer + 0.30 - 0.03 * abs(k), 0.03 + 0.13 * k))
        for k in (-1.5, -0.5, 0.5, 1.4)
    ]
    crow = sum(
        _furrow(polyline_distance(a, y, np.array(r)), 0.016, 0.012) * step(a, outer + 0.02, outer + 0.1) for r in rays
    )
    fold = np.array([[0.27, -0.55], [0.34, -0.68], [0.45, -0.84], [0.55, -1.00], [0.585, -1.12]])
    under = np.array([[0.30, -0.10], [0.42, -0.165], [0.58, -0.165], [0.72, -0.09]])
    frown = _furrow(np.abs(a - 0.10 - 0.06 * (y - 0.3)), 0.026, 0.026) * bell(y, 0.31, 0.15)
    root = sum(_furrow(y - r + 0.35 * a, 0.018, 0.012) for r in (0.06, -0.02, -0.10)) * bell(a, 0.07, 0.11)
    puckers = sum(_furrow(np.abs(m.x - c), 0.012, 0.008) for c in np.linspace(-0.3, 0.3, 9))
    grain = noise(np.random.default_rng(7), a.shape, 2.6)
    droop = np.array([[0.475, -0.04], [0.52, -0.18], [0.525, -0.34]])
    boss = _furrow(over + 0.30 + 0.25 * a * a, 0.035, 0.02) * bell(a, 0, 0.26)
    return {
        "forehead inner": lines * bell(a, 0.1, 0.42) * step(y, 0.42, 0.56) * step(y, 1.2, 1.0),
        "forehead outer": lines * bell(a, 0.68, 0.30) * step(y, 0.44, 0.60) * step(y, 1.15, 0.95),
        "frown": frown + 0.3 * _furrow(y - 0.10, 0.03, 0.02) * bell(a, 0, 0.1),
        "nose root": root,
        "nasolabial": _furrow(polyline_distance(a, y, fold), 0.04, 0.022) * step(y, -0.5, -0.62) * step(y, -1.2, -1.08),
        "marionette": _furrow(polyline_distance(a, over, droop), 0.032, 0.015),
        "crow": crow,
        "lower lid": _furrow(polyline_distance(a, y, under), 0.020, 0.014),
        "chin": 0.007 * grain * spot(a, over, (0, -0.50), (0.26, 0.17)) + boss,
        "dimple": _furrow(np.hypot(a - MOUTH_HALF - 0.085, 0.55 * over), 0.035, 0.03),
        "lip lines": puckers * (bell(over, 0.2, 0.07) + 0.8 * bell(over, -0.24, 0.06)),
    }  # fmt: skip


def slopes(height: np.ndarray, m: Texels) -> np.ndarray:
    """Return (h, w, 3): slope along s, slope upwards, and how dark 0-1 the bottom of a groove is."""
    along = np.gradient(height, m.s[0], axis=1)
    up = np.gradient(height, m.t[:, 0], axis=0)
    around = cv2.GaussianBlur(height.astype(np.float32), (0, 0), 0.06 * m.density)
    dark = np.clip((around - height) / 0.030, 0, 0.8)
    return np.stack([along, up, dark], -1).astype(np.float32)


@lru_cache(maxsize=1)
def furrow_maps() -> tuple[np.ndarray, tuple[slice, slice]]:
    """Return maps (2 · len(DRIVERS), h · w · 3), left halves first, on a window of the skin's chart, and the window."""
    m = texels(SIDE)
    rows = np.flatnonzero((m.t[:, 0] < 1.3) & (m.t[:, 0] > -1.75))
    columns = np.flatnonzero(np.abs(m.s[0]) < 1.35)
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    left = step(m.s, -0.06, 0.06)[window][..., None]
    face = (m.z > -0.6)[..., None]
    maps = [(slopes(h, m) * face)[window] for h in _heights(m).values()]
    halves = [d * left for d in maps] + [d * (1 - left) for d in maps]
    return np.stack([h.ravel() for h in halves]).astype(np.float32), window


def weights(aus: np.ndarray, wrinkled: float) -> np.ndarray:
    """Return how deep (2 · len(DRIVERS),) the action units (21, 2) 0-5 fold every furrow, on skin aged 0-1."""
    level = {au: aus[i] / 5 for i, au in enumerate(AUS)}
    strength = 0.62 + 0.65 * wrinkled
    each = [
        strength * np.minimum(sum((share * level[au] for au, share in by.items()), np.zeros(2)), 1.25)
        for _, by in DRIVERS.values()
    ]
    return np.array(each).T.ravel().astype(np.float32)


def resting(person: Person) -> np.ndarray:
    """Return the relief (SIDE, SIDE, 3) that the skin always has: pores, coarser grain and furrows of age."""
    rng = np.random.default_rng((person.seed, 0xB0B))
    height = 0.0011 * noise(rng, (SIDE, SIDE), 0.8) + 0.0022 * person.wrinkled * noise(rng, (SIDE, SIDE), 2.0)
    m = texels(SIDE)
    total = slopes(height * (m.t > -2.6), m) * np.array([1, 1, 0.5], np.float32)
    aged = 0.75 * person.wrinkled * np.array([share for share, _ in DRIVERS.values()], np.float32)
    return _fold(total, np.concatenate([aged, aged]))


def _fold(total: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Add furrows by `share` (2 · len(DRIVERS),) to a relief, in place."""
    maps, window = furrow_maps()
    part = total[window]
    for k in np.flatnonzero(share > 0.01):
        part += share[k] * maps[k].reshape(part.shape)
    return total


def relief(static: np.ndarray, aus: np.ndarray, wrinkled: float) -> np.ndarray:
    """Return the skin's relief (SIDE, SIDE, 3) under an expression."""
    return _fold(static.copy(), weights(aus, wrinkled))
