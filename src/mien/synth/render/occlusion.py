"""How much of the sky each vertex sees: ambient occlusion from depth maps out of many directions, once a person."""

import numpy as np

from mien.synth.render.raster import rasterize

SIDE = 144


def directions(count: int) -> np.ndarray:
    """Return unit vectors (count, 3) spread evenly over the directions a camera or sky in front can have."""
    k = np.arange(count) + 0.5
    z = 1 - k / count * 1.45
    turn = np.pi * (1 + 5**0.5) * k
    r = np.sqrt(np.clip(1 - z * z, 0, 1))
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], 1)


def view_axes(direction: np.ndarray) -> np.ndarray:
    """Return axes (3, 3), rows right, down, towards, of a camera that looks against `direction`."""
    side = np.cross([0.0, 1.0, 0.0] if abs(direction[1]) < 0.9 else [0.0, 0.0, 1.0], direction)
    side /= np.linalg.norm(side)
    return np.stack([side, -np.cross(direction, side), direction])


def sky_share(points: np.ndarray, normals: np.ndarray, faces: np.ndarray, count: int = 28) -> np.ndarray:
    """Return (n,) 0-1: the cosine-weighted share of directions from which each vertex is seen."""
    middle = (points.max(0) + points.min(0)) / 2
    scale = SIDE * 0.48 / np.linalg.norm(points - middle, axis=1).max()
    depth = np.empty((SIDE, SIDE), np.float32)
    seen, bary = np.empty((SIDE, SIDE), np.int32), np.empty((SIDE, SIDE, 2), np.float32)
    opaque, one = np.zeros(len(faces), np.uint8), np.zeros(1, np.float32)
    blank = np.zeros((2, 2, 1), np.float32)
    hits, total = np.zeros(len(points)), np.full(len(points), 1e-6)
    for direction in directions(count):
        screen = ((points - middle) @ view_axes(direction).T * scale + (SIDE / 2, SIDE / 2, 0)).astype(np.float32)
        rasterize(screen, faces, opaque, one, np.zeros((1, 2), np.float32), blank, depth, seen, bary)
        px = np.clip(screen[:, :2].astype(int), 0, SIDE - 1)
        facing = np.maximum(normals @ direction, 0)
        tolerance = 1.2 + 2.5 * (1 - facing)
        visible = np.clip(1 - (depth[px[:, 1], px[:, 0]] - screen[:, 2] - tolerance) / 2.0, 0, 1)
        hits += facing * visible
        total += facing
    return (hits / total).astype(np.float32)
