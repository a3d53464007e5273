"""What settings may be: every field of a Config carries its range, which holds whoever sets it.

A field says it by its type, as `lr: Rate`; `check_settings` looks at all of them when a Config is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, get_args, get_type_hints

from mien.errors import InputError

KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, both included but where it stays `below`."""

    low: float
    high: float
    below: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range; NaN lies in none."""
        return self.low <= value <= self.high and not (self.below and value == self.high)


Side = Annotated[int, Range(32, 2048)]  # pixels of a picture; nets halve it five times
People = Annotated[int, Range(1, 10**7)]
Width = Annotated[int, Range(1, 4096)]  # channels, or numbers of a code
SomeWidth = Annotated[int, Range(2, 4096)]  # where a net halves it
Pairs = Annotated[int, Range(1, 4096)]  # of a batch
SomePairs = Annotated[int, Range(2, 4096)]  # where batch norm needs more than one
Steps = Annotated[int, Range(0, 10**9)]
Every = Annotated[int, Range(1, 10**6)]  # every so many steps
Block = Annotated[int, Range(1, 5)]  # of VGG's five
Few = Annotated[int, Range(0, 4096)]
Count = Annotated[int, Range(0, 10**7)]
Rate = Annotated[float, Range(0, 100)]  # a learning rate
Weight = Annotated[float, Range(0, 1e6)]  # of a loss
Share = Annotated[float, Range(0, 1)]
Part = Annotated[float, Range(0, 1, below=True)]
Log = Annotated[float, Range(0, 10)]  # of a factor
Degrees = Annotated[float, Range(0, 180)]


def check_settings(config: Any) -> None:
    """Raise InputError, with the field's name, for a value of another type than its field's or out of its range."""
    for name, (kind, allowed) in _fields(config.__class__).items():
        value = getattr(config, name)
        fits = isinstance(value, (int, float) if kind is float else kind) and (kind is bool) == isinstance(value, bool)
        if not fits:
            raise InputError(f"{name} is {str(value)[:40]!r}; expected {KINDS[kind]}")
        if allowed is not None and not allowed.holds(value):
            raise InputError(f"{name} is {str(value)[:40]}; expected {_words(kind, allowed)}")


@cache
def _fields(config: type) -> dict[str, tuple[type, Range | None]]:
    """Return the type and the range of every field."""
    found = {}
    for name, hint in get_type_hints(config, include_extras=True).items():
        kind, *ranges = get_args(hint) or (hint,)
        found[name] = (kind, next((r for r in ranges if isinstance(r, Range)), None))
    return found


def fields_of_kind(config: type, kind: Any) -> list[str]:
    """Return the fields of a Config whose type is `kind`, as Steps."""
    return [name for name, hint in get_type_hints(config, include_extras=True).items() if hint == kind]


def range_in_words(config: type) -> dict[str, str]:
    """Return what every field of a Config may be."""
    return {name: KINDS[kind] if r is None else _words(kind, r) for name, (kind, r) in _fields(config).items()}


def _words(kind: type, allowed: Range) -> str:
    if kind is int:
        return f"{allowed.low} or more, at most {allowed.high}"
    return f"a number from {allowed.low:g} to {'below ' if allowed.below else ''}{allowed.high:g}"


def ablated(presets: Mapping[str, Any], ablations: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return presets, and each with every ablation's changes: of "small" under its name, of "paper" as paper_name."""
    changed = {
        name if base == "small" else f"{base}_{name}": replace(config, **change)
        for base, config in presets.items()
        for name, change in ablations.items()
    }
    return {**presets, **changed}
