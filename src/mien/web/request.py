"""What is asked on the page, and its words: `Controls` whose example is a face of an upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mien.controls import Controls
from mien.errors import InputError
from mien.web.upload import Upload

STEP = 0.1  # of an action unit's slider


@dataclass(frozen=True)
class Example:
    """The face whose expression is to be taken."""

    upload: Upload
    number: int = 1


def operation(asked: Controls) -> str:
    """Return what is asked in words, for the page and the picture's stamp."""
    return asked.operation(asked.like.upload.path.name if asked.like else "", asked.whole)


def short_name(asked: Controls) -> str:
    """Return one word of what is asked, for the name of the result's file."""
    if asked.like:
        return "transfer"
    words = "-".join(map(str, asked.expressions))
    return words or ("units" if asked.aus else "gaze" if asked.gaze else "head")


def moved_units(
    starts: Mapping[int, float], left: Mapping[int, float], right: Mapping[int, float] | None = None
) -> dict[int | str, float]:
    """Return the action units 0-5 whose sliders were moved away from where they started; the others stay as they are.

    With `right`, `left` is the person's own left side alone. Raises InputError where none was moved.
    """
    asked: dict[int | str, float] = {}
    for unit, start in starts.items():
        for side, value in (("", left[unit]),) if right is None else (("L", left[unit]), ("R", right[unit])):
            if abs(value - start) > STEP / 2:
                asked[f"{unit}{side}" if side else unit] = value
    if not asked:
        raise InputError("no action unit was moved; move a slider first")
    return asked
