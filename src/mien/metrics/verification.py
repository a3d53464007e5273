"""Is it still the same person? Rank-1 identification and verification, from directions of identity codes."""

from __future__ import annotations

import numpy as np


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return (N, M) cosines of codes (N, D) and (M, D)."""
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    return a @ b.T


def rank_1(similarity: np.ndarray, own: np.ndarray) -> float:
    """Return the share of probes (rows of (N, M)) whose most similar gallery column is their `own` (N,)."""
    return float((similarity.argmax(1) == own).mean())


def tar_at_far(similarity: np.ndarray, own: np.ndarray, far: float = 0.01) -> float:
    """Return the share of true pairs accepted at the threshold that accepts at most `far` of the wrong pairs.

    similarity: (N, M) probes against a gallery; `own` (N,) is the column of the probe's person. NaN where the gallery
    holds nobody else.
    """
    true = np.zeros(similarity.shape, bool)
    true[np.arange(len(own)), own] = True
    wrong = similarity[~true]
    if not len(wrong):
        return float("nan")
    allowed = int(far * len(wrong) + 1e-9)  # 0.29 of 100 must be 29
    if allowed >= len(wrong):
        return 1.0
    last = len(wrong) - 1 - allowed  # only what lies above the best wrong pair that is refused is accepted
    return float((similarity[true] > np.partition(wrong, last)[last]).mean())


def verified(similarity: np.ndarray, own: np.ndarray, folds: int = 10) -> np.ndarray:
    """Return the accuracy (N,) of verifying each probe: the mean of two shares, right pairs accepted and wrong refused.

    A probe has one right pair, with its own column, and a wrong one with every other. The columns' people are dealt to
    `folds` (fewer, if there are fewer); a fold's threshold is the most accurate one on the pairs of everybody else.
    similarity and `own` as in `tar_at_far`. NaN for fewer than three people.
    """
    count = similarity.shape[1]
    accuracy = np.full(len(own), np.nan)
    if count < 3:
        return accuracy
    fold, right = np.arange(count) % min(folds, count), own[:, None] == np.arange(count)
    for k in range(fold.max() + 1):
        known, asked = fold[own] != k, fold[own] == k
        among = similarity[np.ix_(known, fold != k)]
        accepted = similarity[asked] >= threshold(among, right[np.ix_(known, fold != k)])
        refused = (~accepted & ~right[asked]).sum(1) / (count - 1)
        accuracy[asked] = (accepted[right[asked]] + refused) / 2  # a row has one right pair
    return accuracy


def threshold(similarity: np.ndarray, right: np.ndarray) -> float:
    """Return the similarity from which to accept pairs: the most accurate one, right and wrong pairs weighing the same.

    It lies halfway between the last pair accepted and the first refused; of equally good ones it is the highest.
    """
    values, of = np.unique(similarity, return_inverse=True)
    true, wrong = (np.bincount(of.ravel(), mask.ravel(), len(values)) for mask in (right, ~right))
    accepted = [np.cumsum(counts[::-1]) / counts.sum() for counts in (true, wrong)]
    last = len(values) - 1 - int(np.argmax(accepted[0] - accepted[1]))
    return float((values[last] + values[max(last - 1, 0)]) / 2)
