"""What each action unit does to the skin: displacement fields over the mean face, the jaw, and how far lids open.

Fields are linear in intensity. Their sizes follow the mean landmark motion that the photofaces data set shows per
action unit (eye distances at intensity 5). Motion that pulls one lip away from the other is weighted by `_upper_lip`
or `_lower_lip`, which vanish on both sides of the slit beyond the corners of the mouth: so nothing tears there.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mien.labels import AUS
from mien.synth.geometry.bumps import bell, spot, step
from mien.synth.geometry.chart import MOUTH_HALF, MOUTH_T, Chart, chart

JAW_PIVOT = np.array([0.0, -0.42, -1.0])
JAW_ANGLE = np.radians(17.5)  # at AU26 = 5
FACE_AUS = tuple(au for au in AUS if au not in (5, 7, 43))  # those with a displacement field


@dataclass(frozen=True)
class Canon:
    """Coordinates in which the fields are written: a = |x|, and the masks at the mouth's slit."""

    x: np.ndarray
    a: np.ndarray
    y: np.ndarray
    over: np.ndarray  # y over the line between the lips
    upper_lip: np.ndarray
    lower_lip: np.ndarray
    brow: np.ndarray  # 0 on the lids, 1 from the brows up
    front: np.ndarray


def canon(mesh: Chart) -> Canon:
    """Return the coordinates of all vertices of the skin."""
    x, y = mesh.mean[:, 0], mesh.mean[:, 1]
    a, over = np.abs(x), mesh.t - MOUTH_T
    part = np.clip(1 - (a / MOUTH_HALF) ** 2, 0, 1) ** 0.6
    fade = step(np.abs(over), 0, 0.16)
    blend = part + (1 - part) * fade
    front = step(np.abs(mesh.s), 1.9, 1.3)
    return Canon(
        x, a, y, over, np.where(mesh.above, blend, 0), np.where(mesh.above, 0, blend), step(y, 0.06, 0.24), front
    )


def _brow_motion(au: int, c: Canon) -> np.ndarray:
    a, y = c.a, c.y
    if au == 1:
        dy = 0.15 * spot(a, y, (0.16, 0.36), (0.32, 0.32)) * c.brow
        return np.stack([0 * a, dy, 0 * a], 1)
    if au == 2:
        dy = 0.155 * spot(a, y, (0.74, 0.38), (0.34, 0.32)) * c.brow
        return np.stack([0 * a, dy, 0 * a], 1)
    gather = a / (a + 0.08)
    dx = -0.125 * spot(a, y, (0.46, 0.32), (0.34, 0.20)) * gather * c.brow
    dy = -0.125 * spot(a, y, (0.38, 0.34), (0.38, 0.26)) * c.brow
    dz = 0.03 * spot(a, y, (0.12, 0.30), (0.12, 0.13)) - 0.012 * spot(a, y, (0, 0.3), (0.04, 0.12))
    return np.stack([dx, dy, dz], 1)


def _cheek_motion(au: int, c: Canon) -> np.ndarray:
    a, y, over = c.a, c.y, c.over
    if au == 6:
        below = step(y, -0.04, -0.2)
        dy = 0.105 * spot(a, y, (0.62, -0.42), (0.30, 0.24)) * below
        dz = 0.055 * spot(a, y, (0.62, -0.42), (0.26, 0.20)) * below
        return np.stack([0.01 * dy, dy, dz], 1)
    if au == 9:
        dy = 0.14 * spot(a, y, (0.17, -0.56), (0.20, 0.24)) * step(y, 0.0, -0.2)
        dy += 0.07 * spot(a, over, (0.46, 0.0), (0.2, 0.22))
        dy += 0.10 * c.upper_lip * spot(a, over, (0.1, 0.10), (0.40, 0.26)) * step(y, -0.7, -0.85)
        dy -= 0.065 * spot(a, y, (0.24, 0.33), (0.28, 0.22)) * c.brow
        dz = 0.022 * spot(a, y, (0.13, -0.22), (0.10, 0.16)) + 0.02 * spot(a, y, (0.42, -0.5), (0.2, 0.16))
        return np.stack([0.02 * spot(a, y, (0.2, -0.6), (0.1, 0.1)), dy, dz], 1)
    lift = c.upper_lip * spot(a, over, (0.16, 0.08), (0.36, 0.24)) * step(y, -0.68, -0.85)
    dy = 0.115 * lift + 0.05 * spot(a, y, (0.22, -0.62), (0.15, 0.14))
    dz = 0.03 * lift * bell(over, 0.1, 0.12) + 0.03 * spot(a, y, (0.46, -0.72), (0.14, 0.17))
    dx = 0.03 * spot(a, y, (0.24, -0.62), (0.10, 0.10)) + 0.03 * lift * (a / (a + 0.1))
    return np.stack([dx, dy, dz], 1)


