"""Key frames in words and in small files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from mien.controls import Controls
from mien.editing.timeline import Key
from mien.errors import InputError
from mien.expressions import find_expression
from mien.reading import csv_records, misfit, number_of, read_json

AS_IS = "photo"
"""The word for the expression that the photograph has."""

_FILE = "expected key frames as .csv or .json; docs/video.md shows both"
_FORMS: dict[str, Any] = {
    "time": float, "expression": str, "intensity": float, "aus": {"*": float}, "gaze": [float], "turn": [float],
    "roll": float, "only": [str],
}  # fmt: skip
_NAMES = ("time", *(field.name for field in fields(Controls) if field.name != "like"))
_UNIT = re.compile(r"AU(\d+)(?:_([LR]))?")


def parse_request(text: str, where: str) -> Controls | None:
    """Return what a word asks for: "happiness", "happiness@0.8", "12=3,25L=2", or None for AS_IS.

    `where` begins the line about what is wrong. Raises InputError.
    """
    word, at, share = text.strip().rpartition("@")
    word, intensity = (word, share) if at else (share, "1")
    if word == AS_IS:
        return None
    expected = f"expected an expression, as happiness@0.8, action units, as 12=3,25=2, or {AS_IS}"
    if not word:
        raise InputError(f"{where}: {expected}")
    asked: dict[str, Any] = {"intensity": _number(intensity, where, expected)}
    if "=" in word:
        pairs = [pair.partition("=") for pair in word.split(",")]
        asked["aus"] = {unit.strip(): _number(value, where, expected) for unit, _, value in pairs}
    else:
        asked["expression"] = word
    return _controls(asked, where)


def parse_key(text: str, where: str = "--key") -> Key:
    """Return the key frame of "1.2:happiness@0.8": seconds, and what `parse_request` takes. Raises InputError."""
    time, colon, word = text.partition(":")
    where = f"{where} {text}"
    seconds = _number(time if colon else "", where, "expected seconds:expression, as 1.2:happiness@0.8")
    return Key(seconds, parse_request(word, where))


def parse_gaze(text: str, where: str = "--gaze") -> Key:
    """Return the key frame of the eyes of "1.2:10,-5": seconds, degrees to the right and up. Raises InputError."""
    time, _, angles = text.partition(":")
    where, expected = f"{where} {text}", "expected seconds:right,up, as 1.2:10,-5"
    right, _, up = angles.partition(",")
    gaze = _number(right, where, expected), _number(up, where, expected)
    return Key(_number(time, where, expected), _controls({"gaze": gaze}, where))


def read_keys(path: Path) -> list[Key]:
    """Return the key frames of a .json or .csv file.

    JSON is a list of objects with "time" and what `Controls` takes; CSV has columns time, expression, intensity,
    gaze_right, gaze_up and action units as AU12 or AU12_L, of which empty cells ask for nothing. What asks for nothing
    is AS_IS, and so is that word. Raises InputError that says where.
    """
    if path.suffix.lower() == ".json":
        rows = read_json(path, _FILE, [{"time": float}])
        return [_key_of(row, f"{path}: key frame {k}") for k, row in enumerate(rows, 1)]
    if path.suffix.lower() != ".csv":
        raise InputError(f"{path}: {_FILE}")
    return [
        _key_of(_row(row, f"{path}: row {k}"), f"{path}: row {k}") for k, row in enumerate(csv_records(path, _FILE), 1)
    ]


def _key_of(row: Mapping[str, Any], where: str) -> Key:
    if unknown := [name for name in row if name not in _NAMES]:
        raise InputError(f"{where}: {unknown[0]!r} is not known; expected {', '.join(_NAMES)}")
    if problem := misfit(row, {name: form for name, form in _FORMS.items() if name in row or name == "time"}, ""):
        raise InputError(f"{where}: {problem}; {_FILE}")
    if row["time"] is None or None in (row.get("aus") or {}).values():
        raise InputError(f"{where}: null where a number should be; {_FILE}")
    asked = {name: value for name, value in row.items() if name != "time" and value not in (None, {}, [])}
    if asked.get("expression") == AS_IS:
        asked.pop("expression")
    if not asked.keys() - {"intensity"}:
        return Key(row["time"])
    for name, way in (("gaze", "right and up"), ("turn", "right and down")):
        if (angles := asked.get(name)) and (len(angles) != 2 or None in angles):
            raise InputError(f"{where}: {name} is {angles}; expected two numbers, degrees to the {way}")
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in asked.items()}
    return Key(row["time"], _controls(plain, where))


def _row(cells: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return a table's row as JSON would have it."""
    row: dict[str, Any] = {}
    for name, cell in cells.items():
        text, unit = cell.strip(), _UNIT.fullmatch(name)
        if not text:
            continue
        if name == "expression":
            row[name] = text
        elif unit:
            row.setdefault("aus", {})[f"{int(unit[1])}{unit[2] or ''}"] = _number(
                text, f"{where}, {name}", "expected 0 to 5"
            )
        elif name in ("gaze_right", "gaze_up"):
            row.setdefault("gaze", [0.0, 0.0])[name == "gaze_up"] = _number(
                text, f"{where}, {name}", "expected degrees"
            )
        elif name in ("time", "intensity"):
            row[name] = _number(text, f"{where}, {name}", "expected a number")
        else:
            row[name] = text  # is not known
    return row


def _controls(asked: Mapping[str, Any], where: str) -> Controls:
    try:
        if "expression" in asked:
            asked = {**asked, "expression": find_expression(asked["expression"])}
        return Controls(**asked)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _number(text: str, where: str, expected: str) -> float:
    try:
        return number_of(text)
    except ValueError as error:
        raise InputError(f"{where}: {text.strip()!r} is no number; {expected}") from error
