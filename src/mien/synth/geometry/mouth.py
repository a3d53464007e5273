"""The inside of the mouth: how lips continue inwards, two rows of teeth, and the tongue."""

import numpy as np

from mien.synth.geometry.chart import Slit, quads

ARCH_COLUMNS, ARCH_ROWS = 33, 5
ARCH_HALF = 0.40
UPPER_EDGE, LOWER_EDGE = -0.012, -0.055  # of the teeth, over the line between the closed lips
TOOTH_HEIGHT = 0.145
BEHIND_LIP = 0.105
SHUT = 0.004  # lips closer than this touch

# share of x, rise away from the slit, depth behind the margin: wet lip, inner lip, gum, back of the mouth
UPPER_ROLL = ((1.0, 0.012, 0.05), (0.98, 0.06, 0.085), (0.92, 0.19, 0.13), (0.75, 0.12, 0.7))
LOWER_ROLL = ((1.0, 0.012, 0.05), (0.97, 0.06, 0.095), (0.90, 0.12, 0.16), (0.75, 0.10, 0.6))


def hang_lip_rolls(points: np.ndarray, slit: Slit, jaw_angle: float) -> None:
    """Place in place what lies behind both lips, down to the back of the mouth; the lower half turns with the jaw."""
    for roll, direction, shape, angle in (
        (slit.upper, 1.0, UPPER_ROLL, 0.0),
        (slit.lower, -1.0, LOWER_ROLL, jaw_angle),
    ):
        margin = points[roll.margin]
        rise = np.sqrt(np.clip(1 - roll.along**2, 0, 1))
        for row, (narrow, up, depth) in zip(roll.rows, shape, strict=True):
            points[row, 0] = margin[:, 0] * narrow
            dy, dz = direction * up * rise, -depth * (0.35 + 0.65 * rise)
            points[row, 1] = margin[:, 1] + dy * np.cos(angle) - dz * np.sin(angle)
            points[row, 2] = margin[:, 2] + dy * np.sin(angle) + dz * np.cos(angle)


def meet_lips(
    points: np.ndarray, slit: Slit, over: np.ndarray, above: np.ndarray, near: np.ndarray, pressed: float
) -> None:
    """Part lips that an AU combination pushed through each other, and close a gap by the share `pressed`, in place.

    `near` are the indices around the mouth, `over` (n,) their canonical height over the slit; each lip goes half of
    the way, fading away from the slit.
    """
    upper, lower = points[slit.upper.margin], points[slit.lower.margin]
    gap = lower[:, 1] - upper[:, 1]
    wanted = np.where(gap > 0, gap, pressed * gap)
    if wanted.any():
        half = 0.5 * np.interp(points[near, 0], upper[:, 0], wanted, left=0, right=0)
        points[near, 1] += np.where(above[near], half, -half) * np.exp(-((over[near] / 0.1) ** 2))
    shut = np.abs(points[slit.upper.margin, 1] - points[slit.lower.margin, 1]) < SHUT
    middle = (points[slit.upper.margin] + points[slit.lower.margin])[shut] / 2  # welded, or rounding shows the inside
    points[slit.upper.margin[shut]] = points[slit.lower.margin[shut]] = middle


def arch(center: np.ndarray, upper: bool) -> np.ndarray:
    """Return one row of teeth with its gum (ARCH_ROWS · ARCH_COLUMNS, 3), rows from gum to cutting edge.

    `center` (3,): middle of the line between the person's closed lips.
    """
    turn = np.linspace(-1, 1, ARCH_COLUMNS)
    x = ARCH_HALF * np.sin(turn * 1.25) / np.sin(1.25)
    z = center[2] - BEHIND_LIP - 0.62 * (1 - np.cos(turn * 1.25))
    edge = center[1] + (UPPER_EDGE if upper else LOWER_EDGE)
    away = TOOTH_HEIGHT * 1.55 if upper else -TOOTH_HEIGHT * 1.25
    share = np.linspace(1, 0, ARCH_ROWS)[:, None]
    rows_y = edge + share * away + 0 * x
    rows_z = z - (0.03 * (1 - share) ** 2 if upper else 0.04 + 0.05 * share)
    return np.stack([x + 0 * share, rows_y, rows_z], -1).reshape(-1, 3)


def arch_faces() -> np.ndarray:
    """Return the triangles of one row of teeth."""
    index = np.arange(ARCH_ROWS * ARCH_COLUMNS).reshape(ARCH_ROWS, ARCH_COLUMNS)
    return quads(index[:-1], index[1:])


def arch_uv() -> np.ndarray:
    """Return (ARCH_ROWS · ARCH_COLUMNS, 2): place along the arch 0-1, and 0 gum to 1 edge."""
    u, v = np.meshgrid(np.linspace(0, 1, ARCH_COLUMNS), np.linspace(0, 1, ARCH_ROWS))
    return np.stack([u, v], -1).reshape(-1, 2)


def tongue(center: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the tongue's points (k, 3) at rest and its triangles."""
    turn, rise = np.meshgrid(np.linspace(0, 2 * np.pi, 21), np.linspace(0, 0.5 * np.pi, 7))
    x = 0.23 * np.cos(turn) * np.cos(rise)
    z = 0.30 * np.sin(turn) * np.cos(rise)
    y = 0.10 * np.sin(rise) * (1 - 0.25 * np.exp(-((x / 0.05) ** 2)))
    points = np.stack([x, y, z], -1).reshape(-1, 3) + center + (0, -0.20, -0.52)
    index = np.arange(turn.size).reshape(turn.shape)
    return points, quads(index[:-1], index[1:])
