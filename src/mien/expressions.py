"""An expression as a small JSON file: action units by side, to be kept, sent and asked for again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.files import check_json, path_text, write_json
from mien.labels import AUS, au_columns, by_side, sides
from mien.reading import as_path, read_json
from mien.whole_numbers import is_number

FORMAT, VERSION = "mien expression", 1
_EXPECTED = "expected an expression that --save-expression wrote"


@dataclass(frozen=True)
class Expression:
    """Action units as they were read or asked for, 0-5 by number, or by side as "12L".

    Units that are not named stay as a face has them. `gaze`, `turn` and `roll` turn the eyes and the head and tilt it
    by degrees, as `Controls` has them; `origin` says where it is from, in words. Raises InputError for what is no
    action unit, or out of range.
    """

    name: str
    units: Mapping[int | str, float]
    gaze: tuple[float, float] | None = None
    origin: str = ""
    turn: tuple[float, float] | None = None
    roll: float | None = None

    def __post_init__(self) -> None:
        check_units(self.units)
        check_head(self.gaze, self.turn, self.roll)

    def __str__(self) -> str:
        return self.name


def check_units(units: Mapping[int | str, float]) -> None:
    """Raise InputError for what is no action unit, or no intensity of one."""
    if not isinstance(units, Mapping):
        raise InputError(f"action units {shown(units)}: expected intensities 0-5 by unit, as {{12: 3, '6L': 2}}")
    for unit, value in units.items():
        if not is_number(value):
            raise InputError(f"AU {unit}={shown(value)}: expected a number, an intensity from 0 to 5")
        if not 0.0 <= value <= 5.0:
            raise InputError(f"AU {unit}={value:g}: expected an intensity from 0 to 5")
        sides(unit)


def check_head(gaze: tuple[float, ...] | None, turn: tuple[float, ...] | None, roll: float | None) -> None:
    """Raise InputError where eyes or head are turned further than can be asked for, in degrees."""
    check_angles("gaze", gaze, (40, 40), "to the right and up")
    check_angles("turn", turn, (15, 9), "to the right and down")
    check_angles("roll", None if roll is None else (roll,), (10,), "clockwise")


def shown(value: Any) -> str:
    """Return what somebody gave as a line can show it."""
    return " ".join(repr(value).split())[:60]


def check_angles(name: str, angles: tuple[float, ...] | None, most: tuple[float, ...], ways: str) -> None:
    """Raise InputError where angles are not as many as `most`, or further from 0, in degrees; `ways` says which way."""
    if angles is None:
        return
    numbers = (
        not isinstance(angles, str | bytes | Mapping) and hasattr(angles, "__len__") and all(map(is_number, angles))
    )
    if not numbers or len(angles) != len(most) or not all(-m <= a <= m for a, m in zip(angles, most, strict=True)):
        told = " ".join(f"{angle:g}" for angle in angles) if numbers else shown(angles if len(most) > 1 else angles[0])
        ranges = " and ".join(dict.fromkeys(f"-{m:g} to {m:g}" for m in most))
        count = "" if numbers else "a number of " if len(most) == 1 else f"{len(most)} numbers of "
        raise InputError(f"{name} {told}: expected {count}{ranges} degrees, {ways}")


def read_expression(path: str | Path) -> Expression:
    """Return what a file of `write_expression` holds. Raises InputError for any other."""
    shape = {"format": str, "version": int, "name": str, "origin": str, "units": {"*": float}, "gaze": object}
    path = as_path(path, "smile.json")
    found = read_json(path, _EXPECTED, shape)
    if found["format"] != FORMAT or found["version"] != VERSION:
        raise InputError(f"{path}: is {found['format'][:40]!r} of version {found['version']}; {_EXPECTED}, {VERSION}")
    try:
        return expression_in(found)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def expression_in(found: Mapping[str, Any]) -> Expression:
    """Return the expression that JSON tells, whose name, origin and units are of the kinds that a file's are.

    Raises InputError for one that lacks a number, or has one out of range.
    """
    gaze, turn, roll = (found.get(name) for name in ("gaze", "turn", "roll"))
    if None in found["units"].values() or not (_are(gaze, 2) and _are(turn, 2) and _are([roll], 1)):
        raise InputError("units, gaze, turn or roll lack a number")
    gaze, turn = (None if pair is None else (pair[0], pair[1]) for pair in (gaze, turn))
    return Expression(found["name"], found["units"], gaze, found["origin"], turn, roll)


def _are(value: Any, count: int) -> bool:
    """Return whether a value is so many numbers, or none."""
    wanted = isinstance(value, list) and len(value) == count and all(type(one) in (int, float) for one in value)
    return wanted or value in (None, [None])


def write_expression(path: Path, expression: Expression) -> None:
    """Write an expression whole or not at all. Raises InputError as `write_json` does."""
    write_json(path, as_json(expression))


def as_json(expression: Expression) -> dict[str, Any]:
    """Return what a file of an expression holds; units are named by side."""
    units = {f"{au}{side}": round(value, 4) for (au, side), value in by_side(expression.units).items()}
    told = {"name": path_text(expression.name), "origin": path_text(expression.origin), "units": units}
    head = {name: value for name in ("turn", "roll") if (value := getattr(expression, name)) is not None}
    return {"format": FORMAT, "version": VERSION, **told, "gaze": expression.gaze, **head}


def check_expression(path: Path) -> None:
    """Raise InputError where an expression cannot be written, or would replace something else."""
    if path.suffix.lower() != ".json":
        raise InputError(f"{path}: an expression is a .json file; name it so")
    check_json(path, "format", "version", "units")


def find_expression(text: str) -> str | Expression:
    """Return what a word names: the expression in a file, if it ends in .json, else the word. Raises InputError."""
    return read_expression(Path(text)) if text.lower().endswith(".json") else text


def expression_of(row: Mapping[str, Any], name: str, origin: str) -> Expression:
    """Return what a face shows by its row of `mien.recognition`: its action units, by side where they were read so.

    The gaze is left out, as it is of an example. Raises InputError where no unit was read.
    """
    units: dict[int | str, float] = {}
    for au, both, left, right in zip(AUS, au_columns(), au_columns("L"), au_columns("R"), strict=True):
        if left in row and right in row:
            units |= {f"{au}L": row[left], f"{au}R": row[right]}
        elif both in row:
            units[au] = row[both]
    if not units:
        raise InputError(f"{name}: this model reads no action units; choose another, as fields")
    return Expression(name, {unit: min(max(value, 0.0), 5.0) for unit, value in units.items()}, None, origin)
