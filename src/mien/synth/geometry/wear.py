"""What people wear or hold before their face: glasses, a hat, a mask, a hand.

Everything keeps its place on the head. Shapes are in head axes, eye distances.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mien.synth.geometry.bumps import step
from mien.synth.geometry.chart import Chart, quads
from mien.synth.person import Person

OCCLUDERS = ("none", "hat", "mask", "hand")
TUBE = 8  # sides of a frame's cross-section


@dataclass(frozen=True)
class Thing:
    """A rigid piece: points (k, 3), triangles, and the name of its material."""

    points: np.ndarray
    faces: np.ndarray
    material: str


def _tube(path: np.ndarray, radius: float, closed: bool, flat: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return a tube along `path` (k, 3); `flat` stretches its cross-section sideways in the picture plane."""
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    side = np.cross(ahead, np.broadcast_to([0.0, 0.0, 1.0], ahead.shape))
    length = np.linalg.norm(side, axis=1, keepdims=True)
    side = np.where(length > 0.2, side / np.maximum(length, 1e-6), [0.0, 1.0, 0.0])
    over = np.cross(side, ahead)
    turn = np.linspace(0, -2 * np.pi, TUBE + 1)  # so that normals point outwards
    ring = side[:, None] * np.cos(turn)[None, :, None] * flat + over[:, None] * np.sin(turn)[None, :, None]
    points = path[:, None] + radius * ring
    if closed:
        points = np.concatenate([points, points[:1]])
    index = np.arange(points.shape[0] * points.shape[1]).reshape(points.shape[:2])
    return points.reshape(-1, 3), quads(index[:-1], index[1:])


def _rim(style: str, side: int, center: np.ndarray) -> np.ndarray:
    """Return the outline (k, 3) of one lens."""
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    power, width, height = {
        "round": (2.0, 0.36, 0.34), "square": (4.0, 0.40, 0.27), "browline": (3.0, 0.39, 0.29),
        "sun": (2.8, 0.44, 0.34),
    }[style]  # fmt: skip
    c, s = np.cos(turn), np.sin(turn)
    r = (np.abs(c) ** power + np.abs(s) ** power) ** (-1 / power)
    x, y = r * c * width, r * s * height
    x = x * (1 + 0.06 * np.sin(np.arctan2(y, x)))
    z = -0.42 * np.clip(x, 0, None) ** 2 - 0.10 * x
    return np.stack([side * (center[0] + x), center[1] + y, center[2] + z], 1)


def glasses(person: Person, rest: np.ndarray, chart: Chart) -> list[Thing]:
    """Return frame and, for sunglasses, lenses, set before the resting face; nothing for a person without."""
    style = person.glasses
    if style == "none":
        return []
    front = rest[: chart.grid_size]
    at_nose = (np.abs(chart.mean[: chart.grid_size, 0]) < 0.16) & (
        np.abs(chart.mean[: chart.grid_size, 1] + 0.12) < 0.1
    )
    near_eye = (
        (np.abs(np.abs(front[:, 0]) - 0.5) < 0.42)
        & (np.abs(front[:, 1]) < 0.34)
        & (np.abs(chart.s[: chart.grid_size]) < 1.4)
    )
    depth = max(float(front[at_nose, 2].max()) - 0.06, float(front[near_eye, 2].max()) + 0.01)
    center = np.array([0.50, -0.055, depth])
    thick = {"round": 0.016, "square": 0.030, "browline": 0.022, "sun": 0.030}[style]
    things: list[Thing] = []
    for side in (1, -1):
        rim = _rim(style, side, center)
        points, faces = _tube(rim, thick, True)
        if style == "browline":
            points[:, 1] += 0.03 * step(points[:, 1], center[1] + 0.08, center[1] + 0.2)
        things.append(Thing(points, faces, "frame"))
        hinge = rim[np.argmax(side * rim[:, 0])] + (0, 0.06, 0)
        ear = np.array([side * (1.21 + 0.05 * person.shape.face_width), 0.05, -1.1])
        middle = np.array([max(abs(hinge[0]), abs(ear[0]) - 0.02) * side, hinge[1], hinge[2] - 0.25])
        temple = np.array([hinge, (hinge + middle) / 2, middle, (middle + ear) / 2, ear])
        things.append(Thing(*_tube(temple, 0.022, False), "frame"))
        if style == "sun":
            middle_point = rim.mean(0) + np.array([0, 0, 0.03])
            fan = np.concatenate([middle_point[None], rim])
            index = np.arange(1, len(rim) + 1)
            things.append(Thing(fan, np.stack([np.zeros_like(index), index, np.roll(index, -1)], 1), "lens"))
    across = np.linspace(-1, 1, 9)
    bridge = np.stack(
        [0.145 * across, center[1] + 0.07 + 0.05 * (1 - across**2), center[2] + 0.02 + 0.05 * (1 - across**2)], 1
    )
    things.append(Thing(*_tube(bridge, thick * 0.9, False), "frame"))
    return things


