"""One thing asked of a model on the page: an expression, action units, a gaze, or another photograph's look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mien.errors import InputError
from mien.web.upload import Upload

STEP = 0.1  # of an action unit's slider


@dataclass(frozen=True)
class Request:
    """Exactly one of `expression`, `aus`, `gaze`, `like`; in the units of `mien.controls.Controls`."""

    expression: str | None = None
    intensity: float = 1.0
    aus: Mapping[int | str, float] | None = None
    gaze: tuple[float, float] | None = None
    like: Upload | None = None
    like_number: int = 1

    @property
    def words(self) -> str:
        """What was asked, for the picture's metadata."""
        if self.like:
            return f"transfer from {self.like.path.name} {self.intensity:.2f}"
        if self.gaze:
            return f"edit: gaze {self.gaze[0]:g} {self.gaze[1]:g}"
        if self.aus:
            return "edit: " + ", ".join(f"AU{unit}={value:g}" for unit, value in self.aus.items())
        return "neutralize" if self.expression == "neutral" else f"edit: {self.expression} {self.intensity:.2f}"

    @property
    def short(self) -> str:
        """One word of it, for the file's name."""
        if self.like:
            return "transfer"
        return self.expression or ("units" if self.aus else "gaze")


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