def _corner_motion(au: int, c: Canon) -> np.ndarray:
    a, y, over = c.a, c.y, c.over
    outward = np.clip(a / MOUTH_HALF, 0, 1.15)
    if au == 12:
        pull = spot(a, over, (0.46, -0.02), (0.27, 0.26)) * outward
        flare = spot(a, y, (0.22, -0.62), (0.11, 0.12))
        dx = 0.125 * pull + 0.035 * flare
        dy = 0.165 * spot(a, over, (0.48, 0.0), (0.22, 0.25)) + 0.045 * spot(a, over, (0, -0.02), (0.34, 0.17))
        dy += 0.03 * flare + 0.06 * spot(a, y, (0.66, -0.62), (0.26, 0.24))
        dz = 0.06 * spot(a, y, (0.66, -0.56), (0.22, 0.20)) - 0.085 * spot(a, over, (0.42, -0.02), (0.24, 0.2))
        return np.stack([dx, dy, dz - 0.03 * spot(a, over, (0, 0), (0.3, 0.16))], 1)
    if au == 14:
        tuck = spot(a, over, (0.48, -0.02), (0.14, 0.13))
        dz = -0.075 * tuck + 0.035 * spot(a, over, (0.66, 0.02), (0.13, 0.2))
        return np.stack([0.055 * tuck, 0.05 * spot(a, over, (0.44, 0), (0.18, 0.16)), dz], 1)
    if au == 15:
        dy = -0.112 * spot(a, over, (0.47, -0.06), (0.22, 0.22)) * step(a, 0.02, 0.42)
        dz = -0.02 * spot(a, over, (0.46, -0.04), (0.15, 0.15)) + 0.02 * spot(a, over, (0.52, -0.2), (0.14, 0.12))
        return np.stack([0.03 * spot(a, over, (0.46, -0.04), (0.2, 0.2)), dy, dz], 1)
    pull = spot(a, over, (0.48, -0.04), (0.28, 0.28)) * outward
    dz = -0.05 * spot(a, over, (0.35, 0), (0.25, 0.2))
    return np.stack([0.15 * pull, -0.03 * spot(a, over, (0.5, -0.05), (0.26, 0.24)), dz], 1)


def _lip_motion(au: int, c: Canon) -> np.ndarray:
    a, over = c.a, c.over
    inward = -np.clip(a / MOUTH_HALF, 0, 1.2) * spot(a, over, (0.30, 0), (0.34, 0.26))
    near = bell(over, 0, 0.2) * bell(a, 0, 0.46)
    zero = np.zeros_like(a)
    if au == 16:
        dy = -0.095 * c.lower_lip * spot(a, over, (0.1, -0.1), (0.36, 0.22))
        return np.stack([zero, dy, 0.02 * c.lower_lip * spot(a, over, (0, -0.1), (0.3, 0.12))], 1)
    if au == 18:
        dz = 0.11 * spot(a, over, (0, 0), (0.26, 0.2))
        return np.stack([0.15 * inward, 0.25 * np.clip(over, -0.15, 0.15) * near, dz], 1)
    if au == 22:
        dy = (0.065 * c.upper_lip - 0.085 * c.lower_lip) * spot(a, over, (0, 0), (0.36, 0.22))
        return np.stack([0.07 * inward, dy, 0.09 * spot(a, over, (0, 0), (0.34, 0.2))], 1)
    if au == 23:
        squeeze = np.clip(over, -0.2, 0.16) * near
        return np.stack([0.025 * inward, -0.42 * squeeze, -0.03 * near], 1)
    if au == 24:
        squeeze = np.clip(over, -0.2, 0.16) * near
        rim = 0.022 * (bell(over, 0.2, 0.08) + bell(over, -0.24, 0.08)) * bell(a, 0, 0.4)
        return np.stack([0.05 * inward, -0.34 * squeeze, rim - 0.02 * near], 1)
    if au == 17:
        boss = spot(a, over, (0, -0.54), (0.38, 0.32)) * step(over, -0.02, -0.32)
        push = bell(over, 0, 0.25) * bell(a, 0, 0.36)
        dz = 0.045 * c.lower_lip * spot(a, over, (0, -0.08), (0.3, 0.1)) + 0.03 * spot(a, over, (0, -0.5), (0.24, 0.14))
        dz -= 0.03 * spot(a, over, (0, -0.27), (0.3, 0.06))
        return np.stack([zero, 0.125 * boss + 0.04 * push, dz], 1)
    part = spot(a, over, (0, 0), (0.40, 0.24))  # AU25
    return np.stack([zero, (0.060 * c.upper_lip - 0.062 * c.lower_lip) * part, zero], 1)


