"""How sure is a figure? Percentile bootstrap over people: the pictures of one person are not independent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

DRAWS = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure and the interval that holds it."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def intervals(
    statistics: Callable[..., Mapping[str, float]],
    people: np.ndarray,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
    runs: int = 0,
) -> dict[str, Interval]:
    """Return statistics of rows and their percentile intervals (Efron & Tibshirani 1993, ch. 13), people drawn anew.

    `people` (N,) says whose each of N rows is; `statistics` takes row numbers, of which some come twice, and gives
    figures by name. With `runs`, of which each row has so many results, it takes run numbers (R,) too, and runs are
    drawn anew as people are. Draws in which a figure is NaN or missing are left out; its interval is NaN where all are.
    Raises ValueError for fewer than two people.
    """
    names, of = np.unique(people, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"an interval over people needs two or more; got {len(names)}")
    order = np.argsort(of, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(of))[:-1])
    rng, of_runs = np.random.default_rng(seed), np.random.default_rng([seed, 1])

    def again() -> Mapping[str, float]:
        some = np.concatenate([rows[i] for i in rng.integers(0, len(names), len(names))])
        return statistics(some, of_runs.integers(0, runs, runs)) if runs else statistics(some)

    drawn = [again() for _ in range(draws)]
    values = statistics(np.arange(len(of)), *([np.arange(runs)] if runs else []))
    nan = float("nan")
    return {
        name: _interval(float(value), np.array([some.get(name, nan) for some in drawn]), level)
        for name, value in values.items()
    }


def _interval(value: float, drawn: np.ndarray, level: float) -> Interval:
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return Interval(value, float("nan"), float("nan"))
    with np.errstate(invalid="ignore"):  # between infinite figures, as PSNR of equal pictures, lies NaN
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))
