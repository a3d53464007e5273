"""Rows grouped by a label, and fair draws from a row's group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Good = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Takes (n,) places in a batch and (n,) rows offered to them; returns (n,) bool: which of the rows will do."""

TRIES = 12
"""Draws that are tried before all rows of a group are looked through, which is as fair but slower."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows sorted by label: label l's are `order[start[l] : start[l] + count[l]]`."""

    order: np.ndarray
    start: np.ndarray  # (L,) int64
    count: np.ndarray  # (L,) int64

    def __getitem__(self, label: int) -> np.ndarray:
        return self.order[self.start[label] : self.start[label] + self.count[label]]

    def draw(self, rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
        """Return one row of each label's group (n,); no group may be empty."""
        return self.order[self.start[labels] + (rng.random(len(labels)) * self.count[labels]).astype(np.int64)]


def group(labels: np.ndarray, size: int) -> Groups:
    """Group the rows of (N,) labels 0..size-1; rows labelled -1 are in no group."""
    order = np.argsort(labels, kind="stable")
    order = order[np.count_nonzero(labels < 0) :]
    count = np.bincount(labels[labels >= 0], minlength=size)
    return Groups(order, np.cumsum(count) - count, count)


def pick(rng: np.random.Generator, groups: Groups, labels: np.ndarray, good: Good) -> np.ndarray:
    """Return for each of (n,) labels a row of its group that is `good`, all such rows equally likely.

    Raises ValueError where a group has none.
    """
    rows = np.full(len(labels), -1, dtype=np.int64)
    left = np.arange(len(labels))
    for _ in range(TRIES):
        if not len(left):
            return rows
        offered = groups.draw(rng, labels[left])
        fit = good(left, offered)
        rows[left[fit]] = offered[fit]
        left = left[~fit]
    for place in left.tolist():
        options = groups[int(labels[place])]
        options = options[good(np.full(len(options), place), options)]
        if not len(options):
            raise ValueError(f"group {labels[place]} has no row that will do")
        rows[place] = options[int(rng.random() * len(options))]
    return rows
