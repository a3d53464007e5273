"""A folder for as long as a process lives, and no longer: what a killed one left, the next one clears away."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

LOCK = "lock"


@contextmanager
def living_folder(prefix: str) -> Iterator[Path]:
    """Yield a new folder among the temporary ones, for this user alone, which goes at the end.

    Folders of that prefix whose process was killed go at the beginning. A process holds a lock on a file in its
    folder, which the system lets go of however the process ends; so those of living processes are left alone.
    """
    clear(prefix)
    folder, lock = _new(prefix)
    try:
        yield folder
    finally:
        lock.close()  # before the rest: Windows deletes no file that is open
        shutil.rmtree(folder, ignore_errors=True)


def clear(prefix: str) -> None:
    """Delete this user's folders that no living process holds."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):
            own = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
            if not own or folder.is_symlink() or not (folder / LOCK).is_file():
                continue  # somebody else's, or just begun by a process that has not locked it yet
            with (folder / LOCK).open("r+b") as lock:
                if not _take(lock):
                    continue
                shutil.rmtree(folder, ignore_errors=True)  # while the lock is ours: nobody begins to use it
            shutil.rmtree(folder, ignore_errors=True)  # Windows deletes no file that is open


def _new(prefix: str) -> tuple[Path, IO[bytes]]:
    """Make a folder and lock it; again, where another process took it for a dead one's before it was locked."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
        with suppress(FileNotFoundError):
            lock = (folder / LOCK).open("w+b")
            if _take(lock) and folder.is_dir():
                return folder, lock
            lock.close()


def _take(file: IO[bytes]) -> bool:
    """Lock an open file, without waiting; return whether nobody else held it."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
