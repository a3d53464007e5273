"""The mean head as a smooth surface without eyes, nose and lips, spanned by a small net of control points.

Axes: x to the person's left (right of the image), y up, z towards the viewer; the origin lies midway between the
eyes. Unit: the distance between the eye centres, about 63 mm. Surface coordinates: `s` along the circumference
(0 the midline of the face, positive the person's left, ±4.25 the back), `t` along the height (equal to y at the
midline from crown to chin, then on along the underside of the jaw and the neck).
"""

from functools import lru_cache

import numpy as np

S_MAX = 4.25
T_TOP, T_BOTTOM = 1.78, -3.9

# s of: midline, pupil, corner of the eye, cheekbone, front of the ear, behind the ear, back of the head's side, back
COLUMNS = (0.0, 0.38, 0.80, 1.33, 2.0, 2.75, 3.55, S_MAX)

# t: (x, y, z) of the eight columns; proportions follow adult means (breadth 150 mm, length 190 mm, face height 120 mm)
ROWS: dict[float, str] = {
    -3.90: "0,-4.3,-.15 .5,-4.3,-.2 1.2,-4.3,-.3 1.9,-4.3,-.6 "
    "2.5,-4.2,-1.2 2.0,-4,-1.9 1.1,-4,-2.1 0,-4,-2.1",
    -3.40: "0,-2.95,-.42 .38,-2.93,-.46 .90,-2.85,-.6 1.50,-2.75,-.82 "
    "2.05,-2.72,-1.2 1.7,-2.65,-1.7 .9,-2.6,-2.0 0,-2.6,-2.05",
    -3.00: "0,-2.58,-.54 .30,-2.56,-.57 .58,-2.50,-.69 .85,-2.40,-.88 "
    "1.10,-2.28,-1.2 .98,-2.32,-1.55 .6,-2.45,-1.85 0,-2.45,-1.92",
    -2.60: "0,-2.26,-.55 .28,-2.25,-.58 .53,-2.22,-.68 .73,-2.16,-.87 "
    ".88,-2.08,-1.15 .83,-2.2,-1.5 .52,-2.35,-1.8 0,-2.35,-1.88",
    -2.25: "0,-2.02,-.46 .28,-2.02,-.5 .52,-2.0,-.63 .71,-1.95,-.84 "
    ".83,-1.87,-1.12 .78,-2.05,-1.48 .50,-2.25,-1.8 0,-2.25,-1.87",
    -2.00: "0,-1.90,-.12 .29,-1.88,-.2 .55,-1.80,-.43 .74,-1.67,-.73 "
    ".86,-1.56,-1.06 .80,-1.85,-1.5 .47,-2.1,-1.8 0,-2.1,-1.86",
    -1.83: "0,-1.83,.15 .33,-1.80,.05 .59,-1.68,-.22 .79,-1.49,-.58 "
    ".88,-1.34,-1.02 .78,-1.6,-1.52 .48,-1.9,-1.82 0,-1.9,-1.87",
    -1.68: "0,-1.69,.27 .34,-1.65,.16 .63,-1.54,-.12 .85,-1.36,-.5 "
    ".94,-1.22,-.98 .82,-1.4,-1.55 .49,-1.7,-1.85 0,-1.7,-1.9",
    -1.40: "0,-1.4,.25 .37,-1.38,.14 .69,-1.31,-.12 .95,-1.19,-.47 "
    "1.05,-1.08,-.98 .90,-1.2,-1.6 .51,-1.4,-1.9 0,-1.4,-1.95",
    -1.08: "0,-1.08,.31 .38,-1.08,.2 .75,-1.05,-.07 1.03,-.98,-.46 "
    "1.12,-.9,-1.05 .96,-.98,-1.65 .53,-1.1,-1.98 0,-1.1,-2.05",
    -0.75: "0,-.75,.32 .39,-.75,.23 .78,-.74,-.01 1.07,-.70,-.45 "
    "1.17,-.66,-1.1 1.03,-.68,-1.75 .58,-.75,-2.15 0,-.75,-2.25",
    -0.40: "0,-.4,.29 .40,-.4,.22 .80,-.4,.04 1.10,-.38,-.41 "
    "1.20,-.38,-1.1 1.11,-.4,-1.85 .62,-.4,-2.35 0,-.4,-2.5",
    0.00: "0,0,.25 .38,0,.16 .78,0,0 1.09,0,-.45 "
    "1.22,0,-1.15 1.16,0,-1.9 .66,0,-2.55 0,0,-2.7",
    0.28: "0,.28,.31 .40,.29,.27 .79,.29,.06 1.07,.28,-.44 "
    "1.22,.28,-1.2 1.17,.28,-1.9 .67,.28,-2.6 0,.28,-2.8",
    0.60: "0,.6,.29 .40,.6,.25 .78,.6,0 1.05,.6,-.49 "
    "1.21,.6,-1.25 1.16,.6,-1.9 .67,.6,-2.6 0,.6,-2.8",
    1.00: "0,1.02,.16 .38,1.02,.10 .73,1.01,-.15 .98,1,-.62 "
    "1.13,1,-1.25 1.09,1,-1.85 .64,1,-2.5 0,1,-2.68",
    1.35: "0,1.42,-.16 .34,1.41,-.22 .62,1.39,-.45 .83,1.37,-.82 "
    ".95,1.36,-1.28 .88,1.36,-1.75 .52,1.36,-2.25 0,1.36,-2.4",
    1.62: "0,1.70,-.66 .20,1.70,-.69 .37,1.69,-.82 .47,1.69,-1.02 "
    ".52,1.69,-1.27 .47,1.69,-1.52 .28,1.69,-1.78 0,1.69,-1.86",
    1.78: "0,1.80,-1.25 0,1.80,-1.25 0,1.80,-1.25 0,1.80,-1.25 "
    "0,1.80,-1.25 0,1.80,-1.25 0,1.80,-1.25 0,1.80,-1.25",
}  # fmt: skip


