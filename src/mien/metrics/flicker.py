"""How steady a changed clip is beside the original: flicker of its pixels, jitter of the points it hangs on."""

from __future__ import annotations

import numpy as np


def frame_change(before: np.ndarray, after: np.ndarray) -> float:
    """Return the mean absolute difference of two pictures of one shape, in grey levels."""
    return float(np.abs(after.astype(np.int16) - before).mean())


def jerk(points: np.ndarray) -> float:
    """Return the mean length of the second difference of three frames' points (3, N, 2): 0 of what moves evenly."""
    return float(np.hypot(*np.moveaxis(points[0] - 2 * points[1] + points[2], -1, 0)).mean())


class Mean:
    """A mean that keeps no values; NaN of none."""

    def __init__(self) -> None:
        self.total, self.count = 0.0, 0

    def add(self, value: float) -> None:
        """Take one value in."""
        self.total, self.count = self.total + value, self.count + 1

    @property
    def value(self) -> float:
        """The mean."""
        return self.total / self.count if self.count else float("nan")


class Steadiness:
    """Measures flicker and jitter while frames go by; keeps two frames.

    Flicker is the mean absolute change from frame to frame inside the face's box, in grey levels: of the result, beyond
    that of the original. Jitter is `jerk` of the eyes in per cent of their distance. Both count where neighbouring
    frames show the face.
    """

    def __init__(self) -> None:
        self.original, self.result, self.found, self.steadied = Mean(), Mean(), Mean(), Mean()
        self._pictures: tuple[np.ndarray, np.ndarray] | None = None
        self._eyes: list[np.ndarray] = []

    def see(
        self, original: np.ndarray, result: np.ndarray, box: tuple[float, float, float, float],
        found: np.ndarray, steadied: np.ndarray,
    ) -> None:  # fmt: skip
        """Take in a frame (H, W, 3) before and after, the face's box x, y, width, height, and its eyes (2, 2)."""
        x, y, w, h = (round(v) for v in box)
        here = (slice(max(y, 0), y + h), slice(max(x, 0), x + w))
        if self._pictures:
            self.original.add(frame_change(self._pictures[0][here], original[here]))
            self.result.add(frame_change(self._pictures[1][here], result[here]))
        self._pictures = original, result
        self._eyes = [*self._eyes[-2:], np.stack([found, steadied])]
        if len(self._eyes) == 3:
            percent = 100 / float(np.hypot(*(found[1] - found[0])))
            for mean, k in ((self.found, 0), (self.steadied, 1)):
                mean.add(percent * jerk(np.stack([eyes[k] for eyes in self._eyes])))

    def interrupt(self) -> None:
        """Say that the next frame does not follow on the last: a frame without a face lies between."""
        self._pictures, self._eyes = None, []

    @property
    def flicker(self) -> float:
        """Of the result beyond the original's, grey levels a frame."""
        return self.result.value - self.original.value
