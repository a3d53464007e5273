"""What browsers sent and what was made for them, on disk: each thing in a folder of its own, for its browser alone."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mien.errors import InputError

SENT, MADE, SHOWN = "sent", "made", "shown"
KEPT = {SENT: 20, MADE: 20, SHOWN: 4}
"""Of a browser: photographs, results, and pairs of pictures that the page shows of results; older ones are deleted."""

ROOM = 4 << 30  # bytes of all browsers together; then the oldest go, whosever they are
UNKNOWN = "this browser did not send that photograph, or it is no longer kept; give it again"


@dataclass(eq=False)
class Thing:
    """Something of one of the kinds in KEPT: its folder, whose it is, and the files in it that may be fetched."""

    folder: Path
    owner: str
    kind: str
    files: set[str] = field(default_factory=set)
    size: int = 0  # bytes of those files


class Store:
    """Things below a folder of the server's own, the oldest first. Safe to use from several threads."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._things: list[Thing] = []
        self._lock = threading.Lock()

    def new(self, owner: str, kind: str) -> Path:
        """Return a new folder, whose name nobody can guess; what is too old or too much goes."""
        thing = Thing(self.folder / secrets.token_urlsafe(18), owner, kind)
        thing.folder.mkdir(parents=True)
        with self._lock:
            self._things.append(thing)
            alike = [one for one in self._things if (one.owner, one.kind) == (owner, kind)]
            old = alike[: -KEPT[kind]]
            rest = [one for one in self._things if one not in old and one is not thing]
            room = ROOM - sum(one.size for one in rest)
            while room < 0 and rest:
                old.append(rest.pop(0))
                room += old[-1].size
            self._things = [*rest, thing]
        for one in old:
            shutil.rmtree(one.folder, ignore_errors=True)
        return thing.folder

    def add(self, *paths: Path) -> None:
        """Let the owner of the things in which files lie have these files."""
        with self._lock:
            for path in paths:
                for thing in self._things:
                    if thing.folder in path.parents:
                        thing.files.add(str(path))
                        thing.size += path.stat().st_size

    def find(self, owner: str, path: str, kind: str | None = None) -> Path | None:
        """Return a file that a browser may have, of things of one kind if given; None for all else.

        Only the very text that the browser was once told counts, and the disk is not asked: whatever was not sent
        looks alike, whether such a file exists or not.
        """
        with self._lock:
            for thing in self._things:
                if thing.owner == owner and path in thing.files and kind in (None, thing.kind):
                    return Path(path)
        return None

    def clear(self) -> None:
        """Delete all things: their files first, in no time, for a kill may follow."""
        with self._lock:
            things, self._things = self._things, []
        for path in [path for thing in things for path in thing.files]:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108 (a Path takes as long as the deletion itself)
        for thing in things:
            shutil.rmtree(thing.folder, ignore_errors=True)

    def sent(self, owner: str, path: object) -> Path:
        """Return a photograph that a browser sent. Raises InputError, the same whatever else `path` is."""
        found = self.find(owner, path, SENT) if isinstance(path, str) else None
        if found is None:
            raise InputError(UNKNOWN)
        return found
