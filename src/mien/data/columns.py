"""The columns of `metadata.csv`: which are known, what their cells may hold, and how cells become arrays."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.errors import InputError
from mien.labels import AUS, EXPRESSIONS, au_columns
from mien.reading import csv_rows, number_of

METADATA = "metadata.csv"
"""The manifest's file name, beside the images."""

REQUIRED = ("file_name", "subject")

WORDS = (
    *REQUIRED,
    *("expression", "expr_id", "sequence", "split", "parents", "source", "kind", "gender", "ethnicity", "tone"),
    *("session", "hair", "beard", "glasses", "occluder"),  # the face studio's
)
"""Columns that hold text."""

RANGES: dict[str, tuple[float, float]] = {
    "intensity": (0.0, 1.0),
    "yaw": (-180.0, 180.0),  # degrees
    "pitch": (-180.0, 180.0),
    "roll": (-180.0, 180.0),
    "gaze_x": (-90.0, 90.0),  # degrees
    "gaze_y": (-90.0, 90.0),
    "age": (0.0, 130.0),  # years
    "light_azimuth": (-180.0, 180.0),  # degrees, of the key light
    "light_elevation": (-90.0, 90.0),
    "light_key": (0.0, 100.0),  # strengths, 1 is a common photograph's
    "light_sky": (0.0, 100.0),
    "light_warmth": (-1.0, 1.0),  # blue to orange
    **{name: (0.0, 5.0) for side in ("", "L", "R") for name in au_columns(side)},
}
"""Columns that hold numbers, with their least and greatest value."""

WHOLE: dict[str, tuple[int, int]] = {"frame": (0, 2**31 - 1), "fold": (0, 9999), "test": (0, 1)}
"""Columns that hold whole numbers, with their least and greatest value."""

KNOWN = (*WORDS, *RANGES, *WHOLE)

LONGEST = 4096  # characters of a cell; a path has no more
TOLD = 200  # characters at each end of a problem's line that are told

UNKNOWN = ("", "NA")
"""What cells of number columns hold where the number is unknown; R writes NA."""