def spline_matrix(knots: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the (len(at), len(knots)) weights of natural cubic interpolation; `knots` ascend, `at` lies within."""
    n, gap = len(knots), np.diff(knots)
    system, right = np.eye(n), np.zeros((n, n))
    for i in range(1, n - 1):
        system[i, i - 1 : i + 2] = gap[i - 1], 2 * (gap[i - 1] + gap[i]), gap[i]
        right[i, i - 1 : i + 2] = 6 / gap[i - 1], -6 / gap[i - 1] - 6 / gap[i], 6 / gap[i]
    curvature = np.linalg.solve(system, right)
    cell = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, n - 2)
    width = gap[cell]
    b = (at - knots[cell]) / width
    a = 1 - b
    weights = np.zeros((len(at), n))
    rows = np.arange(len(at))
    weights[rows, cell] += a
    weights[rows, cell + 1] += b
    bend = width**2 / 6
    weights += ((a**3 - a) * bend)[:, None] * curvature[cell] + ((b**3 - b) * bend)[:, None] * curvature[cell + 1]
    return weights


@lru_cache(maxsize=1)
def _net() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return t knots (R,), s knots (C,) and control points (R, C, 3), mirrored to both sides."""
    heights = np.array(sorted(ROWS))
    half = np.array([[[float(v) for v in p.split(",")] for p in ROWS[float(t)].split()] for t in heights])
    mirrored = half[:, :0:-1] * (-1, 1, 1)
    columns = np.array(COLUMNS)
    return heights, np.concatenate([-columns[:0:-1], columns]), np.concatenate([mirrored, half], axis=1)


def surface_grid(s: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return the points (len(t), len(s), 3) of the mean head on a grid of surface coordinates."""
    heights, columns, net = _net()
    down, across = spline_matrix(heights, t), spline_matrix(columns, s)
    wide = np.tensordot(across, net, (1, 1))  # (len(s), R, 3)
    return np.tensordot(down, wide, (1, 1))
