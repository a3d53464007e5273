"""Faces of very many photographs and clips, read on a Ray cluster: a table in parts, and addresses as files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.about import VERSION
from mien.errors import InputError
from mien.faces.crop import Which
from mien.files import path_text
from mien.media.remote import address_of, fetched, mark_of_any, readable
from mien.media.sources import files_in
from mien.recognition.face import Crops, How
from mien.recognition.read import each_row
from mien.recognition.table import Row, whole_frame
from mien.runtime.blendshape_reader import find_reader
from mien.runtime.engine import Ability

if TYPE_CHECKING:
    import pandas as pd


def all_marks(paths: Sequence[str | Path]) -> dict[str, str]:
    """Return every picture and clip among and in `paths`, folders and addresses too, each with what it is now.

    Raises InputError for a folder or an address without any.
    """
    marks: dict[str, str] = {}
    for path in paths:
        if (address := address_of(path)) is None:
            marks |= {str(file): mark_of_any(file) for file in files_in([path])}
            continue
        marks |= {one: mark_of_any(one) for one in readable(address)}
    return marks


def rows_of(editor: Crops, file: str, number: Which, how: How) -> list[Row]:
    """Return the rows of a file or of what an address names; a row with the error where it cannot be used."""
    address = address_of(file)
    if address is None:
        return list(each_row(editor, [file], number, how=how))
    try:
        with fetched(address) as copy:
            found = list(each_row(editor, [copy], number, how=how))
            here = path_text(copy)
    except InputError as error:
        return [{"path": address, "error": path_text(str(error))}]
    told = [row | {"path": address} for row in found]
    return [row | {"error": row["error"].replace(here, address)} if "error" in row else row for row in told]


@dataclass(frozen=True)
class ReadOrder:
    """How faces are read, for `mien.runtime.many`: names alone, from which each actor loads what it needs."""

    open_editor: Callable[[], Crops]
    number: Which = "all"
    reader: str | None = None
    least: float | None = None
    smooth: bool = False
    needs: Ability = "recognize"

    def how(self) -> How:
        """Return how faces are read, with the reader open. Raises InputError where it cannot be."""
        reader = find_reader(self.reader) if self.reader else None
        return How(reader, self.least, self.smooth, needs=self.needs)

    def open(self) -> Callable[[str], list[Row]]:
        """Return what reads a file. Raises InputError where the model cannot do what is asked."""
        editor, how = self.open_editor(), self.how()
        how.require(editor.engine)
        return lambda file: rows_of(editor, file, self.number, how)

    def frame(self, rows: list[Row]) -> pd.DataFrame:
        """Return rows as a table."""
        return whole_frame(rows)

    def made_by(self) -> dict[str, Any]:
        """Return all that rows depend on but the files; opens the model once, which shows that it can be opened."""
        editor, how = self.open_editor(), self.how()
        how.require(editor.engine)
        who = editor.landmarker.name if editor.landmarker else "cascade"
        same: dict[str, Any] = {"model": editor.engine.fingerprint, "number": self.number}
        same |= {"aligned": editor.aligned}
        same |= {"landmarker": who, "reader": self.reader, "least": self.least, "smooth": self.smooth}
        return same | {"by": VERSION}
