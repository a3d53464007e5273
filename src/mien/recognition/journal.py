"""The journal beside a table to be: rows of the files that are done, from which a killed run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from mien.files import alone, place_of, writing
from mien.labels import CLASSES
from mien.reading import opened
from mien.recognition.table import FURTHER, PLACE, TIME, Row

_COLUMNS = frozenset({*PLACE, *TIME, "eyes", "expression", *CLASSES, *FURTHER, "error"})
_LINE = 1 << 30  # bytes of a file's rows, of which a long clip has hundreds of millions


def mark_of(path: Path) -> str:
    """Return a file's name, size and date, by which the journal knows it: if it changes, it is read again."""
    try:
        state = path.stat()
    except OSError:
        return f"{path}"
    return f"{path} {state.st_size} {state.st_mtime_ns}"


@contextmanager
def open_journal(
    path: Path | None, made_by: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, list[Row]], Callable[[str, list[Row]], None]]]:
    """Give the rows that `path` keeps by `mark_of`, and a function that adds rows: a line for each file.

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


def _kept(path: Path, made_by: Mapping[str, Any]) -> tuple[bool, dict[str, list[Row]]]:
    """Return whether a journal is of this model and these options, and the rows that it then keeps.

    Lines that are none of ours, or were cut short, are passed over.
    """
    known: dict[str, list[Row]] = {}
    if not path.exists():
        return False, known
    first = True
    with opened(path, "remove it, then go on") as file:
        while text := file.readline(_LINE):
            line: Any = None
            with suppress(ValueError, RecursionError):
                line = json.loads(text.decode("utf-8", "replace"))
            if first and line is not None:
                if line != dict(made_by):
                    return False, {}
                first = False
            elif _is_entry(line):
                known[line[0]] = line[1]
    return not first, known


def _is_entry(line: Any) -> bool:
    """Return whether a journal's line is a mark with rows of the table."""
    if not (isinstance(line, list) and len(line) == 2 and isinstance(line[0], str) and isinstance(line[1], list)):
        return False
    return all(map(_is_row, line[1]))


def _is_row(row: Any) -> bool:
    """Return whether something is a row: of a failure, of a frame without a face, or of a face."""
    if not (isinstance(row, dict) and "path" in row):
        return False
    face = row.keys() >= {*PLACE, "eyes"} and ("expression" not in row or row.keys() >= {*CLASSES})
    empty = row.keys() == {"path", *TIME}
    return ("error" in row or face or empty) and all(_fits(name, value) for name, value in row.items())


def _fits(name: str, value: Any) -> bool:
    if name == "points":
        return isinstance(value, list) and len(value) == 136 and all(isinstance(v, int | float) for v in value)
    return name in _COLUMNS and isinstance(value, str | int | float | None)
