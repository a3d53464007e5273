"""OpenFace and py-feat as evaluators: pictures are written to a folder, the user runs the tool, its table is read."""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from mien.errors import InputError, missing
from mien.evaluate.evaluators.base import Evaluator, NeedsToolRun, Reading, empty_aus
from mien.files import whole
from mien.labels import ALIASES, AUS, CLASSES
from mien.reading import csv_records, csv_rows, number_of


@dataclass(frozen=True)
class Tool:
    """How a tool's table says what we ask."""

    name: str
    au: str  # the column of an action unit
    scale: float  # from its intensities to 0-5
    measures: tuple[str, ...]
    how: str  # what the user types

    def columns(self) -> dict[int, tuple[str, ...]]:
        """Return by our action units the columns that may say them: the unit's own, then its aliases'."""
        named = {unit: [unit, *(other for other, ours in ALIASES.items() if ours == unit)] for unit in AUS}
        return {unit: tuple(map(self.au.format, units)) for unit, units in named.items()}


TOOLS = {
    "openface": Tool("OpenFace", "AU{:02d}_r", 1.0, ("aus", "gaze"), "FeatureExtraction -fdir {folder} -of {table}"),
    "pyfeat": Tool(
        "py-feat",
        "AU{:02d}",
        5.0,
        ("aus", "classes", "probabilities"),
        "py-feat's Detector.detect on its files, to_csv('{table}')",
    ),
}

NAMES = ("file_name", "filename", "input", "file", "image")
"""Columns that may name the picture; without one, `frame` counts the folder's files from 1 in order of their names."""

Row = Mapping[str, str]


@dataclass
class TableEvaluator:
    """Looks up what a tool said; pictures are known by their pixels, so that any order and any run will do."""

    path: Path
    tool: Tool
    size: int = 256
    _rows: dict[str, Row] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if self.path.is_file():
            self._rows = read_rows(self.path, self.tool, self.folder)

    @property
    def name(self) -> str:
        """The tool's."""
        return self.tool.name

    @property
    def measures(self) -> tuple[str, ...]:
        """The tool's."""
        return self.tool.measures

    @property
    def folder(self) -> Path:
        """Where the pictures lie that the tool is to read."""
        return self.path.with_name(f"{self.path.stem}_pictures")

    def mark(self) -> str:
        """Return "": a table does not say which version of the tool wrote it."""
        return ""

    def read(self, pictures: np.ndarray) -> Reading:
        """Return what the table says. Raises NeedsToolRun, with the pictures written, where it lacks one of them."""
        keys = [picture_name(picture) for picture in pictures]
        lacking = {key: picture for key, picture in zip(keys, pictures, strict=True) if key not in self._rows}
        if lacking:
            for key, picture in lacking.items():
                write_picture(picture, self.folder / key)
            how = self.tool.how.format(folder=self.folder, table=self.path)
            raise NeedsToolRun(
                f"{self.path}: lacks pictures that {self.name} has to read first; they lie in {self.folder}: "
                f"run {how}, then this again"
            )
        return reading([self._rows[key] for key in keys], self.tool)


def open_pyfeat() -> Evaluator:
    """Return py-feat itself as an evaluator. Raises InputError where it is not installed."""
    try:
        from feat import Detector
    except ImportError:
        raise missing("--evaluator pyfeat", "feat") from None
    return PyFeat(Detector())


@dataclass(frozen=True)
class PyFeat:
    """py-feat, asked on the spot."""

    detector: object
    name: str = "py-feat"
    size: int = 256
    measures: tuple[str, ...] = ("aus", "classes", "probabilities")

    def mark(self) -> str:
        """Return "": its weights are the tool's own."""
        return ""

    def read(self, pictures: np.ndarray) -> Reading:
        """Return what the detector says of the pictures, by way of files, as it reads them."""
        with tempfile.TemporaryDirectory() as place:
            folder, table = Path(place), Path(place) / "found.csv"
            keys = [picture_name(picture) for picture in pictures]
            for key, picture in zip(keys, pictures, strict=True):
                write_picture(picture, folder / key)
            files = [str(folder / key) for key in dict.fromkeys(keys)]
            self.detector.detect(files, data_type="image").to_csv(table)  # type: ignore[attr-defined]
            rows = read_rows(table, TOOLS["pyfeat"], folder)
        return reading([rows.get(key, {}) for key in keys], TOOLS["pyfeat"])


