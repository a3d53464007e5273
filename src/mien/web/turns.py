"""One thing at a time: each takes all cores. Who asked first has the first turn, so that nobody waits for ever."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from mien.errors import InputError

MOST = 200  # who may wait; of more, those who come are told so
CLOSED = "the page is being closed"


class Turns:
    """A lock that is handed on in the order in which it was asked for. Raises InputError once it is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._held = False
        self.closed = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it."""
        self.take()
        try:
            yield
        finally:
            self.give()

    def take(self, at_the_end: bool = False) -> None:
        """Wait for a turn, `at_the_end` even where nobody else has one any more."""
        mine = None
        with self._lock:
            if len(self._waiting) >= MOST:
                raise InputError("too many people use this page right now; try again in a minute")
            if self._held:
                mine = threading.Event()
                self._waiting.append(mine)
            self._held = True
        if mine is not None:
            mine.wait()
        if self.closed and not at_the_end:
            self.give()
            raise InputError(CLOSED)

    def give(self) -> None:
        """Hand the turn on."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False

    def others_first(self) -> None:
        """Within long work that holds a turn: let those who wait have theirs, and hold it again, whatever happened."""
        self.give()
        self.take(at_the_end=True)
        if self.closed:
            raise InputError(CLOSED)
