"""Eyeballs, lids that slide over them, and lashes.

A ball a little larger than the anatomical one stands for eyeball and conjunctiva together, so that it fills the
opening up to both corners; a turn is scaled so that the iris moves as far as it does on the anatomical ball.
"""

import numpy as np

from mien.synth.geometry.bumps import bell, smooth_max, step
from mien.synth.geometry.chart import EYE_HALF, EYE_X, Chart, Slit
from mien.synth.person import Shape

BALL_RADIUS = 0.26
TRUE_RADIUS = 0.19  # 12 mm
IRIS_RADIUS = 0.093
BALL_EXTENT = np.radians(95.0)  # how far from its pole the ball is meshed
LID_THICKNESS = 0.028
RINGS, SECTORS = 12, 28
LASHES = 26


def ball_mesh() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return unit-ball points (k, 3) with the pole at +z, their place (k, 2) on the unit disc, and triangles."""
    ring = np.linspace(0, 1, RINGS + 1)[:, None] * np.ones(SECTORS + 1)
    turn = np.ones(RINGS + 1)[:, None] * np.linspace(0, 2 * np.pi, SECTORS + 1)
    polar = ring * BALL_EXTENT
    points = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], -1)
    disc = np.stack([ring * np.cos(turn), ring * np.sin(turn)], -1)
    i = np.arange(RINGS)[:, None] * (SECTORS + 1) + np.arange(SECTORS)
    j = i + SECTORS + 1
    faces = np.stack([np.stack([i, j, i + 1], -1), np.stack([i + 1, j, j + 1], -1)], 2).reshape(-1, 3)
    return points.reshape(-1, 3), disc.reshape(-1, 2), faces


def ball_center(neutral: np.ndarray, slit: Slit) -> np.ndarray:
    """Return the centre (3,) of the ball behind the closed lids of a person at rest."""
    corners = neutral[slit.upper.margin[[0, -1]]]
    return np.array([corners[:, 0].mean(), corners[:, 1].mean() + 0.026, corners[:, 2].mean() + 0.082 - BALL_RADIUS])


def turn_ball(points: np.ndarray, gaze: tuple[float, float]) -> np.ndarray:
    """Return ball points (k, 3) turned by gaze in degrees (x right of the image, y up)."""
    scale = TRUE_RADIUS / BALL_RADIUS
    h, v = np.arcsin(np.clip(np.sin(np.radians(gaze)) * scale, -0.9, 0.9))
    up = np.array([[1, 0, 0], [0, np.cos(v), np.sin(v)], [0, -np.sin(v), np.cos(v)]])
    right = np.array([[np.cos(h), 0, np.sin(h)], [0, 1, 0], [-np.sin(h), 0, np.cos(h)]])
    return points @ (right @ up).T


def lid_vertices(chart: Chart, side: int) -> np.ndarray:
    """Return the indices of all skin vertices that the lids of one eye may move."""
    x, y = chart.mean[:, 0] * side, chart.mean[:, 1]
    return np.flatnonzero((np.abs(x - EYE_X) < 0.42) & (np.abs(y) < 0.42) & (np.abs(chart.s) < 1.5))


def set_lids(
    points: np.ndarray, chart: Chart, side: int, rows: np.ndarray, center: np.ndarray, shape: Shape,
    opening: tuple[float, float],
) -> None:  # fmt: skip
    """Open the lids of one eye in place: slide the skin (n, 3) along the ball and lay it over the ball."""
    x, y = chart.mean[rows, 0] * side, chart.mean[rows, 1]
    over = chart.above_eye[rows]
    u = (x - EYE_X) / EYE_HALF
    arc = np.clip(1 - u**2, 0, 1)
    lift = opening[0] * arc**0.62 * (1 - 0.10 * u) * np.exp(-((y / 0.16) ** 2))
    sink = opening[1] * arc**0.75 * (1 + 0.14 * u) * np.exp(-((y / 0.13) ** 2))
    near = bell(x, EYE_X, 0.34) * bell(y, 0, 0.22)
    place = points[rows]
    place[:, 1] += np.where(over, lift, -sink) + near * (0.020 + 0.022 * shape.eye_tilt) * np.clip(u, -1.3, 1.3)
    place[:, 0] += side * near * 0.014 * shape.eye_width * np.clip(u, -1.3, 1.3)
    radius = BALL_RADIUS + LID_THICKNESS
    reach = radius**2 - (place[:, 0] - center[0]) ** 2 - (place[:, 1] - center[1]) ** 2
    on_ball = center[2] + np.sqrt(np.clip(reach, 1e-9, None))
    laid = smooth_max(place[:, 2], on_ball, 0.012)
    share = step(reach, 0, 0.02)
    place[:, 2] += share * (laid - place[:, 2])
    # the fold of skin above the lid plate, heavier in some people
    fold = (0.016 - 0.012 * shape.lid_fold) * np.exp(-(((y - 0.17) / 0.06) ** 2)) * bell(u, 0.1, 0.9)
    place[:, 2] += fold
    points[rows] = place


def hang_lid_rolls(points: np.ndarray, slit: Slit, center: np.ndarray) -> None:
    """Place in place what lies behind both lid margins: towards the centre of the ball, into it."""
    for roll in (slit.upper, slit.lower):
        margin = points[roll.margin]
        inward = center - margin
        inward /= np.linalg.norm(inward, axis=1, keepdims=True)
        for row, depth in zip(roll.rows, (0.045, 0.14), strict=True):
            points[row] = margin + depth * inward


def lid_shadow(ball: np.ndarray, points: np.ndarray, slit: Slit) -> np.ndarray:
    """Return how open to light (k,) 0-1 the ball's points are beneath the lids' margins."""
    upper, lower = points[slit.upper.margin], points[slit.lower.margin]
    top = np.interp(ball[:, 0], upper[:, 0], upper[:, 1])
    bottom = np.interp(ball[:, 0], lower[:, 0], lower[:, 1])
    shade = 0.32 + 0.68 * step(top - ball[:, 1], 0.0, 0.10)
    return shade * (0.7 + 0.3 * step(ball[:, 1] - bottom, -0.01, 0.04))


def lashes(points: np.ndarray, slit: Slit, center: np.ndarray, length: float) -> np.ndarray:
    """Return LASHES thin triangles (3·LASHES, 3) that stand on the upper margin and curve outwards."""
    margin = points[slit.upper.margin]
    place = np.linspace(0.06, 0.96, LASHES) * (len(margin) - 1)
    roots = np.stack([np.interp(place, np.arange(len(margin)), margin[:, k]) for k in range(3)], 1)
    out = roots - center
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    lateral = abs(roots[:, 0]) - abs(center[0])
    side = np.sign(center[0])
    grow = length * (0.6 + 0.5 * step(lateral, -0.2, 0.2))[:, None]
    tips = roots + grow * (
        0.75 * out + np.stack([side * 1.2 * lateral, np.full(LASHES, 0.35), np.full(LASHES, 0.1)], 1)
    )
    half = np.array([0.006, 0, 0])
    return np.stack([roots - half, roots + half, tips], 1).reshape(-1, 3)
