"""What browsers sent and what was made for them, on disk: each thing in a folder of its own, for its browser alone."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mien.errors import InputError

SENT, MANY, MADE = "sent", "many", "made"
KEPT = {SENT: 20, MANY: 200, MADE: 10}
"""Of a browser: files that it sent, one by one or many at once, and results to be fetched; older ones are deleted."""

SHARE = 2 << 30  # bytes of a browser; then its oldest go
ROOM = 4 << 30  # bytes of all browsers together; then the oldest go, whosever they are
UNKNOWN = "this browser did not send that file, or it is no longer kept; give it again"


@dataclass(eq=False)
class Thing:
    """A file of one of the kinds in KEPT, and whose it is; its folder's name is the thing's, and cannot be guessed."""

    folder: Path
    owner: str
    kind: str
    file: Path | None = None  # None while it is not whole
    size: int = field(default=0)  # bytes
    open: bool = False  # worked on

    @property
    def name(self) -> str:
        """The name by which its owner asks for it."""
        return self.folder.name


class Store:
    """Things below a folder of the server's own, the oldest first. Safe to use from several threads."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.coming: Counter[str] = Counter()  # files that are being sent, by whom
        self._things: list[Thing] = []
        self._lock = threading.Lock()

    def new(self, owner: str, kind: str) -> Thing:
        """Return a new thing, without its file yet; what are too many goes, but for what is worked on."""
        thing = Thing(self.folder / secrets.token_urlsafe(18), owner, kind)
        thing.folder.mkdir(parents=True)
        with self._lock:
            alike = [one for one in self._things if (one.owner, one.kind, one.open) == (owner, kind, False)]
            old = alike[: max(0, len(alike) + 1 - KEPT[kind])]
            self._things = [*(one for one in self._things if one not in old), thing]
        self._delete(old)
        return thing

    def add(self, thing: Thing, file: Path) -> str:
        """Let a thing's owner have its file, which is whole now; return the name by which it is asked for.

        What is too much together goes, the oldest first, but for it and what is worked on.
        """
        thing.file, thing.size = file, file.stat().st_size
        with self._lock:
            old = beyond(SHARE, [one for one in self._things if one.owner == thing.owner], thing)
            old += beyond(ROOM, [one for one in self._things if one not in old], thing)
            self._things = [one for one in self._things if one not in old]
        self._delete(old)
        return thing.name

    def work_on(self, owner: str, name: str) -> None:
        """Let one of a browser's things stay however much comes, and no other of its."""
        with self._lock:
            for one in self._things:
                if one.owner == owner:
                    one.open = one.name == name

    def find(self, owner: str, name: str, kind: str | None = None) -> Path | None:
        """Return a file that a browser may have, of things of one kind if given; None for all else.

        Only the name that the browser was once told counts, and the disk is not asked: whatever was not sent looks
        alike, whether such a file exists or not.
        """
        with self._lock:
            for thing in self._things:
                if thing.owner == owner and thing.name == name and kind in (None, thing.kind):
                    return thing.file
        return None

    def drop(self, owner: str, name: str) -> None:
        """Delete a thing, if it is its owner's."""
        with self._lock:
            things = [one for one in self._things if (one.owner, one.name) == (owner, name)]
        self._take(things)

    def forget(self, owner: str) -> None:
        """Delete all of a browser's."""
        with self._lock:
            things = [one for one in self._things if one.owner == owner]
        self._take(things)

    def clear(self) -> None:
        """Delete all things: their files first, in no time, for a kill may follow."""
        with self._lock:
            things = list(self._things)
        for thing in things:
            for path in thing.folder.glob("*"):
                with suppress(OSError):
                    os.unlink(path)  # noqa: PTH108 (a Path takes as long as the deletion itself)
        self._take(things)

    def sent(self, owner: str, name: object) -> Path:
        """Return a file that a browser sent. Raises InputError, the same whatever else `name` is."""
        found = self.find(owner, name, SENT) or self.find(owner, name, MANY) if isinstance(name, str) else None
        if found is None:
            raise InputError(UNKNOWN)
        return found

    def _take(self, things: list[Thing]) -> None:
        with self._lock:
            self._things = [one for one in self._things if one not in things]
        self._delete(things)

    def _delete(self, things: list[Thing]) -> None:
        for one in things:
            shutil.rmtree(one.folder, ignore_errors=True)


def beyond(room: int, things: Sequence[Thing], new: Thing) -> list[Thing]:
    """Return the oldest of things, as many as must go for all to have `room`, in bytes; neither a new one nor open."""
    room, old = room - sum(one.size for one in things), []
    for one in things:
        if room < 0 and one is not new and not one.open:
            old.append(one)
            room += one.size
    return old