def bridged_skin(chart: Chart, rest: np.ndarray) -> np.ndarray:
    """Return the skin (n, 3) as cloth would span it: hollows bridged, nose and lips rounded off."""
    flat = rest.astype(np.float32).copy()
    count = chart.rows * chart.columns
    z = flat[:count, 2].reshape(chart.rows, chart.columns)
    spanned = cv2.dilate(z, np.ones((17, 9), np.uint8))
    flat[:count, 2] = np.maximum(cv2.GaussianBlur(spanned, (0, 0), 6, sigmaY=8), z - 0.03).ravel()
    return flat


def _over_skin(chart: Chart, rest: np.ndarray, inside: np.ndarray, lift: np.ndarray, material: str) -> Thing:
    """Return a cover that lies `lift` (n,) over the resting skin where `inside` (n,) is positive."""
    skin = chart.faces[: chart.skin_faces]
    kept = skin[(inside[skin] > 0).all(axis=1)]
    used, faces = np.unique(kept, return_inverse=True)
    outward = rest[used] - (0, -0.4, -1.2)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    return Thing(rest[used] + outward * lift[used, None], faces.reshape(-1, 3), material)


def hat(chart: Chart, rest: np.ndarray) -> list[Thing]:
    """Return a knitted hat pulled down to the forehead."""
    s, t = np.abs(chart.s), chart.t
    brim = np.interp(s, [0, 0.8, 1.4, 2.2, 4.3], [0.66, 0.62, 0.42, 0.18, -0.3])
    lift = (
        0.02
        + 0.14 * step(t, brim, brim + 0.08)
        + 0.05 * step(t, brim + 0.32, brim + 0.28)
        + 0.008 * np.sin(46 * chart.s)
    )
    return [_over_skin(chart, rest, t - brim, lift, "hat")]


def mask(chart: Chart, bridged: np.ndarray) -> list[Thing]:
    """Return a surgical mask from the bridge of the nose to under the chin."""
    x, y, s = np.abs(chart.mean[:, 0]), chart.mean[:, 1], np.abs(chart.s)
    top = -0.34 - 0.16 * step(s, 0.15, 1.0) - 0.12 * step(s, 0.9, 1.4)
    inside = np.minimum(np.minimum(top - y, chart.t + 2.0), 1.42 - s)
    lift = 0.02 + 0.03 * step(inside, 0.0, 0.3) + 0.012 * np.sin(34 * y) * step(x, 0.9, 0.5)
    thing = _over_skin(chart, bridged, inside, lift, "mask")
    loops = []
    for side in (1, -1):
        for height, root in ((-0.62, -0.05), (-1.05, -0.45)):
            ends = np.array(
                [[side * 1.06, height, -0.42], [side * 1.14, (height + root) / 2, -0.75], [side * 1.15, root, -1.1]]
            )
            loops.append(Thing(*_tube(ends, 0.014, False), "mask"))
    return [thing, *loops]


def hand(bridged: np.ndarray, chart: Chart, rng: np.random.Generator) -> list[Thing]:
    """Return fingers laid over a part of the face: mouth, cheek or eye."""
    spot = np.array([(0.15, -1.15), (0.62, -0.75), (0.55, -0.05)])[int(rng.integers(3))] * (rng.choice([-1, 1]), 1)
    side = 1 if spot[0] > 0 else -1
    lean = np.radians(rng.uniform(15, 55)) * side
    along, across = np.array([-np.sin(lean), np.cos(lean)]), np.array([np.cos(lean), np.sin(lean)])
    mean = chart.mean[: chart.grid_size]
    front = np.flatnonzero(np.abs(chart.s[: chart.grid_size]) < 1.6)[::7]  # a sparse sample will do
    surface = bridged[:, 2]

    def path(flat: np.ndarray) -> np.ndarray:
        nearest = [front[np.argmin(((mean[front, :2] - p) ** 2).sum(1))] for p in flat]
        z = np.convolve(np.pad(surface[nearest], 2, "edge"), np.ones(5) / 5, "valid")
        return np.stack([flat[:, 0], flat[:, 1], np.maximum(z, z.max() - 0.3) + 0.10], 1)

    things = []
    for k, length in enumerate((0.86, 1.05, 1.0, 0.74)):
        run = np.linspace(-0.5, length, 14)[:, None]
        line = path(spot + across * (k - 1.5) * 0.225 * (1 + 0.1 * run) + along * (run - 0.5))
        points, faces = _tube(line, 0.112, False)
        ring = points.reshape(len(line), TUBE + 1, 3)
        taper = np.sqrt(np.clip(1 - np.clip((run - length + 0.14) / 0.145, 0, 1) ** 2, 0, 1)) * (
            1 - 0.08 * run / length
        )
        ring = line[:, None] + taper[:, :, None] * (ring - line[:, None])
        things.append(Thing(ring.reshape(-1, 3), faces, "hand"))
    back = path(spot + along * np.linspace(-2.4, -0.85, 9)[:, None]) - (0, 0, 0.03)
    things.append(Thing(*_tube(back, 0.13, False, flat=3.4), "hand"))
    return things
