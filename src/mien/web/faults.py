"""Faults of mien's own in a line, for whoever met them."""

from __future__ import annotations

import traceback
from pathlib import PurePath


def fault(error: Exception) -> str:
    """Return a line that names the kind of a fault and its place, and no folder of the server's."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f", {PurePath(last[0].filename).name}:{last[0].lineno}" if last else ""
    return f"a fault of mien's own ({type(error).__name__}{place}); please report it, and try something else"
