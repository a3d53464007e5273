"""The one-euro filter: steadies what is measured frame by frame, yet follows what moves.

Casiez, Roussel, Vogel: "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems",
CHI 2012. An exponential filter whose cutoff rises with the speed: what stands still does not tremble, what moves does
not lag. It needs the past alone, so a clip of any length takes the memory of two frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OneEuro:
    """How much a filter smooths."""

    cutoff: float  # Hz, of what stands still: the lower, the steadier
    beta: float  # Hz by which a speed of one unit a second raises it: the higher, the less lag
    speed_cutoff: float = 1.0  # Hz, of the speed itself; the paper's


@dataclass(frozen=True, eq=False)
class Smoothed:
    """What the filter knows after a frame."""

    raw: np.ndarray  # as measured
    value: np.ndarray  # smoothed
    speed: np.ndarray  # of the measurement, smoothed, a second


def share(cutoff: np.ndarray | float, seconds: float) -> np.ndarray:
    """Return the share that a new value has in an exponential filter of `cutoff` Hz, `seconds` after the one before."""
    return np.asarray(1 / (1 + 1 / (2 * np.pi * np.asarray(cutoff) * seconds)))


def one_euro(
    before: Smoothed | None, raw: np.ndarray, seconds: float, how: OneEuro, unit: float | np.ndarray = 1.0
) -> Smoothed:
    """Return the filter's next state, each number by itself; `before` is None at the beginning.

    `raw` has any shape, `seconds` > 0 have passed, speeds count in `unit`s a second.
    """
    if before is None:
        return Smoothed(raw, raw, np.zeros_like(raw))
    now = share(how.speed_cutoff, seconds).astype(raw.dtype)
    # In place where it may be: a clip's maps are a million numbers a frame, and what takes time is to fetch them.
    speed = raw - before.raw
    speed /= seconds
    speed -= before.speed
    speed *= now
    speed += before.speed
    weight = np.abs(speed)
    weight *= how.beta / unit
    weight += how.cutoff
    weight *= 2 * np.pi * seconds
    weight /= weight + 1  # as `share`
    value = raw - before.value
    value *= weight
    value += before.value
    return Smoothed(raw, value, speed)