def _field(au: int, c: Canon) -> np.ndarray:
    if au in (1, 2, 4):
        return _brow_motion(au, c)
    if au in (6, 9, 10):
        return _cheek_motion(au, c)
    if au == 26:  # beside the turn of the jaw: an open mouth draws its corners together
        inward = -0.05 * spot(c.a, c.over, (MOUTH_HALF, -0.05), (0.26, 0.26))
        return np.stack([inward, 0 * inward, 0 * inward], 1)
    if au in (12, 14, 15, 20):
        return _corner_motion(au, c)
    return _lip_motion(au, c)


@lru_cache(maxsize=1)
def displacement_basis() -> np.ndarray:
    """Return displacements (2 · len(FACE_AUS), 3n) float32 at intensity 5: left halves first, then right halves."""
    c = canon(chart())
    left = step(c.x, -0.14, 0.14)
    halves: list[list[np.ndarray]] = [[], []]
    for au in FACE_AUS:
        motion = _field(au, c) * c.front[:, None]
        motion[:, 0] *= np.sign(c.x)
        for share, half in zip((left, 1 - left), halves, strict=True):
            half.append((motion * share[:, None]).astype(np.float32).ravel())
    return np.stack(halves[0] + halves[1])


@lru_cache(maxsize=1)
def jaw_weights() -> np.ndarray:
    """Return the share (n,) of the jaw's turn that each vertex of the skin follows."""
    mesh = chart()
    c = canon(mesh)
    corner = 0.36 * spot(c.a, c.over, (MOUTH_HALF, -0.02), (0.24, 0.22))
    bone = step(c.y, -0.72 - 0.1 * step(c.a, 0.5, 0.9), -1.35)
    part = np.clip(1 - (c.a / MOUTH_HALF) ** 2, 0, 1) ** 0.5
    beneath = np.where(mesh.above, 0, part + (1 - part) * step(-c.over, 0, 0.45) * bone)
    neck = step(mesh.t, -2.55, -1.95) * step(np.abs(mesh.s), 2.6, 1.7)
    return (corner + (1 - corner) * beneath) * neck


def turn_jaw(points: np.ndarray, weight: np.ndarray | float, drop: float) -> np.ndarray:
    """Return points (n, 3) turned about the joint of the jaw; `drop` 0-1 is AU26 over 5."""
    angle = JAW_ANGLE * drop * np.asarray(weight)
    cos, sin = np.cos(angle), np.sin(angle)
    y, z = points[:, 1] - JAW_PIVOT[1], points[:, 2] - JAW_PIVOT[2]
    # the condyle also slides forward, which keeps the chin from falling back into the neck
    slide = 0.08 * drop * np.asarray(weight)
    return np.stack(
        [points[:, 0], y * cos - z * sin + JAW_PIVOT[1], y * sin + z * cos + JAW_PIVOT[2] + slide], axis=1
    ).astype(points.dtype)


def lip_pressure(aus: np.ndarray) -> float:
    """Return how firmly 0-1 AU17, 23 and 24 keep the lips together against AU9 and 10; those that part lips win."""
    level = dict(zip(AUS, aus.mean(axis=1) / 5, strict=True))
    press = level[17] + level[23] + level[24]
    part = level[25] + level[26] + level[16] + level[22]
    return float(np.clip(2.5 * press - 5 * part, 0, 1))


def lid_openings(aus: np.ndarray, side: int, eye_open: float, roundness: float, gaze_y: float) -> tuple[float, float]:
    """Return how far the upper and lower lid of one eye stand from the line of the closed lids, in eye distances.

    `aus` (21, 2) 0-5; `side` 0 the left, 1 the right eye. Looking down lowers the upper lid, as it does in life.
    """
    level = {au: float(v) / 5 for au, v in zip(AUS, aus[:, side], strict=True)}
    upper = 0.100 + 0.012 * eye_open + 0.006 * roundness + (0.0021 if gaze_y < 0 else 0.0016) * gaze_y
    lower = 0.036 + 0.006 * roundness - 0.0006 * gaze_y
    upper += 0.068 * level[5] - 0.026 * level[7] - 0.016 * level[6] - 0.012 * level[9] - 0.012 * level[4]
    lower += 0.012 * level[5] - 0.036 * level[7] - 0.036 * level[6] - 0.012 * level[12] - 0.014 * level[9]
    shut = min(1.0, level[43])
    upper, lower = max(upper, 0.02), max(lower, 0.004)
    return upper * (1 - shut) + (-0.03) * shut, lower * (1 - shut) + 0.03 * shut
