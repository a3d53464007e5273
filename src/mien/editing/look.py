"""All that is asked of one face by controls that add up, and its form as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mien.controls import Controls, Place, known_word
from mien.errors import InputError
from mien.expressions import Expression, expression_in
from mien.labels import AUS, CLASSES, by_side
from mien.reading import misfit

MOST = 24  # expressions on top of each other

_EXPRESSION = {"name": str, "origin": str, "units": {"*": float}}
_FORMS: dict[str, Any] = {
    "calm": float, "like": object, "words": [{"name": object, "strength": float, "only": [str]}],
    "units": {"*": float}, "gaze": [float], "turn": [float], "roll": float,
}  # fmt: skip
_LIKE = {"photo": str, "face": int, "strength": float, "only": [str]}


@dataclass(frozen=True)
class Word:
    """An expression in a look: a class, a preset or a saved one, at a strength 0-1, of all the face or of parts."""

    name: str | Expression
    strength: float = 1.0
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", known_word(self.name))  # joy is happiness

    def __str__(self) -> str:
        share = f" {self.strength:.2f}" if self.strength != 1 else ""
        return " ".join((f"{self.name}{share}", *self.only))

    @property
    def controls(self) -> Controls:
        """What it asks for, by itself. Raises InputError for what is no expression."""
        return Controls(self.name, self.strength, only=self.only)

    @property
    def covers(self) -> bool:
        """Whether nothing shows of what was asked for before: a class is of all units."""
        return self.name in CLASSES and not self.only


@dataclass(frozen=True)
class Like:
    """Another photograph's face in a look: its expression is taken, at a strength 0-1."""

    photo: str  # a name by which its owner knows it
    face: int = 1
    strength: float = 1.0
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Look:
    """What is asked of one face. Each control comes on top of those before it, and none is of a result.

    `calm`, 0 to 1, is how far the face's own expression is taken off; `like` another face's; then `words`, one after
    the other, and `units`, 0-5, as angles are, as in `Controls`. Raises InputError for what is out of range.
    """

    calm: float = 0.0
    like: Like | None = None
    words: tuple[Word, ...] = ()
    units: Mapping[int | str, float] = field(default_factory=dict)
    gaze: tuple[float, float] = (0.0, 0.0)
    turn: tuple[float, float] = (0.0, 0.0)
    roll: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.calm <= 1:
            raise InputError(f"calm {self.calm:g} is out of range; give a number from 0 to 1")
        if len(self.words) > MOST:
            raise InputError(f"{len(self.words)} expressions on top of each other; expected at most {MOST}")
        for word in self.words:
            _ = word.controls  # raises
        if self.like is not None:
            Controls(like=self.like, intensity=self.like.strength, only=self.like.only)
        self._with_angles(Controls(aus=dict(self.units), roll=0.0))

    @property
    def empty(self) -> bool:
        """Whether nothing is asked."""
        return self == Look()

    def controls(
        self, shown: Mapping[Place, float] | None = None, example: np.ndarray | Expression | None = None
    ) -> Controls | None:
        """Return the same as one request; None where nothing is asked.

        `shown` are the units that the face shows, for `calm`; `example` what `like` names: its crop, uint8 (S, S, 3),
        or what it shows, which is needed beside words.
        """
        if self.empty:
            return None
        words = (
            [Word(example, self.like.strength, self.like.only)] if self.like and isinstance(example, Expression) else []
        )
        words += self.words
        last = max((k for k, word in enumerate(words) if word.covers), default=0)
        words = words[last:]
        calm = bool(self.calm) and not (words and words[0].covers)
        crop = example if self.like and not isinstance(example, Expression) and not words else None
        units = dict(self.units) or None
        if crop is not None and self.like:
            asked = Controls(None, self.like.strength, units, crop, only=self.like.only)
        elif calm and self.calm == 1 and not words:
            asked = Controls("neutral", 1.0, units)
        elif calm:
            rest = (shown or {}) if self.calm < 1 else {(au, side): 0.0 for au in AUS for side in "LR"}
            faded: dict[int | str, float] = {f"{au}{s}": (1 - self.calm) * value for (au, s), value in rest.items()}
            asked = Controls(_merged([Word(Expression(f"calm {self.calm:.2f}", faded)), *words]), 1.0, units)
        elif len(words) == 1:
            asked = Controls(words[0].name, words[0].strength, units, only=words[0].only)
        elif words:
            asked = Controls(_merged(words), 1.0, units)
        else:
            asked = Controls(aus=units, roll=0.0)
        return self._with_angles(asked)

    def expression(
        self, name: str, origin: str, shown: Mapping[Place, float] | None = None, example: Expression | None = None
    ) -> Expression:
        """Return the units and the angles that are asked for, to be saved. Raises InputError where there are none."""
        asked = self.controls(shown, example)
        saved = asked.as_expression(name, origin) if asked else Expression(name, {})
        if not saved.units and (saved.gaze, saved.turn, saved.roll) == (None, None, None):
            raise InputError("there is no expression to save yet; change the face first")
        return saved

    def _with_angles(self, asked: Controls) -> Controls:
        gaze, turn = (None if pair == (0.0, 0.0) else pair for pair in (self.gaze, self.turn))
        aus = asked.aus or None
        alone = not (asked.expressions or asked.like is not None or aus or gaze or turn)
        roll = self.roll if self.roll or alone else None
        return Controls(asked.expression, asked.intensity, aus, asked.like, gaze, turn, roll, asked.only)

    def as_json(self) -> dict[str, Any]:
        """Return the look as `look_of` reads it."""
        like = None if self.like is None else vars(self.like) | {"only": list(self.like.only)}
        words = [{"name": _named(w.name), "strength": w.strength, "only": list(w.only)} for w in self.words]
        angles = {"gaze": list(self.gaze), "turn": list(self.turn), "roll": self.roll}
        return {
            "calm": self.calm,
            "like": like,
            "words": words,
            "units": {str(unit): value for unit, value in self.units.items()},
            **angles,
        }


