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


def agreements(labels: np.ndarray, estimates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ICC(3,1) and mean squared error (U,) of two raters' values (N, U), column by column, NaN being unknown.

    What `icc_3_1` and `mse` give, for all columns at once: intervals ask for it thousands of times. Both are NaN for a
    column with fewer than two rows that both know.
    """
    known = ~np.isnan(labels) & ~np.isnan(estimates)
    n = known.sum(0).astype(float)
    n[n < 2] = np.nan
    a, b = (np.where(known, x, 0).astype(np.float64) for x in (labels, estimates))
    apart, each = a - b, (a + b) / 2
    # Of two raters, both leave the same residual: half of how far they are apart, beyond the mean distance.
    between = 2 * np.square(np.where(known, each - each.sum(0) / n, 0)).sum(0) / (n - 1)
    residual = np.square(np.where(known, apart - apart.sum(0) / n, 0)).sum(0) / 2 / (n - 1)
    total = between + residual
    icc = np.divide(between - residual, total, out=np.full(len(n), np.nan), where=total > 0)
    return icc, np.square(apart).sum(0) / n
