"""Values as the page's parts were told them, judged: whoever sends them, they are what the part could hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import gradio as gr

from mien.errors import InputError
from mien.web.orders import FILE, STATE, VALUE


def judged(part: Any, value: Any, choices: Collection[str] | None = None) -> Any:
    """Return what was sent of a part. Raises InputError for what the part cannot hold.

    `choices` are those of a part whose choices change; one that has none takes numbers of faces.
    """
    if isinstance(part, gr.Slider):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{part.label}: expected a number")
        if not part.minimum <= value <= part.maximum:
            raise InputError(f"{part.label}: expected a number from {part.minimum} to {part.maximum}")
    elif isinstance(part, gr.Checkbox):
        if not isinstance(value, bool):
            raise InputError(f"{part.label}: expected yes or no")
    elif isinstance(part, gr.Radio | gr.Dropdown):
        known = [value for _, value in part.choices] if choices is None else choices
        number = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 5
        if value not in known and (known or not (number or value is None)):
            raise InputError(f"{part.label or 'choice'}: there is no such one")
    return value


def kinds_of(parts: Iterable[Any]) -> list[str]:
    """Return the kinds of an event's inputs, as `orders` tells them apart."""
    return [STATE if isinstance(part, gr.State) else FILE if isinstance(part, gr.Image) else VALUE for part in parts]
