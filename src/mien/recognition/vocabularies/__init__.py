"""Tables in the words of other tools, so that what reads theirs reads ours. docs/reading.md tells signs and gaps."""

from __future__ import annotations

from collections.abc import Sequence

from mien.errors import InputError
from mien.recognition.table import Row, columns_of
from mien.recognition.vocabularies import arkit, openface, pyfeat

OTHERS = {"pyfeat": pyfeat, "openface": openface, "arkit": arkit}
NAMES = ("mien", *OTHERS)


def check_vocabulary(name: str) -> None:
    """Raise InputError for a vocabulary that is not known."""
    if name not in NAMES:
        raise InputError(f"--columns {name}: choose from {', '.join(NAMES)}")


def spoken(rows: Sequence[Row], name: str) -> tuple[Sequence[Row], Sequence[str]]:
    """Return rows in the words of a vocabulary, and its columns; what is unknown has no cell."""
    if name not in OTHERS:
        return rows, columns_of(rows)
    other = OTHERS[name]
    return [other.cells(row) for row in rows], other.COLUMNS