@dataclass(frozen=True)
class Table:
    """The text of a `metadata.csv`, column by column, and the problems found in it so far."""

    path: Path
    lines: list[int]  # the line of the file on which each row ends
    cells: dict[str, list[str]]
    problems: list[str]  # one line each; grows while columns are read

    def __len__(self) -> int:
        return len(self.lines)

    def report(self, row: int, text: str) -> None:
        """Note a problem of one row, naming its line; what long cells say is cut short."""
        if len(text) > 2 * TOLD:
            text = f"{text[:TOLD]} … {text[-TOLD:]}"
        self.problems.append(f"{METADATA} line {self.lines[row]}: {text}")

    def words(self, name: str) -> np.ndarray:
        """Return a text column, (N,) str; '' where empty or where there is no such column."""
        cells = self.cells.get(name)
        return np.array([c.strip() for c in cells] if cells else [""] * len(self), dtype=np.str_)

    def numbers(self, name: str, whole: bool = False) -> np.ndarray:
        """Return a number column, (N,) float64; NaN where empty; reports cells that are no number or out of range.

        A comma is the decimal sign that it is in Europe.
        """
        cells = self.cells.get(name)
        if cells is None:
            return np.full(len(self), np.nan)
        low, high = WHOLE[name] if whole else RANGES[name]
        try:
            values = np.array([float(c) if c else np.nan for c in cells])
        except ValueError:  # the rare case pays for the slow way
            values = np.array([_float(c) for c in cells])
        good = (values >= low) & (values <= high)
        if whole:
            good &= values == np.floor(values)
        for row in np.flatnonzero(~good):
            if cells[row].strip() not in UNKNOWN:
                kind = "whole number" if whole else "number"
                expected = f"expected a {kind} from {low:g} to {high:g}, or an empty cell"
                self.report(int(row), f"{name} is '{cells[row]}'; {expected}")
        return np.where(good, values, np.nan)

    def integers(self, name: str, missing: int = -1) -> np.ndarray:
        """Return a whole-number column, (N,) int64; `missing` where empty."""
        values = self.numbers(name, whole=True)
        return np.where(np.isnan(values), missing, values).astype(np.int64)

    def expressions(self) -> np.ndarray:
        """Return indices into mien.labels.EXPRESSIONS, (N,) int64; -1 where empty; reports words that are not in it."""
        index = {word: i for i, word in enumerate(EXPRESSIONS)} | {"": -1}
        words = self.words("expression")
        for row in np.flatnonzero(~np.isin(words, list(index))):
            guess = suggestion(str(words[row]), EXPRESSIONS)
            self.report(int(row), f"expression is '{words[row]}'; expected one of {', '.join(EXPRESSIONS)}{guess}")
        return np.array([index.get(str(word), -1) for word in words], dtype=np.int64)

    def action_units(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the larger side, the left and the right: (N, 21) float32 in [0, 5] each, NaN unknown.

        Where no side is known, both are as the whole; where only sides are, the whole is the larger.
        """
        whole, left, right = (np.full((len(self), len(AUS)), np.nan, dtype=np.float32) for _ in range(3))
        for i, names in enumerate(zip(au_columns(), au_columns("L"), au_columns("R"), strict=True)):
            both, one, other = (self.numbers(name) for name in names)
            # fmax: a side that is known wins over one that is not
            whole[:, i] = np.where(np.isnan(both), np.fmax(one, other), both)
            unknown = np.isnan(one) & np.isnan(other)
            left[:, i], right[:, i] = np.where(unknown, both, one), np.where(unknown, both, other)
        return whole, left, right


def _float(cell: str) -> float:
    try:
        return number_of(cell)
    except ValueError:
        return np.nan


def suggestion(word: str, known: Sequence[str]) -> str:
    """Return " (did you mean X?)", or nothing where no known word is near."""
    lower = {k.lower(): k for k in known}
    near = difflib.get_close_matches(word.lower().strip(), list(lower), n=1, cutoff=0.5)
    return f" (did you mean {lower[near[0]]}?)" if near else ""


def read_table(path: Path) -> Table:
    """Read a CSV file's cells; whatever is wrong with its form is in the result's `problems`.

    Unknown columns, missing required ones and rows of the wrong length are reported; such rows are left out.
    """
    try:
        table = csv_rows(path, "save it as such", strict=True)
        header = [name.strip() for name in next(table, (1, []))[1]]
        rows = [(line, row) for line, row in table if row]
    except InputError as error:
        return Table(path, [], {}, [str(error)])
    problems = _header_problems(path, header)
    # Arrays of text are as wide as their longest cell: one of a megabyte would make a megabyte of every row.
    long = {line for line, row in rows if len(row) == len(header) and max(map(len, row)) > LONGEST}
    problems += [f"{path.name} line {line}: a cell is longer than {LONGEST} characters; shorten it" for line in long]
    whole = [(line, row) for line, row in rows if len(row) == len(header) and line not in long]
    problems += [
        f"{path.name} line {line}: has {len(row)} cells; expected {len(header)}, as the header line has"
        for line, row in rows
        if len(row) != len(header)
    ]
    if not rows and not problems:
        problems.append(f"{path}: has no rows; expected one line for each image")
    columns = [list(column) for column in zip(*(row for _, row in whole), strict=True)] or [[] for _ in header]
    return Table(path, [line for line, _ in whole], dict(zip(header, columns, strict=True)), problems)


def _header_problems(path: Path, header: list[str]) -> list[str]:
    where = f"{path.name} line 1"
    missing = [name for name in REQUIRED if name not in header]
    if missing and len(header) <= 1:
        return [f"{where}: found no comma-separated header; expected at least {','.join(REQUIRED)}"]
    problems = [f"{where}: column {name} is missing; every image needs one" for name in missing]
    problems += [f"{where}: column {name} is there twice; keep one" for name in set(header) if header.count(name) > 1]
    problems += [
        f"{where}: unknown column '{name}'{suggestion(name, KNOWN)}; rename or remove it (docs/data.md lists all)"
        for name in dict.fromkeys(header)
        if name not in KNOWN
    ]
    return problems
