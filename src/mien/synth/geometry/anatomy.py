"""From the mean head to one person's neutral skin: relief of brow, nose, lips and chin, then the proportions.

The functions take canonical coordinates: x and y of the mean head (eye distances), where every feature has its one
place for all people; so paint, landmarks and motion find it there too.
"""

import numpy as np

from mien.synth.geometry.bumps import bell, spot, step
from mien.synth.geometry.chart import EYE_X, MOUTH_HALF, MOUTH_T, Chart
from mien.synth.geometry.skull import spline_matrix
from mien.synth.person import Shape

NOSE_BASE = -0.72
NOSE_PROFILE = {
    0.34: 0.0,
    0.12: 0.015,
    0.0: 0.055,
    -0.2: 0.15,
    -0.38: 0.255,
    -0.5: 0.32,
    -0.58: 0.29,
    -0.66: 0.13,
    -0.74: 0.0,
}


def upper_border(x: np.ndarray) -> np.ndarray:
    """Return the height of the red of the upper lip over the line between the lips: the cupid's bow."""
    a = np.abs(x) / MOUTH_HALF
    bow = 0.138 * np.clip(1 - a**1.9, 0, None) ** 0.8
    return bow - 0.024 * bell(a, 0, 0.13) + 0.006 * bell(a, 0.24, 0.12)


def lower_border(x: np.ndarray) -> np.ndarray:
    """Return the depth of the red of the lower lip beneath the line between the lips."""
    a = np.abs(x) / MOUTH_HALF
    return 0.172 * np.clip(1 - a**2.3, 0, None) ** 0.75


def _nose_profile(y: np.ndarray) -> np.ndarray:
    knots = np.array(sorted(NOSE_PROFILE))
    values = np.array([NOSE_PROFILE[float(k)] for k in knots])
    inside = np.clip(y, knots[0], knots[-1])
    return np.maximum(spline_matrix(knots, inside) @ values, 0)


