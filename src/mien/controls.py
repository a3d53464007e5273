"""What is asked of a face, and its words: one form for the models, the shell, the page and clips."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mien.errors import InputError
from mien.expressions import Expression, check_head, check_units, shown
from mien.labels import AUS, CLASSES, PARTS, PRESETS, by_side, expression_word, sides, units_by_side
from mien.reading import article
from mien.whole_numbers import is_number

Place = tuple[int, str]
"""An action unit of one side: its number, and "L" or "R", the person's own."""

KINDS = {
    "expression": "class", "aus": "action unit", "like": "example", "gaze": "gaze",
    "sides": "action unit of one side", "turn": "turn of the head", "roll": "roll of the head",
    "beside": "action unit beside a class or an example", "only": "part of an example",
}  # fmt: skip
"""What an edit can ask by (`Controls.kinds`), in words."""


@dataclass(frozen=True)
class Controls:
    """What an edit asks for: an expression or another face's, units, gaze and head, alone or together.

    `expression` is a class by any usual name, one of PRESETS or an Expression; or several, of which the later count
    where they name the same units. `like`, in place of it, is an aligned face: for a model (B, 3, H, W) in [-1, 1], for
    an engine uint8 (S, S, 3); before it is cut out it may be whatever names it, as a file. `aus` maps an AU number, or
    a side of it as "12L" (the person's own left), to 0-5; beside an expression or a face these count, not its own.

    `intensity`, 0 (neutral) to 1 (full), and `only`, parts of the face as "mouth", are of the expression or the face
    that is asked for, and of `aus` where they stand alone. Units that nobody names stay as the face has them.

    `gaze` turns the eyes by degrees to the right of the picture and up; `turn` the head by yaw, the nose to the right
    of the picture, and pitch, down; `roll` tilts it clockwise.

    Raises InputError where nothing is asked, for what does not go together, and for what is out of range.

    >>> Controls(aus={12: 3, "6L": 2}, gaze=(10, 0)).kinds
    ['aus', 'gaze', 'sides']
    >>> Controls("happiness", intensity=2)
    Traceback (most recent call last):
    mien.errors.InputError: intensity 2 is out of range; give a number from 0 (neutral) to 1
    """

    expression: str | Expression | Sequence[str | Expression] | None = None
    intensity: float = 1.0
    aus: Mapping[int | str, float] | None = None
    like: Any = None
    gaze: tuple[float, float] | None = None
    turn: tuple[float, float] | None = None
    roll: float | None = None
    only: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.expression, str | Expression | None):
            check_words(self.expression)
            if len(self.expression) < 2:
                object.__setattr__(self, "expression", next(iter(self.expression), None))  # of several that are one
        if isinstance(self.expression, str):
            object.__setattr__(self, "expression", known_word(self.expression))
        elif self.expression is not None and not isinstance(self.expression, Expression):
            object.__setattr__(self, "expression", tuple(map(known_word, self.expression)))
        asked = (self.expressions or None, self.aus, self.like, self.gaze, self.turn, self.roll)
        if all(one is None for one in asked) or (self.expressions and self.like is not None):
            many = "expression and like; choose one" if self.like is not None else "none"
            raise InputError(f"an edit takes one of expression, like, aus, gaze, turn or roll, or several; got {many}")
        for word in self.expressions:
            if isinstance(word, str) and word not in CLASSES and word not in PRESETS:
                known = f"{', '.join(CLASSES)}, {', '.join(PRESETS)}"
                near = difflib.get_close_matches(word, (*CLASSES, *PRESETS), 1)
                meant = f" (did you mean {near[0]}?)" if near else ""
                raise InputError(
                    f"expression {word!r} is not known{meant}; choose one of {known}, or a saved one, FILE.json"
                )
        if not is_number(self.intensity):
            raise InputError(f"intensity {shown(self.intensity)}: expected a number from 0 (neutral) to 1")
        if not 0.0 <= self.intensity <= 1.0:
            raise InputError(f"intensity {self.intensity:g} is out of range; give a number from 0 (neutral) to 1")
        check_units({} if self.aus is None else self.aus)
        check_head(self.gaze, self.turn, self.roll)
        if isinstance(self.only, str):
            object.__setattr__(self, "only", (self.only,))
        if not isinstance(self.only, Iterable):
            raise InputError(f"only {shown(self.only)}: choose from {', '.join(PARTS)}")
        if wrong := [part for part in self.only if not isinstance(part, str) or part not in PARTS]:
            raise InputError(f"only {shown(wrong[0])}: choose from {', '.join(PARTS)}")
        looks = self.eyes is not None and "eyes" in self.only
        if self.only and self.like is None and not looks and not self.units():
            parts = ", ".join(self.only)
            raise InputError(f"only {parts}: nothing of that is asked for; name an expression or units that move it")

    @property
    def expressions(self) -> tuple[str | Expression, ...]:
        """The expressions that are asked for, the first to the last."""
        if self.expression is None or isinstance(self.expression, str | Expression):
            return () if self.expression is None else (self.expression,)
        return tuple(self.expression)

    @property
    def word(self) -> str | None:
        """The class that is asked for, if one is and no unit besides: what a model takes that knows classes."""
        one = self.expressions[0] if len(self.expressions) == 1 else None
        return one if isinstance(one, str) and one in CLASSES and not self.aus and not self.only else None

    @property
    def kinds(self) -> list[str]:
        """What a model must be able to edit by, as KINDS lists it.

        Presets, saved expressions and parts of a class are asked for as the action units they are.
        """
        left, right = ({au: value for au, s, value in self.units() if s == side} for side in "LR")
        by_units = (bool(self.expressions) and not self.word) or self.aus is not None
        found = {
            "expression": self.word is not None,
            "aus": by_units,
            "like": self.like is not None,
            "gaze": self.eyes is not None,
            "turn": self.turned is not None,
            "roll": self.tilted is not None,
            "sides": by_units and (left != right or any(len(sides(unit)[1]) == 1 for unit in self.aus or ())),
            "beside": self._named and bool(self.aus),
            "only": self.like is not None and bool(self.only),
        }
        return [kind for kind, asked in found.items() if asked]

    @property
    def whole(self) -> bool:
        """Whether all of an example's expression is asked for and nothing else, which a model's own transfer gives."""
        return self.like is not None and self.kinds == ["like"] and self.intensity == 1

    @property
    def eyes(self) -> tuple[float, float] | None:
        """By how many degrees the eyes are turned: as `gaze` says, or else a saved expression."""
        saved = self._saved("gaze") if not self.only or "eyes" in self.only else None
        return self.gaze if self.gaze is not None or saved is None else (saved[0], saved[1])

    @property
    def turned(self) -> tuple[float, float] | None:
        """By how many degrees the head is turned: as `turn` says, or else a saved expression of which all is asked."""
        saved = None if self.only else self._saved("turn")
        return self.turn if self.turn is not None or saved is None else (saved[0], saved[1])

    @property
    def tilted(self) -> float | None:
        """By how many degrees the head is tilted: as `roll` says, or else a saved expression of which all is asked."""
        saved = None if self.only else self._saved("roll")
        return self.roll if self.roll is not None or saved is None else saved[0]

    def _saved(self, name: str) -> list[float] | None:
        """Return an angle, or two, of the last saved expression that has it, at the intensity."""
        saved = [found for one in self.expressions if (found := getattr(one, name, None)) is not None]
        return [self.intensity * float(angle) for angle in np.atleast_1d(saved[-1])] if saved else None

    @property
    def _named(self) -> bool:
        """Whether an expression or a face is asked for, beside which `aus` count as they are."""
        return bool(self.expressions) or self.like is not None

    def places(self) -> list[Place]:
        """Return the action units of which an expression or a face may ask, the left side's first: `only`'s, or all."""
        asked = {au for part in self.only or PARTS for au in PARTS[part]}
        return [(au, side) for side in "LR" for au in AUS if au in asked]

    def both_sides(self) -> dict[int, float]:
        """Return the units that are asked for at full strength, 0-5 by number, for a model that knows no sides."""
        full = {place: 5 * value for one in self.expressions for place, value in _parts_of(one).items()}
        full |= by_side(self.aus or {})
        asked = set(self.places()) if self.only else full.keys()
        return {au: value for (au, side), value in full.items() if (au, side) in asked}

    def operation(self, like: str = "", transfers: bool = False) -> str:
        """Return what is asked in words, as a picture's stamp tells it; `like` names the example.

        With `transfers` it is the model's transfer that is asked for.
        """
        if self == Controls("neutral"):
            return "neutralize"
        units = ", ".join(f"{unit}={value:g}" for unit, value in (self.aus or {}).items())
        asked = ["+".join(map(str, self.expressions)), f"like {like}" if like and not transfers else "", units]
        angles = {"gaze": self.eyes, "turn": self.turned, "roll": None if self.tilted is None else (self.tilted,)}
        asked += [" ".join([name, *(f"{a:g}" for a in by)]) for name, by in angles.items() if by is not None]
        asked += [f"only {' '.join(self.only)}"] if self.only else []
        told = " ".join(filter(None, asked))
        if not transfers:
            return f"edit: {told} {self.intensity:.2f}"
        share = f"{self.intensity:.2f}" if self.intensity < 1 else ""
        return " ".join(filter(None, (f"transfer from {like}", told, share)))

    def units(self) -> list[tuple[int, str, float]]:
        """Return what single action units are asked to be: number, side ("L" or "R"), 0 to 1, the strongest.

        A class asks for all of them, a preset and `aus` for those they name, another face or a gaze for none.
        """
        # Rounded as float32 rounds, so that every engine is asked for the same to the bit.
        share = np.float32(self.intensity)
        main = {
            place: float(share * np.float32(value))
            for one in self.expressions
            for place, value in _parts_of(one).items()
        }
        named = {place: value / 5 for place, value in by_side(self.aus or {}).items()}
        if not self._named:
            main, named = {place: self.intensity * value for place, value in named.items()}, {}
        asked = set(self.places())
        found = {place: value for place, value in main.items() if place in asked} | named
        return [(au, side, value) for (au, side), value in found.items()]

    def as_expression(self, name: str, origin: str, example: Expression | None = None) -> Expression:
        """Return the units and the angles that are asked for, to be saved; `example` is what `like` shows."""
        plain = self if example is None else Controls(example, self.intensity, self.aus, only=self.only)
        units: dict[int | str, float] = {f"{au}{side}": 5 * value for au, side, value in plain.units()}
        return Expression(name, units, self.eyes, origin, self.turned, self.tilted or None)


