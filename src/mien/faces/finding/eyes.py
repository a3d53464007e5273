"""Eye centres of a face whose place is roughly known, from OpenCV's eye cascades.

A centre is the mid-point of the eye's two corners, as in the template, not the pupil: it stays when the gaze moves.
"""

from __future__ import annotations

import numpy as np

from mien.faces.align import align, invert, similarity, template
from mien.faces.finding.cascade import search

SIZE = 192  # pixels of the crop that is searched; its eyes are 58 px apart
APART = 0.3 * SIZE  # pixels between the template's eyes, the unit of what follows
REACH = 0.62  # half the side of the window searched for one eye
ROUNDS = 2  # the second looks again from where the first ended

# Where a cascade's box centre lies from the eye on the image's left (x to the nose, y down), and how far it
# scatters. Measured on the odd subjects of photofaces; the other eye is the mirror image.
OFFSETS: dict[str, tuple[float, float, float]] = {
    "eye": (-0.070, -0.050, 0.030),
    "eye_tree_eyeglasses": (-0.049, -0.045, 0.025),
    "lefteye_2splits": (-0.013, -0.145, 0.030),
    "righteye_2splits": (-0.026, -0.152, 0.030),
}
PRIOR = 0.06  # scatter of the rough place itself


def _one_eye(crop: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the shift (2,) from the template's left eye, in eye distances, and how many cascades saw the eye.

    It is the mean of each cascade's box that is nearest to where one is expected, if it is near at all, and of the
    rough place itself, each weighted by the inverse of its variance.
    """
    centre = template(SIZE)[0]
    x0, y0 = np.maximum(0, np.rint(centre - REACH * APART)).astype(int)
    x1, y1 = np.rint(centre + REACH * APART).astype(int) + 1
    window = crop[y0:y1, x0:x1]
    shifts, weights = [np.zeros(2)], [PRIOR**-2]
    for name, (dx, dy, scatter) in OFFSETS.items():
        found = [
            ((np.array([x + (w - 1) / 2 + x0, y + (h - 1) / 2 + y0]) - centre) / APART - (dx, dy))
            for x, y, w, h, _ in search(name, window, 0.4 * APART, 1.0 * APART, 1.05, 1)
        ]
        found = [shift for shift in found if np.hypot(*shift) < 3 * np.hypot(scatter, PRIOR)]
        if found:
            shifts.append(min(found, key=lambda shift: float(np.hypot(*shift))))
            weights.append(scatter**-2)
    return np.average(shifts, axis=0, weights=weights), len(shifts) - 1


def refine_eyes(grey: np.ndarray, eyes: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Return better eye centres (2, 2) than rough ones in uint8 `grey` (H, W), and how many cascades saw each eye.

    An eye that no cascade saw stays where it was.
    """
    seen = (0, 0)
    for _ in range(ROUNDS):
        matrix = similarity(eyes, SIZE)
        crop = align(grey, matrix, SIZE)
        left, count = _one_eye(crop)
        right, other = _one_eye(np.ascontiguousarray(crop[:, ::-1]))
        seen = (count, other)
        points = template(SIZE) + APART * np.array([left, right * (-1, 1)])
        back = invert(matrix)
        eyes = points @ back[:, :2].T + back[:, 2]
    return eyes, seen
