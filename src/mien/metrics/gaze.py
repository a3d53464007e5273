"""Where do eyes look? Left, ahead or right, by degrees."""

from __future__ import annotations

import numpy as np

ASIDE = 8.0
"""Degrees to either side up to which eyes look ahead."""

SIDES = ("left", "ahead", "right")
"""Of the image."""


def side_of(degrees: np.ndarray) -> np.ndarray:
    """Return the index into SIDES (N,) int64 of angles (N,), > 0 to the right of the image; -1 where NaN."""
    known = np.nan_to_num(degrees)
    side = 1 + (known > ASIDE).astype(np.int64) - (known < -ASIDE)
    return np.where(np.isnan(degrees), -1, side)
