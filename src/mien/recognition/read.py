"""Faces of many photographs and clips: a row for each, and one with the error for each file that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mien.errors import InputError
from mien.faces.crop import Which
from mien.files import path_text
from mien.journal import mark_of, open_journal
from mien.media.sources import files_in
from mien.media.video.ffmpeg import is_clip
from mien.progress import Tell, untold
from mien.recognition.clips import clip_rows
from mien.recognition.face import Crops, How, read_faces
from mien.recognition.table import Row, are_rows, data_frame, tables

if TYPE_CHECKING:
    import pandas as pd


def recognize_all(
    editor: Crops,
    paths: Sequence[str | Path] | str | Path,
    number: Which = "all",
    tell: Tell = untold,
    how: How | None = None,
) -> pd.DataFrame:
    """Return a table of the faces in pictures, clips and folders of them, one `Row` each; what is unknown is missing.

    Raises InputError for a folder without pictures and clips, and for a model that cannot recognise.
    """
    tables("pandas")  # where it is missing, say so before the work
    return data_frame(find_rows(editor, paths, number, tell, how=how))


def find_rows(
    editor: Crops,
    paths: Sequence[str | Path] | str | Path,
    number: Which = "all",
    tell: Tell = untold,
    journal: Path | None = None,
    how: How | None = None,
) -> list[Row]:
    """Return `each_row`'s rows."""
    return list(each_row(editor, paths, number, tell, journal, how))


def each_row(
    editor: Crops,
    paths: Sequence[str | Path] | str | Path,
    number: Which = "all",
    tell: Tell = untold,
    journal: Path | None = None,
    how: How | None = None,
    table: Path | None = None,
) -> Iterator[Row]:
    """Yield rows as files and frames are read; a killed run goes on in `journal`, a file beside the `table` to be.

    In clips `number` is of the person in the first frame that shows so many.
    """
    how = how or How()
    how.require(editor.engine)  # once, not for every picture
    files = files_in(paths)
    who = editor.landmarker.name if editor.landmarker else "cascade"
    reader = how.reader.name if how.reader else None
    made_by: dict[str, object] = {"model": editor.engine.fingerprint, "number": number, "aligned": editor.aligned}
    made_by |= {"landmarker": who, "reader": reader, "points": how.points, "least": how.least, "smooth": how.smooth}
    made_by |= {"columns": 2}  # of which kind the rows are
    with open_journal(journal, made_by, are_rows, table) as (known, note):
        for k, path in enumerate(files):
            mark = mark_of(path)
            rows = known.get(mark, [])
            yield from rows
            if mark not in known:
                for row in _rows_of(editor, path, number, how, _inner(tell, path, k, len(files))):
                    rows.append(row)
                    yield row
                note(mark, rows)
            if len(files) > 1 or not is_clip(path):
                tell(k + 1, len(files))


def _inner(tell: Tell, path: Path, k: int, count: int) -> Tell:
    """Return what says how far the k-th of the files is, frame by frame."""
    if count == 1:
        return tell

    def inner(done: int, total: int, note: str = "") -> None:
        tell(k, count, f"{path.name}: frame {done} of {total}")

    return inner


def _rows_of(editor: Crops, path: Path, number: Which, how: How, tell: Tell) -> Iterator[Row]:
    try:
        if is_clip(path):
            yield from clip_rows(editor, path, number, how, tell)
        else:
            rows = read_faces(editor.engine, editor.crops(path, number), how)
            yield from ({"path": path_text(path), **row} for row in rows)
    except InputError as error:
        yield {"path": path_text(path), "error": path_text(str(error))}
