"""Long work with a name, that tells how far it is and can be cancelled: clips, moving photographs, tables."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from mien.errors import InputError
from mien.progress import Pace, Tell
from mien.web.faults import fault
from mien.web.turns import Turns

Make = Callable[[Tell], dict[str, Any]]
"""Does the work and returns what is told of it: `files` by what they are, `said` in words."""


class Cancelled(Exception):
    """Nobody wants the work any more."""


class Job:
    """Work in a thread of its own, which lets others have their turns between its pieces."""

    def __init__(self, kind: str, make: Make, turns: Turns):
        self.name, self.kind = secrets.token_urlsafe(18), kind
        self.state, self.error = "waiting", ""  # then working; done, failed or cancelled
        self.done = self.total = 0
        self.result: dict[str, Any] = {}
        self._make, self._turns = make, turns
        self.left: float | None = None  # seconds that the rest will take; None before anybody knows
        self._pace = Pace()
        self._cancelled = threading.Event()

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ("done", "failed", "cancelled")

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self.run, daemon=True).start()

    def cancel(self) -> None:
        """Stop before the next piece; nothing stays of what was made."""
        self._cancelled.set()

    def run(self) -> None:
        """Do the work; whatever goes wrong is told of it, not raised."""
        try:
            with self._turns.turn():
                self.state = "working"
                self.result = self._make(self._tell)
            self.state = "done"
        except Cancelled:
            self.state = "cancelled"
        except InputError as error:
            self.state, self.error = "failed", str(error)
        except Exception as error:
            self.state, self.error = "failed", fault(error)

    def _tell(self, done: int, total: int, note: str = "") -> None:
        self.done, self.total = done, total
        self.left = self._pace.left(done, total, time.monotonic()) if total else None
        if self._cancelled.is_set():
            raise Cancelled
        self._turns.others_first()

    def as_json(self) -> dict[str, Any]:
        """Return how far it is, for its browser."""
        told = {"name": self.name, "kind": self.kind, "state": self.state, "error": self.error, "left": self.left}
        return told | {"done": self.done, "total": self.total, **self.result}
