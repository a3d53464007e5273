"""What is taken for what: the confusion matrix, and macro-F1 from it."""

from __future__ import annotations

import numpy as np


def confusion(truth: np.ndarray, guess: np.ndarray, count: int) -> np.ndarray:
    """Return (C, C) int64: how often class `truth` (N,) was called `guess` (N,); both 0 to `count` - 1."""
    return np.bincount(truth * count + guess, minlength=count * count).reshape(count, count)


def macro_f1(matrix: np.ndarray) -> float:
    """Return the mean F1 over the classes that are shown, those with pictures in their row of (C, C); 2TP/(2TP+FP+FN).

    NaN where none is shown.
    """
    shown = matrix.sum(1) > 0
    both = (matrix.sum(0) + matrix.sum(1))[shown]
    return float((2 * np.diag(matrix)[shown] / both).mean()) if shown.any() else float("nan")
