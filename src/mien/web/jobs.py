"""Long work with a name, that tells how far it is and can be cancelled: clips, moving photographs, tables."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from mien.errors import InputError
from mien.progress import Tell
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
        self._began = time.monotonic()
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
                self.state, self._began = "working", time.monotonic()
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
        if self._cancelled.is_set():
            raise Cancelled
        self._turns.others_first()

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take, as the work went so far; None before anybody knows."""
        if self.state != "working" or self.done < 2 or not self.total:
            return None
        return (time.monotonic() - self._began) / self.done * max(0, self.total - self.done)

    def as_json(self) -> dict[str, Any]:
        """Return how far it is, for its browser."""
        told = {"name": self.name, "kind": self.kind, "state": self.state, "error": self.error, "left": self.left}
        return told | {"done": self.done, "total": self.total, **self.result}
