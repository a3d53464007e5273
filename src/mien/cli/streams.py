"""Standard output and errors, whatever they are: a terminal of another encoding, a full disk, nobody at all."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import Any

from mien.files import path_text


def open_streams() -> None:
    """Make both streams take any text, before anything is printed: what they cannot show is escaped.

    A stream that was closed by whoever started us leads nowhere.
    """
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - until the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


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
