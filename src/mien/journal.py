"""A journal beside what is being made: what became of the files that are done, from which a killed run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.files import alone, place_of, writing
from mien.reading import opened

_LINE = 1 << 30  # bytes of a file's entry, of which a long clip's rows have hundreds of millions

Entries = Mapping[str, Any]
"""What became of each file, by `mark_of`: whatever JSON can hold."""
Note = Callable[[str, Any], None]
"""Adds what became of the file of a mark."""


def mark_of(path: Path) -> str:
    """Return a file's name, size and date, by which the journal knows it: if it changes, it is done again."""
    try:
        state = path.stat()
    except OSError:
        return f"{path}"
    return f"{path} {state.st_size} {state.st_mtime_ns}"


@contextmanager
def open_journal(
    path: Path | None, made_by: Mapping[str, Any], fits: Callable[[Any], bool], asked: Path | None = None
) -> Iterator[tuple[Entries, Note]]:
    """Give what the journal at `path` keeps, and what adds to it: a line for each file. Without a path none is kept.

    `made_by` says all that an entry depends on; a journal of another model or other options begins anew. A line cut
    short by a kill, and one whose entry does not fit, is passed over. Raises InputError where another process holds it,
    and about `asked`, what the user named, where the disk refuses; a journal that keeps nothing then goes.
    """
    if path is None:
        yield {}, lambda mark, entry: None
        return
    asked = asked or path
    with ExitStack() as held:
        with writing(asked):
            file = place_of(path).open("a", encoding="utf-8")
        held.callback(writing(asked)(file.close))  # what a full disk did not take is tried once more
        held.enter_context(alone(path))
        held.callback(_remove_vain, path)
        same, known = _kept(path, json.loads(json.dumps(made_by)), fits)

        def note(text: str) -> None:
            with writing(asked):
                file.write(f"{text}\n")
                file.flush()

        if not same:
            file.truncate(0)
        note("" if same else json.dumps(made_by))
        yield known, lambda mark, entry: note(json.dumps([mark, entry]))


def _remove_vain(path: Path) -> None:
    """Remove a journal without an entry, which its writer holds."""
    with suppress(OSError, InputError), opened(path, "expected a journal") as file:
        if len(list(islice(file, 2))) < 2:
            path.unlink()


def _kept(path: Path, made_by: Mapping[str, Any], fits: Callable[[Any], bool]) -> tuple[bool, dict[str, Any]]:
    """Return whether a journal is of this model and these options, and what it then keeps."""
    known: dict[str, Any] = {}
    first = True
    with opened(path, "remove it, then go on") as file:
        while text := file.readline(_LINE):
            line: Any = None
            with suppress(ValueError, RecursionError):
                line = json.loads(text.decode("utf-8", "replace"))
            if first and line is not None:
                if line != made_by:
                    return False, {}
                first = False
            elif isinstance(line, list) and len(line) == 2 and isinstance(line[0], str) and fits(line[1]):
                known[line[0]] = line[1]
    return not first, known
