"""What is asked of a face, and its words: one form for the models, the shell, the page and clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mien.errors import InputError
from mien.labels import AUS, CLASSES, prototype, sides


@dataclass(frozen=True)
class Controls:
    """What an edit asks for: exactly one of a class, AU intensities, or another face; with an intensity.

    `intensity` is 0 (neutral) to 1 (full). `aus` maps an AU number, or a side of it as "12L" (the person's own left),
    to 0-5. `like` is an aligned face: for a model (B, 3, H, W) in [-1, 1], for an engine uint8 (S, S, 3); before it is
    cut out it may be whatever names it, as a file. `gaze` turns the eyes by degrees to the right of the picture and up,
    beside these or alone. Raises InputError when the request is not exactly one thing, or out of range.
    """

    expression: str | None = None
    intensity: float = 1.0
    aus: Mapping[int | str, float] | None = None
    like: Any = None
    gaze: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        asked = [name for name in ("expression", "aus", "like") if getattr(self, name) is not None]
        if len(asked) != 1 and (asked or self.gaze is None):
            raise InputError(
                f"an edit takes one of expression, aus, like, or a gaze alone; got {', '.join(asked) or 'none'}"
            )
        if self.expression is not None and self.expression not in CLASSES:
            raise InputError(f"expression {self.expression!r} is not known; choose one of {', '.join(CLASSES)}")
        if not 0.0 <= self.intensity <= 1.0:
            raise InputError(f"intensity {self.intensity:g} is out of range; give a number from 0 (neutral) to 1")
        for unit, value in (self.aus or {}).items():
            if not 0.0 <= value <= 5.0:
                raise InputError(f"AU {unit}={value:g}: expected an intensity from 0 to 5")
            sides(unit)
        if self.gaze is not None and not all(-40 <= angle <= 40 for angle in self.gaze):
            raise InputError(f"gaze {self.gaze}: expected two angles from -40 to 40 degrees, to the right and up")

    @property
    def kinds(self) -> list[str]:
        """What a model must be able to edit by: of "expression", "aus", "sides", "like", "gaze"."""
        found = [name for name in ("expression", "aus", "like", "gaze") if getattr(self, name) is not None]
        return found + ["sides"] * any(len(sides(unit)[1]) == 1 for unit in self.aus or ())

    def both_sides(self) -> dict[int, float]:
        """Return `aus` by number, for a model that knows no sides."""
        return {sides(unit)[0]: value for unit, value in (self.aus or {}).items()}

    def operation(self, like: str = "", transfers: bool = False) -> str:
        """Return what is asked in words, as a picture's stamp tells it; `like` names the example.

        With `transfers` it is the model's transfer that is asked for.
        """
        if transfers:
            return f"transfer from {like}"
        if self == Controls("neutral"):
            return "neutralize"
        units = ", ".join(f"{unit}={value:g}" for unit, value in (self.aus or {}).items())
        wanted = [self.expression or units or (f"like {like}" if like else "")]
        wanted += [f"gaze {self.gaze[0]:g} {self.gaze[1]:g}"] if self.gaze else []
        return f"edit: {' '.join(filter(None, wanted))} {self.intensity:.2f}"

    def units(self) -> list[tuple[int, str, float]]:
        """Return what single action units are asked to be: number, side ("L" or "R"), 0 to 1, the strongest.

        A class asks for all of them, `aus` for those it names, and another face or a gaze alone for none.
        """
        if self.expression is not None:
            # Rounded as float32 rounds, so that every engine is asked for the same to the bit.
            full = np.float32(self.intensity) * np.array(prototype(self.expression), np.float32)
            places = [(au, side) for side in "LR" for au in AUS]
            return [(au, side, value) for (au, side), value in zip(places, full.tolist(), strict=True)]
        named = ((sides(unit), value) for unit, value in (self.aus or {}).items())
        return [(au, side, self.intensity * value / 5) for (au, both), value in named for side in both]
