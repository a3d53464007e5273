"""Are probabilities honest? Calibration error, the reliability curve, and the temperature that mends it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 15
COLDEST, HOTTEST = 1 / 64, 64.0
"""Between these a temperature is looked for."""

SMALLEST = 1e-12  # of a probability, whose logarithm is taken


@dataclass(frozen=True)
class Reliability:
    """Pictures by how sure a reader is of them, in bins of equal width over (0, 1]; NaN where a bin is empty."""

    count: np.ndarray  # (B,)
    confidence: np.ndarray  # (B,) mean
    accuracy: np.ndarray  # (B,)


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> Reliability:
    """Return how often answers of some confidence (N,) in 0-1 are right (N,) bool."""
    bin_of = np.clip(np.ceil(np.asarray(confidence, np.float64) * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    sums = (np.bincount(bin_of, weights=values, minlength=bins) for values in (confidence, right))
    means = [np.divide(total, count, out=np.full(bins, np.nan), where=count > 0) for total in sums]
    return Reliability(count, *means)


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """Return the expected calibration error: mean |accuracy - confidence| over bins, weighed by their pictures.

    Guo et al. 2017, Eq. 3. NaN for no pictures.
    """
    found = reliability(confidence, right, bins)
    apart = np.nan_to_num(np.abs(found.accuracy - found.confidence))
    return float(found.count @ apart / found.count.sum()) if found.count.any() else float("nan")


def negative_log_likelihood(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean of -log of what is given (N, C) to the true class (N,)."""
    given = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(given, SMALLEST)).mean())


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return softmax(log p / T) of probabilities (N, C): softer above 1; who is likeliest stays."""
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), SMALLEST)) / temperature
    found = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(found / found.sum(1, keepdims=True))


def temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the T, 1/64 to 64, at which `tempered` probabilities (N, C) are likeliest (Guo et al. 2017).

    It is convex in 1 / T, and its slope there is what is expected of the logits less the true one's: bisected to 0.
    """
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), SMALLEST))
    true = logits[np.arange(len(truth)), truth]
    low, high = np.log(COLDEST), np.log(HOTTEST)
    for _ in range(60):
        middle = (low + high) / 2
        expected = (tempered(probabilities, float(np.exp(middle))) * logits).sum(1)
        if (expected - true).mean() <= 0:  # steeper logits are no less likely
            high = middle
        else:
            low = middle
    return float(np.exp((low + high) / 2))
