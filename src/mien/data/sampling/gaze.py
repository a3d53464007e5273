"""How irises move when the gaze turns: geometry.npz has the motion of skin and lids alone."""

from __future__ import annotations

import numpy as np

from mien.labels import CORNERS

EYEBALL = 0.5  # radius in eye widths, as photofaces_extra shows it: 18 degrees move an iris by .15
IRIS = 0.17  # radius in eye widths
AROUND = (0.55, 0.32)  # half axes, in eye widths, of where a turned eye shows what was hidden
LIDS = ((37, 38, 40, 41), (43, 44, 46, 47))  # upper two, lower two


def turned_irises(
    flow: np.ndarray, known: np.ndarray, at: np.ndarray, points: np.ndarray, gaze: np.ndarray, before: np.ndarray
) -> None:
    """Write the motion of irises into `flow` (g, g, 2) at places `at`, and that all else in the eyes is unknown.

    `points` (68, 2) are the truth's landmarks, in the units of `flow` and `at`; its gaze and the face's before are (2,)
    degrees to the right and up. The iris is a disc on a ball: it moves by EYEBALL · (sin x, -sin y).
    """
    if np.abs(gaze - before).max() < 1:
        return
    places = [EYEBALL * np.sin(np.radians(angles)) * (1, -1) for angles in (before, gaze)]
    for corners, lids in zip(CORNERS, LIDS, strict=True):
        a, b = points[list(corners)]
        width, centre = np.linalg.norm(a - b), (a + b) / 2
        upper, lower = points[list(lids[:2])].mean(0), points[list(lids[2:])].mean(0)
        off = (at - centre) / width
        eye = (off[..., 0] / AROUND[0]) ** 2 + (off[..., 1] / AROUND[1]) ** 2 < 1
        half = max(float(lower[1] - upper[1]) / 2 / width, 1e-6)
        middle = (upper + lower - 2 * centre)[1] / 2 / width
        opened = (off[..., 0] / 0.5) ** 2 + ((off[..., 1] - middle) / half) ** 2 < 1
        iris = opened & (np.linalg.norm(off - places[1], axis=-1) < IRIS)
        known[eye & ~iris] = 0
        flow[iris], known[iris] = (places[0] - places[1]) * width, 1
