"""The table of recognised faces: its columns, and CSV, JSON and parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.files import check_place, write_whole
from mien.labels import AUS, CLASSES, au_name

TABLES = (".csv", ".json", ".parquet")
PLACE = ("path", "number", "x", "y", "width", "height")


Row = dict[str, Any]
"""A face: PLACE (pixels; number 1 is the leftmost), eyes (what found them), expression, the probability of every word,
AU01 … 0-5 if the model measures them; or a file: path and error. What stands in no column is `left_out`, the smaller
faces where none was chosen."""


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Return the columns of a table of `rows`; action units are those that any row has."""
    units = [name for name in map(au_name, AUS) if any(name in row for row in rows)]
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
        data = (csv_text(rows) if suffix == ".csv" else json_text(rows)).encode()
    write_whole(path, data)


def csv_text(rows: Sequence[Row]) -> str:
    """Return rows as CSV with a header; what is unknown is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns_of(rows), restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def json_text(rows: Sequence[Row]) -> str:
    """Return rows as a JSON list of objects; what is unknown is null."""
    columns = columns_of(rows)
    return json.dumps([{name: row.get(name) for name in columns} for row in rows], indent=1) + "\n"
