"""Polite ends of the command: hung up, quit or terminated, it cleans up as it does after Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")  # of which a system has some


class Ending:
    """Which signal asked for the end."""

    number: int = signal.SIGINT
    asked = False

    @property
    def code(self) -> int:
        """The exit code by which a shell tells of a signal."""
        return 128 + self.number

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Do what Ctrl-C would, once: a second signal must not break off the cleaning up."""
        if self.asked:
            return
        self.asked, self.number = True, number
        handler = signal.getsignal(signal.SIGINT)  # a training's, which ends its step first, or Python's own
        if callable(handler):
            handler(signal.SIGINT, frame)
        else:
            raise KeyboardInterrupt


@contextmanager
def endings() -> Iterator[Ending]:
    """Take the signals that end a process for Ctrl-C, so that nothing half-written or private stays behind.

    Those that are ignored, as after nohup, or that somebody else handles, are left alone.
    """
    ending, before = Ending(), {}
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
            if signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, ending.ask)
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