def check_words(words: Any) -> None:
    """Raise InputError for what is neither an expression nor several."""
    several = isinstance(words, Sequence) and not isinstance(words, bytes)
    if wrong := [word for word in (words if several else [words]) if not isinstance(word, str | Expression)]:
        hint = "; Editor.ask takes Controls" if isinstance(words, Controls) else ""
        known = "a class or a preset, as 'happiness', an Expression, or several of these"
        raise InputError(f"expected as an expression {known}; got {article(wrong[0])}{hint}")


def known_word(word: str | Expression) -> str | Expression:
    """Return the class or the preset that a word names, as happiness for "Happy"; what names none as it is."""
    if not isinstance(word, str) or word in PRESETS:
        return word
    return expression_word(word) or word


def way(kind: str, controls: Controls) -> str:
    """Return one of the kinds by which `controls` ask, in words; where a word is asked for as units, with that."""
    by_units = kind in ("aus", "sides") and controls.expressions
    return KINDS[kind] + (f", which {' + '.join(map(str, controls.expressions))} needs" if by_units else "")


def _parts_of(expression: str | Expression) -> dict[Place, float]:
    """Return an expression's action units, 0-1, by number and side."""
    asked = by_side(expression.units) if isinstance(expression, Expression) else units_by_side(expression)
    return {place: value / 5 for place, value in asked.items()}
