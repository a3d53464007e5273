"""Do raters agree on intensities? ICC(3,1) and mean squared error, as the AU papers report them."""

from __future__ import annotations

import numpy as np


def icc_3_1(*raters: np.ndarray) -> float:
    """Return ICC(3,1) of two or more raters' values, each (N,): two-way mixed, single rater, consistency.

    Shrout & Fleiss 1979. 1 is agreement up to a constant, 0 none; NaN where no rater's values vary.
    """
    scores = np.stack(raters, 1).astype(np.float64)  # (N, k)
    n, k = scores.shape
    each, rater, all_ = scores.mean(1, keepdims=True), scores.mean(0, keepdims=True), scores.mean()
    between = k * np.square(each - all_).sum() / (n - 1)
    residual = np.square(scores - each - rater + all_).sum() / ((n - 1) * (k - 1))
    total = between + (k - 1) * residual
    return float((between - residual) / total) if total > 0 else float("nan")


def mse(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean squared difference of two raters' values (N,)."""
    return float(np.square(np.asarray(a, np.float64) - b).mean())
