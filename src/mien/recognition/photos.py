"""Expressions of many photographs: a row for each face, and one with the error for each file that cannot be used."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mien.errors import InputError
from mien.faces.crop import FaceCrop, Picture, Which
from mien.faces.detect import Face
from mien.faces.landmarks import Landmarker
from mien.files import alone, path_text, place_of, writing
from mien.labels import AUS, CLASSES, au_name
from mien.media.picture import PICTURES
from mien.media.video.ffmpeg import is_clip
from mien.progress import Tell, untold
from mien.reading import read_bytes
from mien.recognition.table import PLACE, Row, columns_of
from mien.runtime.engine import Engine

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

_JOURNAL = 1 << 30  # bytes; a face takes some five hundred


class Crops(Protocol):
    """An engine with what cuts faces out of pictures for it, as `mien.Editor` is."""

    engine: Engine
    aligned: bool
    landmarker: Landmarker | None

    def crops(self, picture: Picture, number: Which = "all") -> list[FaceCrop]:
        """Return a picture's faces, from left to right."""
        ...

    def crop_at(self, picture: Picture, face: Face, number: int = 1) -> FaceCrop:
        """Return a face that was found before."""
        ...


def recognize_all(
    editor: Crops, paths: Sequence[str | Path], number: Which = "all", tell: Tell = untold
) -> pd.DataFrame:
    """Return a table of the faces in pictures and in folders of pictures, one `Row` each; what is unknown is missing.

    Raises InputError for a folder without pictures and for a model that cannot recognise.
    """
    import pandas as pd

    rows = find_rows(editor, paths, number, tell)
    return pd.DataFrame(rows, columns=columns_of(rows)).astype({"number": "Int64"})


def find_rows(
    editor: Crops, paths: Sequence[str | Path], number: Which = "all", tell: Tell = untold, journal: Path | None = None
) -> list[Row]:
    """Return `recognize_all`'s rows; `journal` is a file beside the table to be, from which a killed run goes on."""
    editor.engine.require("recognize")  # once, not for every picture
    files = pictures(paths)
    who = editor.landmarker.name if editor.landmarker else "cascade"
    made_by = {"model": editor.engine.fingerprint, "number": number, "aligned": editor.aligned, "landmarker": who}
    rows: list[Row] = []
    with _journal(journal, made_by) as (known, note):
        for k, path in enumerate(files, 1):
            mark = _mark(path)
            found = known.get(mark)
            if found is None:
                found = _rows_of(editor, path, number)
                note(mark, found)
            rows += found
            tell(k, len(files))
    return rows


def pictures(paths: Sequence[str | Path]) -> list[Path]:
    """Return the files among `paths`, and every picture in the folders among them, by name.

    Raises InputError for a folder without pictures.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(path.rglob("*")) if path.is_dir() else []
        found = [p for p in inside if p.suffix.lower() in PICTURES] if path.is_dir() else [path]
        clips = [p for p in inside if is_clip(p)]
        if not found:
            what = f"no picture but {len(clips)} clips: give them one by one" if clips else "no picture"
            raise InputError(f"{path}: the folder holds {what} ({', '.join(sorted(PICTURES))})")
        for clip in clips:
            log.warning("%s: a clip among pictures is passed over; give it by itself", clip)
        files += found
    return files


def _rows_of(editor: Crops, path: Path, number: Which) -> list[Row]:
    try:
        return [_row(editor.engine, path, cut) for cut in editor.crops(path, number)]
    except InputError as error:
        return [{"path": path_text(path), "error": path_text(str(error))}]


def _row(engine: Engine, path: Path, cut: FaceCrop) -> Row:
    found = engine.probabilities(cut.crop[None])[0].tolist()
    words = {word: round(p, 6) for word, p in zip(CLASSES, found, strict=True)}
    row: Row = {"path": path_text(path), "number": cut.number}
    row |= dict(zip(PLACE[2:], (round(v, 1) for v in cut.box), strict=True))
    if cut.left_out:
        row["left_out"] = list(cut.left_out)
    row |= {"eyes": cut.source, "expression": max(words, key=lambda word: words[word])} | words
    if "estimate_aus" in engine.abilities:
        values = engine.units_of(cut.crop[None])[0].tolist()
        row |= {au_name(au): round(v, 4) for au, v in zip(AUS, values, strict=True) if not math.isnan(v)}
    return row


def _mark(path: Path) -> str:
    """Return a file's name, size and date, by which the journal knows it: if it changes, it is read again."""
    try:
        state = path.stat()
    except OSError:
        return f"{path}"
    return f"{path} {state.st_size} {state.st_mtime_ns}"


def _kept(path: Path, made_by: Mapping[str, Any]) -> tuple[bool, dict[str, list[Row]]]:
    """Return whether a journal is of this model and these options, and the rows that it then keeps.

    Lines that are none of ours, or were cut short, are passed over.
    """
    lines: list[Any] = []
    if path.exists():
        text = read_bytes(path, "remove it, then go on", _JOURNAL).decode("utf-8", "replace")
        for line in text.splitlines():
            with suppress(ValueError, RecursionError):
                lines.append(json.loads(line))
    if not lines or lines[0] != dict(made_by):
        return False, {}
    columns = [*columns_of([]), *map(au_name, AUS)]
    return True, {line[0]: line[1] for line in lines[1:] if _is_entry(line, columns)}


def _is_entry(line: Any, columns: Sequence[str]) -> bool:
    """Return whether a journal's line is a mark with rows of the table."""
    if not (isinstance(line, list) and len(line) == 2 and isinstance(line[0], str) and isinstance(line[1], list)):
        return False
    plain = (str, int, float, type(None))
    return all(
        isinstance(row, dict)
        and "path" in row
        and ("error" in row or {*PLACE, "eyes", "expression", *CLASSES} <= row.keys())
        and all(name in columns and isinstance(value, plain) for name, value in row.items())
        for row in line[1]
    )


@contextmanager
def _journal(
    path: Path | None, made_by: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, list[Row]], Callable[[str, list[Row]], None]]]:
    """Give the rows that `path` keeps by `_mark`, and a function that adds rows: a line for each picture.

    A line cut short by a kill is skipped; a journal of another model or other options begins anew.
    """
    if path is None:
        yield {}, lambda mark, rows: None
        return
    same, known = _kept(path, made_by)
    with ExitStack() as held:
        with writing(path):
            file = place_of(path).open("a" if same else "w", encoding="utf-8")
        held.callback(writing(path)(file.close))  # what a full disk did not take is tried once more
        held.enter_context(alone(path))

        def note(text: str) -> None:
            with writing(path):
                file.write(f"{text}\n")
                file.flush()

        note("" if same else json.dumps(made_by))
        yield known, lambda mark, rows: note(json.dumps([mark, rows]))
