"""Standard output and errors, whatever they are: a terminal of another encoding, a full disk, nobody at all."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import Any

from mien.errors import InputError
from mien.files import path_text


class Unheard(io.TextIOWrapper):
    """Leads nowhere, in place of a stream that was closed by whoever started us; knows whether anything was told."""

    told = False

    def write(self, text: str) -> int:
        """Lose a text."""
        self.told = self.told or bool(text)
        return super().write(text)


def open_streams() -> None:
    """Make both streams take any text, before anything is printed: what they cannot show is escaped.

    A stream that was closed by whoever started us leads nowhere.
    """
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:
            nowhere = open(os.devnull, "wb")  # noqa: PTH123, SIM115 - until the end
            setattr(sys, name, Unheard(nowhere, encoding="utf-8", errors="backslashreplace"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def check_heard() -> None:
    """Raise InputError where something was printed that nobody can have read, now that all else is done."""
    if isinstance(sys.stdout, Unheard) and sys.stdout.told:
        raise InputError("standard output: is closed, so what was found was not told; leave it open, or >/dev/null")


def place_of_error(error: OSError) -> str:
    """Return what an error is about; without a name standard output, for all that writes files names them."""
    if error.filename is not None:
        return path_text(os.fsdecode(error.filename) if isinstance(error.filename, bytes) else str(error.filename))
    return "standard output" if error.errno in (errno.ENOSPC, errno.EPIPE, errno.EFBIG, errno.EIO) else "the system"


def lose_output() -> None:
    """Let what waits to be printed go nowhere where standard output takes no more: it is no second error."""
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