def look_of(found: Any) -> Look:
    """Return the look that JSON tells; what it leaves out is not asked for. Raises InputError for what is no look."""
    if not isinstance(found, dict) or (unknown := [name for name in found if name not in _FORMS]):
        named = f"{unknown[0]!r} is not known" if isinstance(found, dict) else "is no object"
        raise InputError(f"look: {named}; expected {', '.join(_FORMS)}")
    _check(found, {name: form for name, form in _FORMS.items() if name in found}, "look")
    like, pairs = found.get("like"), {name: found.get(name, [0.0, 0.0]) for name in ("gaze", "turn")}
    if like is not None:
        _check(like, _LIKE, "look.like")
    if wrong := [name for name, pair in pairs.items() if len(pair) != 2 or None in pair]:
        raise InputError(f"look: {wrong[0]} is {pairs[wrong[0]]}; expected two numbers of degrees")
    if None in found.get("units", {}).values():
        raise InputError("look: units lack a number; expected 0 to 5")
    words = tuple(Word(_name_of(w["name"]), _number(w["strength"]), tuple(w["only"])) for w in found.get("words", ()))
    example = Like(like["photo"], like["face"], _number(like["strength"]), tuple(like["only"])) if like else None
    units: dict[int | str, float] = {str(unit): float(value) for unit, value in found.get("units", {}).items()}
    by_side(units)
    gaze, turn = ((float(pair[0]), float(pair[1])) for pair in pairs.values())
    return Look(_number(found.get("calm", 0.0)), example, words, units, gaze, turn, _number(found.get("roll", 0.0)))


def _merged(words: Sequence[Word]) -> Expression:
    """Return one expression of several on top of each other."""
    units: dict[int | str, float] = {}
    gaze = turn = roll = None
    for word in words:
        asked = word.controls
        units |= {f"{au}{side}": 5 * value for au, side, value in asked.units()}
        gaze, turn, roll = asked.eyes or gaze, asked.turned or turn, asked.tilted or roll
    name, units = "+".join(map(str, words)), {unit: min(value, 5.0) for unit, value in units.items()}
    return Expression(name, units, gaze, turn=turn, roll=roll)


def _named(name: str | Expression) -> Any:
    if isinstance(name, str):
        return name
    gaze, turn = (None if pair is None else list(pair) for pair in (name.gaze, name.turn))
    units = {str(unit): value for unit, value in name.units.items()}
    return {"name": name.name, "origin": name.origin, "units": units, "gaze": gaze, "turn": turn, "roll": name.roll}


def _name_of(name: Any) -> str | Expression:
    if isinstance(name, str):
        return name
    _check(name, _EXPRESSION, "look.words.name")
    try:
        return expression_in(name | {"name": name["name"][:80], "origin": name["origin"][:200]})
    except InputError as error:
        raise InputError(f"look: a saved expression: {error}") from error


def _check(found: Any, form: Any, where: str) -> None:
    if problem := misfit(found, form, where):
        raise InputError(problem)


def _number(value: float | None) -> float:
    if value is None:
        raise InputError("look: a number is missing")
    return float(value)
