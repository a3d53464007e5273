"""Expressions of many photographs: a row a face; a file that cannot be used is a row with its error."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from mien.errors import InputError
from mien.files import check_place, write_whole
from mien.labels import AUS, CLASSES
from mien.models.contract import EstimatesAus, Recognizes
from mien.models.registry import able
from mien.progress import Tell, untold

if TYPE_CHECKING:
    import pandas as pd

    from mien.editor import Editor, Seen, Which

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
TABLES = (".csv", ".json", ".parquet")
PLACE = ("path", "number", "x", "y", "width", "height")

Row = dict[str, Any]
"""PLACE (pixels, number 1 the leftmost), eyes (who found them), expression, a probability a word, AU01 … 0-5, error.

Action units are there if the model has them.
"""


def recognize_all(
    editor: Editor, paths: Sequence[str | Path], number: Which = "all", tell: Tell = untold
) -> pd.DataFrame:
    """Return a row a face of pictures and of every picture in folders, as `Row`; what there is not, is missing.

    Raises InputError for a folder without pictures and for a model that cannot recognise.
    """
    import pandas as pd

    rows = find_rows(editor, paths, number, tell)
    return pd.DataFrame(rows, columns=columns_of(rows)).astype({"number": "Int64"})


def find_rows(
    editor: Editor,
    paths: Sequence[str | Path],
    number: Which = "all",
    tell: Tell = untold,
    journal: Path | None = None,
) -> list[Row]:
    """Return `recognize_all`'s rows; `journal` is a file beside the table to be, from which a killed run goes on."""
    able(editor.model, Recognizes)  # once, not for every picture
    files = pictures(paths)
    who = editor.landmarker.name if editor.landmarker else "cascade"
    made_by = {"model": editor.fingerprint, "number": number, "aligned": editor.aligned, "landmarker": who}
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
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in PICTURES) if path.is_dir() else [path]
        if not found:
            raise InputError(f"{path}: the folder holds no picture ({', '.join(sorted(PICTURES))})")
        files += found
    return files


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Return the columns of a table of `rows`; action units are those that any row has."""
    units = [name for name in map(_unit, AUS) if any(name in row for row in rows)]
    return [*PLACE, "eyes", "expression", *CLASSES, *units, "error"]


def check_table(path: Path) -> None:
    """Raise InputError, before long work, for a table that could not be written after it."""
    if path.suffix.lower() not in TABLES:
        raise InputError(f"{path}: unknown suffix '{path.suffix}'; name the table {', '.join(TABLES)}")
    check_place(path)
    if path.suffix.lower() == ".parquet":
        import pyarrow  # noqa: F401 - pandas asks for it only when it writes


def write_table(rows: Sequence[Row], path: Path) -> None:
    """Write rows as .csv, .json or .parquet by the suffix, whole or not at all."""
    suffix, columns = path.suffix.lower(), columns_of(rows)
    if suffix == ".parquet":
        import pandas as pd

        data = pd.DataFrame(rows, columns=columns).astype({"number": "Int64"}).to_parquet(index=False)
    else:
        data = (csv_text(rows) if suffix == ".csv" else json_text(rows)).encode("utf-8", "surrogateescape")
    write_whole(path, data)


def csv_text(rows: Sequence[Row]) -> str:
    """Return rows as CSV with a head; what there is not, is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns_of(rows), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def json_text(rows: Sequence[Row]) -> str:
    """Return rows as a JSON list of objects; what there is not, is null."""
    columns = columns_of(rows)
    return json.dumps([{name: row.get(name) for name in columns} for row in rows], indent=1) + "\n"


def _unit(au: int) -> str:
    return f"AU{au:02d}"


def _rows_of(editor: Editor, path: Path, number: Which) -> list[Row]:
    try:
        return [_row(editor, path, seen) for seen in editor.faces(path, number)]
    except InputError as error:
        return [{"path": str(path), "error": str(error)}]


@torch.inference_mode()
def _row(editor: Editor, path: Path, seen: Seen) -> Row:
    found = able(editor.model, Recognizes).recognize(seen.crop).probabilities[0].tolist()
    words = {word: round(p, 6) for word, p in zip(CLASSES, found, strict=True)}
    row: Row = {"path": str(path), "number": seen.number}
    row |= dict(zip(PLACE[2:], (round(v, 1) for v in seen.box), strict=True))
    row |= {"eyes": seen.source, "expression": max(words, key=lambda word: words[word])} | words
    if isinstance(editor.model, EstimatesAus):
        values = editor.model.estimate_aus(seen.crop)[0].tolist()
        row |= {_unit(au): round(v, 4) for au, v in zip(AUS, values, strict=True) if not math.isnan(v)}
    return row


def _mark(path: Path) -> str:
    """A file's name and state: a picture that was changed since is looked at again."""
    try:
        state = path.stat()
    except OSError:
        return f"{path}"
    return f"{path} {state.st_size} {state.st_mtime_ns}"


@contextmanager
def _journal(
    path: Path | None, made_by: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, list[Row]], Callable[[str, list[Row]], None]]]:
    """Give the rows that `path` keeps by mark, and what adds to them, a line a picture.

    A line cut short by a kill is passed over; a journal of another model or another question begins anew.
    """
    if path is None:
        yield {}, lambda mark, rows: None
        return
    lines: list[Any] = []
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    for line in text.splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue
    same = bool(lines) and lines[0] == dict(made_by)
    known = dict(lines[1:]) if same else {}
    with path.open("a" if same else "w", encoding="utf-8") as file:
        file.write("\n" if same else json.dumps(made_by) + "\n")

        def note(mark: str, rows: list[Row]) -> None:
            file.write(json.dumps([mark, rows]) + "\n")
            file.flush()

        yield known, note