def picture_name(picture: np.ndarray) -> str:
    """Return the file name of a picture, which follows from its pixels."""
    return hashlib.sha256(f"{picture.shape}".encode() + picture.tobytes()).hexdigest()[:20] + ".png"


def write_picture(picture: np.ndarray, path: Path) -> None:
    """Write a picture once, whole or not at all."""
    if path.is_file():
        return
    with whole(path) as beside:
        Image.fromarray(picture).save(beside, "PNG")


def read_rows(path: Path, tool: Tool, folder: Path) -> dict[str, Row]:
    """Return a table's rows by picture name; of several faces the first. Raises InputError for no such table."""
    units = [column for columns in tool.columns().values() for column in columns]
    expected = f"expected the table that {tool.name} writes, as CSV"
    table: list[Row] = [{k: v.strip() for k, v in row.items() if k} for row in csv_records(path, expected)]
    if not table and not {*units} & {name for _, row in csv_rows(path, expected) for name in row}:
        raise InputError(f"{path}: is no table of {tool.name}; {expected}")
    head = table[0] if table else {}
    if table and not {*units} & head.keys():
        raise InputError(f"{path}: has no column {tool.au.format(12)}; expected the table that {tool.name} writes")
    column = next((name for name in NAMES if name in head), None)
    if table and column is None and "frame" not in head:
        raise InputError(f"{path}: does not name the pictures; expected a column {NAMES[0]}, {NAMES[2]} or frame")
    names = [row[column] for row in table] if column is not None else _numbered(path, table, folder)
    rows: dict[str, Row] = {}
    for name, row in zip(names, table, strict=True):
        rows.setdefault(Path(name.replace("\\", "/")).name, row)
    for key, row in rows.items():
        for unit in units:
            _number(row, unit, f"{path}, {key}")
    return rows


def _numbered(path: Path, table: list[Row], folder: Path) -> list[str]:
    """Return each row's picture by its frame. Raises InputError where the folder has more, which shifts the numbers."""
    files = sorted(p.name for p in folder.glob("*.png"))
    frames = [_number(row, "frame", f"{path} line {line}") for line, row in enumerate(table, 2)]
    if set(frames) != set(range(1, len(files) + 1)) and table:
        raise InputError(
            f"{path}: numbers {len(set(frames))} pictures, but {folder} holds {len(files)}; run the tool on all of them"
        )
    return [files[int(frame) - 1] for frame in frames]


def reading(rows: list[Row], tool: Tool) -> Reading:
    """Return rows as action units 0-5, class and gaze; a picture where no face was found has NaN and -1."""
    aus, gaze = empty_aus(len(rows)), np.full((len(rows), 2), np.nan)
    classes, shares = np.full(len(rows), -1), np.full((len(rows), len(CLASSES)), np.nan)
    words = [word for word in CLASSES if rows and any(word in row for row in rows)]
    for k, row in enumerate(rows):
        if row.get("success", "1") in ("0", "0.0"):
            continue
        aus[k] = [_first_number(row, columns, tool.name) * tool.scale for columns in tool.columns().values()]
        # OpenFace's camera looks along z with y down: an angle > 0 is to the right of the image, and down.
        x, y = (_number(row, f"gaze_angle_{axis}", tool.name) for axis in "xy")
        gaze[k] = math.degrees(x), -math.degrees(y)
        strength = np.array([_number(row, word, tool.name) for word in words])
        if len(words) and not np.isnan(strength).all():
            classes[k] = CLASSES.index(words[int(np.nanargmax(strength))])
            shares[k] = 0
            shares[k, [CLASSES.index(word) for word in words]] = np.nan_to_num(strength)
    aus = np.clip(aus, 0, 5)
    named = {"classes": classes, "probabilities": shares} if words else {}
    return Reading(aus=aus, gaze=None if np.isnan(gaze).all() else gaze, **named)


def _first_number(row: Row, columns: tuple[str, ...], where: str) -> float:
    """Return the number of the first column that has one, NaN where none has."""
    found = [_number(row, column, where) for column in columns]
    return next((value for value in found if not math.isnan(value)), math.nan)


def _number(row: Row, column: str, where: str) -> float:
    text = row.get(column, "")
    if text.casefold() in ("", "nan", "na"):
        return math.nan
    try:
        return number_of(text)
    except ValueError:
        raise InputError(f"{where}: {column} is '{text}'; expected a number") from None
