"""Small files that come from elsewhere, as text, JSON and tables: never waited for, never read without a bound.

Whatever is wrong with one is an InputError, one line that names it. `data.arrays` does the same for arrays,
`media.picture` for pictures.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from mien.errors import InputError

SMALL = 64 << 20  # bytes of a text or JSON file, which is read at once
TABLE = 1 << 30  # bytes of a table, which is read line by line
LINE = 16 << 20  # characters of a table's line
CELL = 1 << 20  # characters of a table's cell; Python's own bound is 131,072, which one picture's pixels may pass


def as_path(given: Any, example: str) -> Path:
    """Return a path that a program gives, as text or alike. Raises InputError for anything else; `example` is one."""
    if isinstance(given, str | os.PathLike):
        return Path(given)
    raise InputError(f"expected a path, as {example!r}; got {article(given)}")


def article(given: Any) -> str:
    """Return what kind of thing something is, in words, as "a BytesIO"; "None" for that."""
    name = type(given).__name__
    return "None" if given is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


@contextmanager
def opened(path: Path, expected: str, most: int | None = None) -> Iterator[BinaryIO]:
    """Open a regular file of at most `most` bytes. A pipe or a device is never waited for.

    `expected` ends the line about what is none, as "expected a folds file". Raises InputError, also for what goes
    wrong in the file system while it is read.
    """
    try:
        # Without waiting: a pipe that nobody writes to would hold the opening itself, before it can be looked at.
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(number, "rb") as file:
            about = os.fstat(number)
            if not stat.S_ISREG(about.st_mode):
                what = "a folder" if stat.S_ISDIR(about.st_mode) else "not a regular file"
                raise InputError(f"{path}: {what}; {expected}")
            if most is not None and about.st_size > most:
                raise InputError(f"{path}: {about.st_size / 2**20:,.0f} MiB, more than {most >> 20:,}; {expected}")
            yield file
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; {expected}") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: a folder; {expected}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); {expected}") from error
    except ValueError as error:  # a name with a NUL in it
        if isinstance(error, InputError | UnicodeError | csv.Error) or "null" not in str(error):
            raise
        raise InputError(f"{str(path)!r}: no file can have this name; {expected}") from error


def read_bytes(path: Path, expected: str, most: int = SMALL) -> bytes:
    """Return a small file's bytes. Raises InputError as `opened` does."""
    with opened(path, expected, most) as file:
        return file.read(most + 1)


def read_text(path: Path, expected: str, strict: bool = True) -> str:
    """Return a small UTF-8 file's text; what is not UTF-8 is replaced unless `strict`. Raises InputError."""
    data = read_bytes(path, expected)
    try:
        return data.decode("utf-8-sig", "strict" if strict else "replace")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text ({error.reason} at byte {error.start}); {expected}") from error


def read_json(path: Path, expected: str, shape: Any = object) -> Any:
    """Return what a small JSON file holds, which has the `shape` that `misfit` takes. Raises InputError."""
    return parse_json(read_text(path, expected), str(path), expected, shape)


def parse_json(text: str, name: str, expected: str, shape: Any = object) -> Any:
    """Return what JSON says, which has the `shape` that `misfit` takes; `name` is where it stands. Raises InputError.

    Nested too deeply and lone surrogates count as no JSON; a number that no float can hold is infinite.
    """
    try:
        found = json.loads(text, parse_int=_whole)
    except RecursionError as error:
        raise InputError(f"{name}: is nested too deeply; {expected}") from error
    except ValueError as error:
        raise InputError(f"{name}: cannot be read as JSON ({error}); {expected}") from error
    if problem := misfit(found, shape, ""):
        raise InputError(f"{name}: {problem}; {expected}")
    return found


def _whole(digits: str) -> int | float:
    """Return a whole number; of so many digits that what is computed by it would overflow, the infinite one."""
    return int(digits) if len(digits) <= sys.float_info.max_10_exp else float(digits)


KINDS = {int: "whole number", str: "text", float: "finite number or null", dict: "object", list: "list", bool: "yes/no"}


def misfit(value: Any, wanted: Any, where: str) -> str | None:
    """Return in words the first place where a value is not of the wanted form, None where all fits.

    A form is a kind of KINDS, or `object` for anything; {"name": form} for what must be there, of which more may be;
    {"*": form} for any names; [form] for a list of them.
    """
    if isinstance(wanted, dict):
        if not isinstance(value, dict):
            return f"{where or 'the whole'} is no object"
        names = dict.fromkeys(value, wanted["*"]) if "*" in wanted else wanted
        lacking = next((f"{where}.{name}".strip(".") for name in names if name not in value), None)
        inner = (misfit(value[name], form, f"{where}.{name}".strip(".")) for name, form in names.items())
        return f"{lacking} is missing" if lacking else next((found for found in inner if found), None)
    if isinstance(wanted, list):
        if not isinstance(value, list):
            return f"{where or 'the whole'} is no list"
        found = (misfit(one, wanted[0], f"{where}[{k}]") for k, one in enumerate(value))
        return next((one for one in found if one), None)
    return None if _is(value, wanted) else f"{where or 'the whole'} is {str(value)[:40]!r}, no {KINDS[wanted]}"


def _is(value: Any, kind: type) -> bool:
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return value is None or (number and math.isfinite(value))
    return kind is object or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool)))


def csv_rows(path: Path, expected: str, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield a table's rows with the lines on which they end; a byte order mark is passed over.

    Cells are parted by commas, or by semicolons as in Europe's spreadsheets where the first line has no comma.
    With `strict`, what is not UTF-8 or not well quoted is an error, else it is replaced or taken as it comes, without
    the spaces that some programs write after commas. Raises
    InputError for that, and for lines and cells longer than LINE and CELL.
    """
    csv.field_size_limit(CELL)
    with opened(path, expected, TABLE) as file:
        try:
            lines = _lines(path, file, strict, expected)
            head = next(lines, "")
            parted = ";" if ";" in head and "," not in head else ","
            reader = csv.reader(chain([head], lines), delimiter=parted, strict=strict, skipinitialspace=not strict)
            for row in reader:
                yield reader.line_num, row
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read as UTF-8 comma-separated text ({error}); {expected}") from error


def _lines(path: Path, file: BinaryIO, strict: bool, expected: str) -> Iterator[str]:
    errors, first = "strict" if strict else "replace", True
    while line := file.readline(LINE + 1):
        if len(line) > LINE:
            raise InputError(f"{path}: has a line of more than {LINE >> 20} MiB; {expected}")
        yield line.decode("utf-8-sig" if first else "utf-8", errors)
        first = False


def csv_records(path: Path, expected: str, names: tuple[str, ...] | None = None) -> Iterator[Mapping[str, str]]:
    """Yield a table's rows by the names in its header, or by `names` where it has none; lacking cells are ''."""
    header: list[str] | tuple[str, ...] | None = names
    for _, row in csv_rows(path, expected):
        if header is None:
            header = [name.strip() for name in row]
        elif row:
            yield dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=False))


def number_of(text: str) -> float:
    """Return the number that a table's cell is, whose decimal sign may be a comma. Raises ValueError for none.

    >>> number_of("0,5")
    0.5
    """
    return float(text.replace(",", "."))


def sha256_of(path: Path, expected: str) -> str:
    """Return the SHA-256 of a regular file of any size, which is never in memory as a whole. Raises InputError."""
    found = hashlib.sha256()
    with opened(path, expected) as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()
