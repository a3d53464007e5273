"""The one way in which long work says how far it is."""

from collections import deque
from statistics import median
from typing import Protocol

LAST = 50  # steps of the work that are remembered


class Tell(Protocol):
    """Is called now and then with how many pieces are done, of how many, and perhaps what is being worked on."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Say that `done` of `total` is done."""
        ...


def untold(done: int, total: int, note: str = "") -> None:
    """Tell nobody."""


class Pace:
    """How long work will still take, by the median of its last pieces.

    So what it took to begin does not count, nor a pause, as of a computer that slept; where the count begins anew, as
    with the next of several nets, so does the pace.
    """

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None
        self._seconds: deque[float] = deque(maxlen=LAST)

    def left(self, done: int, total: int, now: float) -> float | None:
        """Return the seconds that the rest will take, `done` of `total` done at `now`; None before anybody knows."""
        if self._last is None or done < self._last[0]:
            self._last = done, now
            self._seconds.clear()
        elif done > self._last[0]:
            self._seconds.append((now - self._last[1]) / (done - self._last[0]))
            self._last = done, now
        return median(self._seconds) * max(0, total - done) if self._seconds else None