def nose_relief(x: np.ndarray, y: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the forward offset (n,) of the nose: ridge, tip, wings and columella, smoothly united, less nostrils."""
    y = y + 0.03 * shape.nose_turn * step(y, -0.1, -0.5) * step(y, -0.85, -0.65)
    a = np.abs(x)
    wing = 1 + 0.13 * shape.nose_width
    forward = 1 + 0.13 * shape.nose_forward
    width = (0.118 + 0.035 * step(y, -0.1, -0.5)) * (1 + 0.10 * shape.bridge_width)
    bridge = np.clip(1 + 0.30 * shape.nose_bridge * step(y, -0.45, -0.05), 0.3, 2)
    ridge = _nose_profile(y) * bridge * forward + 0.02 * shape.nose_hump * spot(x, y, (0, -0.18), (0.12, 0.14))
    parts = [
        ridge * np.exp(-((a / width) ** 1.8)),
        0.355
        * forward
        * np.exp(-(((x / (0.135 * (1 + 0.1 * shape.nose_tip))) ** 2 + ((y + 0.535) / 0.115) ** 2) ** 1.15)),
        0.20 * np.exp(-((((a - 0.178 * wing) / 0.085) ** 2 + ((y + 0.61) / 0.098) ** 2) ** 1.2)),
        0.23 * forward * np.exp(-((x / 0.045) ** 2) - ((y + 0.655) / 0.055) ** 2),
        0.05 * spot(a, y, (0.12, -0.40), (0.12, 0.16)),
    ]
    softness = 0.022
    union = softness * (np.log(np.sum([np.exp(p / softness) for p in parts], axis=0)) - np.log(len(parts)))
    nostril = spot(a, y, (0.092 * wing, -0.672), (0.048, 0.026))
    crease = spot(a, y, (0.285 * wing, -0.63), (0.03, 0.09))
    return union - 0.07 * nostril - 0.018 * crease


def lip_relief(x: np.ndarray, y: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the forward offset (n,) of muzzle, both lips, philtrum and the hollows at the corners."""
    over = y - MOUTH_T
    a = np.abs(x)
    taper = np.clip(1 - (a / (MOUTH_HALF + 0.02)) ** 2, 0, 1) ** 0.7
    upper, lower = 1 + 0.2 * shape.upper_lip, 1 + 0.2 * shape.lower_lip
    relief = 0.05 * np.exp(-((a / 0.42) ** 4)) * bell(over, 0, 0.3) * (1 + 0.35 * shape.lip_forward)
    relief += taper * np.where(over > 0, 0.068 * upper * bell(over, 0.062, 0.062), 0)
    relief += taper * np.where(over > 0, 0.012 * bell(over, 0.15, 0.03), 0)
    relief += taper * np.where(over <= 0, 0.105 * lower * bell(over, -0.082, 0.068), 0)
    relief += taper * (0.02 * bell(x, 0, 0.08) * bell(over, 0.05, 0.05) - 0.035 * bell(over, 0, 0.02))
    philtrum = bell(a, 0.085, 0.035) - 1.2 * bell(a, 0, 0.05)
    relief += 0.014 * philtrum * bell(over, 0.235, 0.08)
    relief -= 0.035 * spot(a, over, (MOUTH_HALF + 0.03, 0.005), (0.06, 0.05))
    return relief - 0.03 * spot(a, over, (0, -0.285), (0.3, 0.07))


def eye_relief(x: np.ndarray, y: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the forward offset (n,) of the sockets, the brow ridges, and the bags beneath the eyes."""
    a = np.abs(x)
    deep = 1 + 0.16 * shape.eye_depth
    relief = -0.105 * deep * spot(a, y, (EYE_X, 0.02), (0.28, 0.17))
    relief -= 0.05 * deep * spot(a, y, (0.22, 0.05), (0.09, 0.14))
    relief += (0.03 + 0.018 * shape.brow_ridge) * spot(a, y, (0.42, 0.27), (0.34, 0.09))
    relief += 0.012 * max(0.0, shape.brow_ridge) * spot(a, y, (0, 0.27), (0.2, 0.08))
    bags = max(0.0, 0.4 + 0.5 * shape.lid_bags)
    return relief + 0.014 * bags * (spot(a, y, (0.48, -0.17), (0.2, 0.045)) - spot(a, y, (0.46, -0.27), (0.22, 0.05)))


def cheek_relief(x: np.ndarray, y: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the forward offset (n,) of cheekbones, cheeks, chin and forehead."""
    a = np.abs(x)
    relief = (0.025 + 0.02 * shape.cheekbone) * spot(a, y, (0.74, -0.30), (0.24, 0.16))
    relief += (0.01 + 0.03 * shape.cheek_fullness) * spot(a, y, (0.62, -0.80), (0.3, 0.3))
    relief += (0.055 + 0.02 * shape.chin_forward) * spot(x, y, (0, -1.60), (0.26, 0.16))
    relief += 0.035 * shape.chin_forward * spot(x, y, (0, -1.7), (0.5, 0.35))
    relief += 0.035 * shape.forehead_slope * spot(x, y, (0, 0.85), (0.8, 0.4))
    return relief - 0.02 * max(0.0, -shape.cheek_fullness) * spot(a, y, (0.72, -0.75), (0.2, 0.3))


def proportions(points: np.ndarray, s: np.ndarray, shape: Shape) -> np.ndarray:
    """Return points (n, 3) widened, lengthened and shifted to the person's proportions; the eyes stay in place."""
    x, y, z = points.T
    a = np.abs(x)
    away = step(a, 0.75, 1.1)  # widths must leave the eyes' distance alone
    low = step(y, -0.25, -0.9)
    wide = 1 + 0.048 * shape.face_width * np.maximum(away, low)
    wide += 0.048 * shape.jaw_width * bell(y, -1.35, 0.38) * step(y, -2.1, -1.9)
    wide += 0.07 * shape.chin_width * bell(y, -1.78, 0.22) * bell(a, 0, 0.8) * step(y, -2.1, -1.9)
    wide += 0.025 * shape.cheekbone * bell(y, -0.35, 0.3) * away
    wide += 0.03 * shape.cheek_fullness * bell(y, -0.9, 0.35)
    wide += 0.025 * shape.temple * bell(y, 0.45, 0.35) * away
    wide += (0.07 * shape.neck_width) * step(y, -1.75, -2.2) * step(-z, 0.2, 0.6)
    front = step(np.abs(s), 1.9, 1.2)
    drop = 0.06 * shape.face_length * step(y, -0.1, -1.9) * 1.6
    drop += 0.05 * shape.nose_length * step(y, -0.1, -0.6) * step(y, -1.2, -0.8) * front
    drop += 0.042 * shape.mouth_height * spot(x, y, (0, MOUTH_T), (0.6, 0.28)) * front
    drop += 0.055 * shape.chin_length * step(y, -1.2, -1.8)
    drop += 0.03 * max(0.0, shape.jaw_drop) * spot(a, y, (0.62, -1.4), (0.22, 0.2))
    lift = 0.056 * shape.brow_height * spot(a, y, (0.5, 0.36), (0.5, 0.22)) * step(y, 0.08, 0.25) * front
    lift += 0.07 * shape.forehead_height * step(y, 0.4, 1.4)
    lift += 0.018 * shape.brow_side * np.sign(x) * spot(a, y, (0.55, 0.36), (0.4, 0.2)) * step(y, 0.08, 0.25) * front
    lift += 0.009 * shape.mouth_side * x / MOUTH_HALF * spot(x, y, (0, MOUTH_T), (0.6, 0.28)) * front
    sideways = 0.018 * shape.nose_side * spot(x, y, (0, -0.5), (0.3, 0.35)) * front
    mouth = 0.09 * shape.mouth_width * spot(a, y, (0.3, MOUTH_T), (0.35, 0.2)) * front
    return np.stack([x * wide * (1 + mouth) + sideways, y - drop + lift, z], axis=1)


def neutral_skin(chart: Chart, shape: Shape) -> np.ndarray:
    """Return the skin's vertices (n, 3) of a person at rest with the lids closed; rolls lie on their margins."""
    x, y = chart.mean[:, 0], chart.mean[:, 1]
    front = step(np.abs(chart.s), 1.7, 1.2) * (chart.t > -2.2)
    relief = nose_relief(x, y, shape) + lip_relief(x, y, shape) + eye_relief(x, y, shape) + cheek_relief(x, y, shape)
    points = chart.mean.copy()
    points[:, 2] += relief * front
    over, a = y - MOUTH_T, np.abs(x)
    lips = bell(over, 0, 0.25) * front
    points[:, 1] += lips * (-0.004 + 0.014 * shape.corner_lift) * np.minimum(a / MOUTH_HALF, 1.25) ** 2
    points[:, 1] -= 0.012 * spot(x, over, (0, 0), (0.1, 0.1))
    # the tip of the nose hangs over its underside
    points[:, 1] -= 0.035 * spot(x, y, (0, -0.56), (0.16, 0.09)) * front
    upper = over / 0.12 * step(over, 0.34, 0.1) * (over > 0)
    lower = over / 0.17 * step(-over, 0.4, 0.15) * (over <= 0)
    taper = np.clip(1 - (a / MOUTH_HALF) ** 2, 0, 1)
    points[:, 1] += front * taper * (0.026 * shape.upper_lip * upper + 0.028 * shape.lower_lip * lower)
    points[:, 1] += front * 0.012 * shape.cupid * spot(a, over, (0.09, 0.13), (0.06, 0.06))
    return proportions(points, chart.s, shape)
