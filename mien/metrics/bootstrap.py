"""How sure is a figure? Percentile bootstrap over people: the pictures of one person are not independent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A figure and the interval that holds it."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def interval(
    statistic: Callable[[np.ndarray], float],
    people: np.ndarray,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return a statistic of rows and its percentile interval, people drawn anew: `intervals` of one figure."""
    return intervals(lambda rows: {"": statistic(rows)}, people, level, draws, seed)[""]


def intervals(
    figures: Callable[[np.ndarray], Mapping[str, float]],
    people: np.ndarray,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return figures of rows and their percentile intervals (Efron & Tibshirani 1993, ch. 13), people drawn anew.

    `people` (N,) says whose each of N rows is; `figures` takes row numbers, of which some come twice. Draws whose
    figure is NaN or missing are left out; the interval is NaN where all are. Raises ValueError for fewer than two
    people.
    """
    names, of = np.unique(people, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"an interval over people needs two or more; got {len(names)}")
    order = np.argsort(of, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(of))[:-1])
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(draws):
        drawn.append(figures(np.concatenate([rows[i] for i in rng.integers(0, len(names), len(names))])))
    whole = figures(np.arange(len(of)))
    found = {name: np.array([one.get(name, np.nan) for one in drawn], float) for name in whole}
    return {name: _between(float(value), found[name], level) for name, value in whole.items()}


def _between(value: float, drawn: np.ndarray, level: float) -> Interval:
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))
