"""What is taken for what: the confusion matrix, what follows from it, and F1 of what is present or absent."""

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


def recalls(matrix: np.ndarray) -> np.ndarray:
    """Return (C,) the share of each class' pictures that is called so, the diagonal over its row of (C, C); else NaN.

    A matrix may have more columns than rows: answers that are no class.
    """
    shown = matrix.sum(1).astype(float)
    return np.divide(np.diag(matrix), shown, out=np.full(len(matrix), np.nan), where=shown > 0)


def presence_f1(truth: np.ndarray, found: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return F1 (U,) of what is said to be present (N, U) bool, column by column, over the rows that are known.

    NaN for a column in which nothing is present, neither in truth nor as found.
    """
    right = (truth & found & known).sum(0)
    both = (truth & known).sum(0) + (found & known).sum(0)
    return np.divide(2 * right, both, out=np.full(truth.shape[1], np.nan), where=both > 0)
