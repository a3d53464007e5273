"""The ears: a shallow shell with rim, groove and hollow, set at the side of the head."""

import numpy as np

from mien.synth.geometry.bumps import bell, step
from mien.synth.geometry.chart import quads
from mien.synth.person import Shape

RINGS, SECTORS = 9, 28


def ear(shape: Shape, side: int, anchor: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points (k, 3), triangles and places (k, 2) 0-1 on the ear's tile; `side` 1 is the person's left.

    `anchor` (3,) is the point of the head's side where the front of the ear is rooted.
    """
    ring, turn = np.meshgrid(np.linspace(0, 1, RINGS), np.linspace(0, 2 * np.pi, SECTORS), indexing="ij")
    back, up = np.cos(turn), np.sin(turn)  # in the ear's own plane: away from the face, and up
    width = 0.20 * (1 + 0.10 * step(up, -0.2, 0.8) - 0.24 * step(-up, 0.1, 1.0))
    height = 0.37
    u, v = ring * back * width, ring * up * height
    rim = 0.045 * bell(ring, 0.90, 0.10) * step(back + 0.6 * up, -0.75, 0.0) * step(up, -0.95, -0.5)
    rim += 0.03 * bell(ring, 0.52, 0.14) * step(back, -0.3, 0.4)
    rim -= 0.05 * np.exp(-(((u + 0.04) / 0.05) ** 2 + ((v + 0.04) / 0.10) ** 2))
    rim += 0.03 * np.exp(-(((u + 0.13) / 0.03) ** 2 + ((v + 0.02) / 0.05) ** 2))
    outward = np.radians(34 + 9 * shape.ear_spread)
    size = 1 + 0.07 * shape.ear_size
    away = np.array([np.sin(outward), 0.0, -np.cos(outward)])
    normal = np.array([np.cos(outward), 0.0, np.sin(outward)])
    tall = np.array([0.10, 1.0, -0.16])
    points = size * ((u + 0.15)[..., None] * away + v[..., None] * tall + rim[..., None] * normal)
    points = points.reshape(-1, 3) * (side, 1, 1) + anchor
    index = np.arange(ring.size).reshape(ring.shape)
    place = np.stack([0.5 + 0.5 * ring * back, 0.5 - 0.5 * ring * up], -1).reshape(-1, 2)
    return points, quads(index[:-1], index[1:]), place
