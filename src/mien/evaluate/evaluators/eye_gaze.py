"""A reader of gaze for data that no evaluator of gaze is at hand for: ridge regression from the pixels of both eyes.

It learns from true pictures of people who are not tested, and their mirror images. As EET's own gaze classifier, it is
no better than its answers on true pictures, which stand beside every table as the ceiling.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.linear_model import Ridge, RidgeCV

from mien.data.dataset import Data
from mien.errors import InputError
from mien.evaluate.evaluators.base import Reading
from mien.faces.align import template
from mien.metrics.gaze import SIDES, side_of

REACH = (0.105, 0.055)
"""Half width and height of an eye's crop, as shares of the picture; eyes are 0.3 apart."""

SHAPE = (24, 12)
"""Width and height of a crop as the regression sees it."""

ALPHAS = tuple(float(a) for a in 10.0 ** np.arange(-1, 6))


@dataclass(frozen=True)
class EyeGaze:
    """Reads the horizontal gaze of aligned faces; an evaluator like any other."""

    net: Ridge
    size: int
    name: str = "ridge regression on eyes"
    measures: tuple[str, ...] = ("gaze",)

    def read(self, pictures: np.ndarray) -> Reading:
        """Return gaze (N, 2) in degrees: towards the right of the image; up is unknown (NaN)."""
        degrees = self.net.predict(np.stack([eyes(picture) for picture in pictures]))
        return Reading(gaze=np.stack([degrees, np.full(len(degrees), np.nan)], 1))

    def mark(self) -> str:
        """Return a hash of what it learnt."""
        return hashlib.sha256(self.net.coef_.tobytes() + np.float64(self.net.intercept_).tobytes()).hexdigest()


def eyes(picture: np.ndarray) -> np.ndarray:
    """Return both eyes' grey pixels (2 * 24 * 12,) of an aligned face uint8 (S, S, 3), each of mean 0 and spread 1."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    left, right = _left_eye(grey), _left_eye(grey[:, ::-1])[:, ::-1]  # cut alike: a mirrored face mirrors its eyes
    return np.concatenate([(eye - eye.mean()) / (eye.std() + 1.0) for eye in (left, right)]).ravel()


def _left_eye(grey: np.ndarray) -> np.ndarray:
    size = len(grey)
    low, high = (np.rint(template(size)[0] + sign * np.array(REACH) * size).astype(int) for sign in (-1, 1))
    crop = np.ascontiguousarray(grey[low[1] : high[1] + 1, low[0] : high[0] + 1])
    return cv2.resize(crop, SHAPE, interpolation=cv2.INTER_AREA).astype(np.float32)


def learn_eye_gaze(known: Data) -> EyeGaze:
    """Return the reader that `known`'s people teach; those who look left, ahead and right count alike.

    Raises InputError where not both sides are labelled.
    """
    gaze = known.manifest.gaze_x
    labelled = np.flatnonzero(~np.isnan(gaze))
    if {*side_of(gaze[labelled]).tolist()} < {0, 1, 2}:
        raise InputError(
            f"{known.manifest.folder}: the people not marked test do not look {', '.join(SIDES)} by column gaze_x; "
            "expected pictures of each to learn gaze from, or a --evaluator that reads gaze"
        )
    seen, degrees = [], []
    for row in labelled.tolist():
        picture = known.images[row]
        seen += [eyes(picture), eyes(np.ascontiguousarray(picture[:, ::-1]))]
        degrees += [gaze[row], -gaze[row]]
    x, y = np.stack(seen), np.array(degrees, np.float64)
    side = side_of(y)
    weight = (1 / np.bincount(side, minlength=3))[side] * len(y) / 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)  # of strengths that are tried, and not chosen
        alpha = RidgeCV(ALPHAS).fit(x, y, weight).alpha_
    return EyeGaze(Ridge(alpha).fit(x, y, weight), known.size)
