"""The table of faces that were read: its columns, and CSV, JSON and parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.errors import InputError, missing
from mien.files import check_place, write_whole
from mien.labels import AUS, CLASSES, au_columns, au_name

if TYPE_CHECKING:
    import pandas as pd

TABLES = (".csv", ".json", ".parquet")
PLACE = ("path", "number", "x", "y", "width", "height")
TIME = ("frame", "time")
HEAD = ("score", "yaw", "pitch", "roll", "turned", "gaze_x", "gaze_y", "eye_left", "eye_right")
PRESENT = tuple(f"{au_name(au)}_present" for au in AUS)
FURTHER = ("unsure", *HEAD, *au_columns(), *au_columns("L"), *au_columns("R"), *PRESENT)
"""Columns that stand in a table where a row has them."""
WHOLE = frozenset({"number", "frame", "unsure", "turned", "face_id", "success", *PRESENT})
"""Columns of whole numbers."""

Row = dict[str, Any]
"""A face in a picture or a frame, by columns that docs/reading.md tells; or a frame that shows none: path, frame and
time; or a file: path and error. What stands in no column is `left_out`, the smaller faces where none was chosen, and
`points`, 68 landmarks x, y in pixels of the picture, one after the other, where they were asked for."""


_COLUMNS = frozenset({*PLACE, *TIME, "eyes", "expression", *CLASSES, *FURTHER, "error"})


def are_rows(found: Any) -> bool:
    """Return whether what a journal kept of a file are rows: of a failure, of frames without a face, of faces."""
    return isinstance(found, list) and all(map(_is_row, found))


def _is_row(row: Any) -> bool:
    if not (isinstance(row, dict) and "path" in row):
        return False
    face = row.keys() >= {*PLACE, "eyes"} and ("expression" not in row or row.keys() >= {*CLASSES})
    empty = row.keys() == {"path", *TIME}
    return ("error" in row or face or empty) and all(_fits(name, value) for name, value in row.items())


def _fits(name: str, value: Any) -> bool:
    if name == "points":
        return isinstance(value, list) and len(value) == 136 and all(isinstance(v, int | float) for v in value)
    return name in _COLUMNS and isinstance(value, str | int | float | None)


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Return the columns of a table of `rows`; of those that not every model knows only what any row has."""
    seen = {name for row in rows for name in row}
    nameless = "number" in seen and "expression" not in seen  # by a model that knows no words
    words = () if nameless else ("expression", *CLASSES)
    time, further = ([name for name in names if name in seen] for names in (TIME, FURTHER))
    return ["path", *time, *PLACE[1:], "eyes", *words, *further, "error"]


def check_table(path: Path) -> None:
    """Raise InputError, before long work, for a table that could not be written after it."""
    if path.suffix.lower() not in TABLES:
        raise InputError(f"{path}: unknown suffix '{path.suffix}'; name the table {', '.join(TABLES)}")
    check_place(path)
    if path.suffix.lower() == ".parquet":
        tables("pandas")  # where one of both is missing, say so before the work
        tables("pyarrow")


def tables(package: str) -> Any:
    """Return pandas or pyarrow. Raises InputError where it is not installed."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        raise missing("a table of faces", error) from error


def write_table(rows: Sequence[Row], path: Path, columns: Sequence[str] | None = None) -> None:
    """Write rows as .csv, .json or .parquet by the suffix, whole or not at all; in `columns_of`, or others."""
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        data = data_frame(rows, columns).to_parquet(index=False)
    else:
        data = (csv_text(rows, columns) if suffix == ".csv" else json_text(rows, columns)).encode()
    write_whole(path, data)


def data_frame(rows: Sequence[Row], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return rows as a pandas table; what is unknown is missing."""
    table = tables("pandas").DataFrame(rows, columns=list(columns or columns_of(rows)))
    return table.astype({name: "Int64" for name in table.columns if name in WHOLE})


def whole_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Return rows with every column that a table may have and the same types, whatever stands in them.

    So tables of parts can be read as one.
    """
    import pandas as pd

    names = ["path", *TIME, *PLACE[1:], "eyes", "expression", *CLASSES, *FURTHER, "error"]
    words = {"path", "eyes", "expression", "error"}
    table = pd.DataFrame(rows, columns=names)
    return table.astype({n: "string" if n in words else "Int64" if n in WHOLE else "Float64" for n in names})


def csv_text(rows: Sequence[Row], columns: Sequence[str] | None = None) -> str:
    """Return rows as CSV with a header; what is unknown is empty."""
    text = io.StringIO()
    names = columns or columns_of(rows)
    writer = csv.DictWriter(text, names, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def json_text(rows: Sequence[Row], columns: Sequence[str] | None = None) -> str:
    """Return rows as a JSON list of objects; what is unknown is null."""
    names = columns or columns_of(rows)
    return json.dumps([{name: row.get(name) for name in names} for row in rows], indent=1) + "\n"
