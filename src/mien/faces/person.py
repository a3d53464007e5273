"""Who somebody is among the people of one clip: codes of the face, and how alike two are."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Code = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Returns the code float32 (N,), of length 1, of the face in a frame uint8 (H, W, 3) whose eyes (2, 2) are here.

The product of two codes says how alike they are, at most 1.
"""

# By `runtime.person_code`, heads turned by up to 25°: of a person's pictures 99 of 100 are at least so alike to one of
# three others, 92 where the light changes by a tenth between them. Strangers' are in 1 of 10,000 cases (photographs)
# and in 4 of 100 (rendered people, who vary less). In one scene, a person's frames were at least 0.98 alike.
SAME = 0.91
STEADY = 0.95  # of two frames; what changes more at once is somebody else, or needs to be the SAME
LEAST = 0.85  # for a face that changed little by little
NEW = 0.97  # less alike than this to all that is known, a code is worth knowing
MOST = 16  # codes that are kept of a person, and as many of the others

BINS, REACH = 24, 40  # of a histogram of colours; how far a and b of CIELAB reach from grey
LIGHTNESS = 0.5  # its weight beside those of a and b, for light changes more than colour


class Person:
    """Somebody who is followed, and those who were seen beside."""

    def __init__(self) -> None:
        self._own: list[np.ndarray] = []
        self._others: list[np.ndarray] = []

    def likeness(self, code: np.ndarray) -> float:
        """Return how alike a code is to the person's, -1 where somebody beside is more alike; 1 of nobody known."""
        own = max((float(code @ known) for known in self._own), default=1.0)
        return own if own > max((float(code @ known) for known in self._others), default=-1.0) else -1.0

    def learn(self, code: np.ndarray) -> None:
        """Take in a code that is the person's."""
        _add(self._own, code)

    def learn_other(self, code: np.ndarray) -> None:
        """Take in the code of somebody who was seen together with the person, unless none can tell them apart."""
        if max((float(code @ known) for known in self._own), default=-1.0) < NEW:  # else a mirror, or a picture
            _add(self._others, code)


def _add(known: list[np.ndarray], code: np.ndarray) -> None:
    """Add a code to those that are known, if it says something new; the first stays, of the others the last."""
    if all(float(code @ other) < NEW for other in known):
        known.append(code)
        if len(known) > MOST:
            del known[1]


def colours(crop: np.ndarray) -> np.ndarray:
    """Return how often each colour occurs in a crop uint8 (S, S, 3), as float32 (3 * BINS,) of length 1.

    The product of two is the mean of the Bhattacharyya coefficients of their histograms, of lightness, a and b.
    """
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    ranges = ((0, 256, LIGHTNESS), (128 - REACH, 128 + REACH, 1.0), (128 - REACH, 128 + REACH, 1.0))
    parts = []
    for k, (low, high, weight) in enumerate(ranges):
        counts = cv2.calcHist([lab], [k], None, [BINS], [low, high]).ravel()
        parts.append(weight * counts / max(float(counts.sum()), 1.0))
    found = np.sqrt(np.concatenate(parts))
    return np.asarray(found / max(float(np.linalg.norm(found)), 1e-6), np.float32)
