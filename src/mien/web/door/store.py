"""What browsers sent and what was made for them, on disk: each thing in a folder of its own, for its browser alone."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mien.errors import InputError

SENT, MADE = "sent", "made"
KEPT = {SENT: 20, MADE: 10}
"""Of a browser: files that it sent and results to be fetched; older ones are deleted."""

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

    @property
    def name(self) -> str:
        """The name by which its owner asks for it."""
        return self.folder.name


class Store:
    """Things below a folder of the server's own, the oldest first. Safe to use from several threads."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._things: list[Thing] = []
        self._lock = threading.Lock()

    def new(self, owner: str, kind: str, spared: Collection[str] = ()) -> Thing:
        """Return a new thing, without its file yet; what is too old or too much goes, but for names `spared`."""
        thing = Thing(self.folder / secrets.token_urlsafe(18), owner, kind)
        thing.folder.mkdir(parents=True)
        with self._lock:
            alike = [one for one in self._things if (one.owner, one.kind) == (owner, kind) and one.name not in spared]
            old = alike[: max(0, len(alike) + 1 - KEPT[kind])]
            rest = [one for one in self._things if one not in old]
            room = ROOM - sum(one.size for one in rest)
            while room < 0 and rest:
                old.append(rest.pop(0))
                room += old[-1].size
            self._things = [*rest, thing]
        self._delete(old)
        return thing

    def add(self, thing: Thing, file: Path) -> str:
        """Let a thing's owner have its file, which is whole now; return the name by which it is asked for."""
        thing.file, thing.size = file, file.stat().st_size
        return thing.name

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
        found = self.find(owner, name, SENT) if isinstance(name, str) else None
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
