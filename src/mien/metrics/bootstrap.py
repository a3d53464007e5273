"""How sure is a figure? Percentile bootstrap over people: the pictures of one person are not independent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

DRAWS = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Draws:
    """What a figure was in every draw of people; `of` is equal where the same people were drawn."""

    values: np.ndarray  # (draws,)
    of: str


@dataclass(frozen=True)
class Interval:
    """A figure and the interval that holds it."""

    value: float
    low: float
    high: float
    drawn: Draws | None = field(default=None, repr=False, compare=False)

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
    nan, whom = float("nan"), hashlib.sha256(f"{seed} {draws} {runs} {'|'.join(map(str, people))}".encode()).hexdigest()
    return {
        name: _interval(float(value), Draws(np.array([some.get(name, nan) for some in drawn]), whom), level)
        for name, value in values.items()
    }


def less(first: Interval, second: Interval, level: float = LEVEL) -> Interval:
    """Return a figure less another, with the interval of the difference, people being drawn alike for both.

    The bounds are NaN where one of them has no draws. Raises ValueError where their draws are of different people.
    """
    value = first.value - second.value
    if first.drawn is None or second.drawn is None:
        return Interval(value, float("nan"), float("nan"))
    if first.drawn.of != second.drawn.of:
        raise ValueError("figures of different people cannot be paired")
    with np.errstate(invalid="ignore"):
        apart = first.drawn.values - second.drawn.values
    return _interval(value, Draws(apart, first.drawn.of), level)


def _interval(value: float, drawn: Draws, level: float) -> Interval:
    known = drawn.values[~np.isnan(drawn.values)]
    if not len(known):
        return Interval(value, float("nan"), float("nan"), drawn)
    with np.errstate(invalid="ignore"):  # between infinite figures, as PSNR of equal pictures, lies NaN
        low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), drawn)
