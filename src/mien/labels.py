"""The words and numbers by which faces are labelled: expressions and FACS action units."""

from __future__ import annotations

from collections.abc import Mapping

from mien.errors import InputError
from mien.whole_numbers import is_number, whole_number

EXPRESSIONS = ("neutral", "happiness", "sadness", "surprise", "fear", "anger", "disgust", "contempt", "other")
"""Expression words; a label is an index into this tuple, -1 when unknown. `other` is any free AU combination."""

CLASSES = EXPRESSIONS[:-1]
"""The expressions a recogniser can name."""

SYNONYMS = {
    "neutral": "calm ne neu neutrality",
    "happiness": "happy joy joyful ha hap happiness smile smiling",
    "sadness": "sad sa sorrow sorrowful",
    "surprise": "surprised su sur astonished astonishment",
    "fear": "fearful afraid fe fea scared",
    "anger": "angry an ang",
    "disgust": "disgusted di dis",
    "contempt": "contemptuous co con",
}
"""Other names that corpora and people give to an expression."""

_WORDS = {word: word for word in EXPRESSIONS} | {s: word for word, text in SYNONYMS.items() for s in text.split()}

BASIC = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
"""The six basic expressions, which most protocols are about."""

AUS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 43)
"""FACS action units, in the order of every AU vector; intensities 0-5, NaN when unknown."""

DISFA_AUS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
"""The twelve action units of DISFA, which AU tables are about."""

MAIN_UNITS: dict[str, tuple[int, ...]] = {
    "happiness": (12,), "sadness": (15, 1), "surprise": (1, 2), "fear": (20, 5), "anger": (4,), "disgust": (9, 10),
    "contempt": (14, 12),
}  # fmt: skip
"""Class -> its prototype's main units, one of which must be there."""

PRESENT = 1.0
"""Intensity from which an action unit counts as present: A, a trace, by FACS."""

FURTHER_AUS = (7, 10, 14, 23, 43)
"""What OpenFace measures beyond DISFA's twelve: with them EET IV-D has 17."""

ALIASES = {45: 43}
"""Units that others write -> ours: a blink (45) is a short closing of the eyes (43), by the same muscle."""

AU_NAMES: dict[int, str] = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    10: "upper lip raiser",
    12: "lip corner puller",
    14: "dimpler",
    15: "lip corner depressor",
    16: "lower lip depressor",
    17: "chin raiser",
    18: "lip pucker",
    20: "lip stretcher",
    22: "lip funneler",
    23: "lip tightener",
    24: "lip pressor",
    25: "lips part",
    26: "jaw drop",
    43: "eyes closed",
}
"""FACS' own names of the action units."""

PROTOTYPES: dict[str, dict[int, float]] = {
    "neutral": {},
    "happiness": {6: 4.0, 12: 5.0, 25: 2.8, 26: 0.5},
    "sadness": {1: 5.0, 4: 4.0, 15: 5.0, 17: 3.0},
    "surprise": {1: 5.0, 2: 5.0, 5: 4.2, 25: 3.0, 26: 5.0},
    "fear": {1: 5.0, 2: 1.8, 4: 4.5, 5: 5.0, 20: 4.0, 25: 4.5, 26: 2.5},
    "anger": {4: 5.0, 5: 3.0, 7: 3.0, 9: 1.7, 10: 2.8, 16: 2.5, 23: 1.5, 25: 3.5},
    "disgust": {4: 2.6, 6: 1.5, 7: 2.2, 9: 5.0, 10: 3.0, 15: 1.2, 25: 1.3},
    "contempt": {12: 3.0, 14: 5.0},
}
"""Each class at full strength, in action units 0-5: one of the variants that photofaces show, in round numbers.

Contempt is on the person's left.
"""


def prototype(expression: str) -> list[float]:
    """Return a class's action units at full strength, the left then the right, 42 numbers in [0, 1]."""
    return [value / 5 for value in _prototype(expression).values()]


def _prototype(expression: str) -> dict[tuple[int, str], float]:
    both = "L" if expression == "contempt" else "LR"
    return {(au, side): PROTOTYPES[expression].get(au, 0.0) * (side in both) for side in "LR" for au in AUS}


_SHUT: dict[int | str, float] = dict.fromkeys((10, 16, 18, 20, 22, 23, 24, 25, 26), 0.0)  # lips and jaw at rest
_ROUND: dict[int | str, float] = {12: 0.0, 14: 0.0, 15: 0.0}  # and their corners: no smile is round

PRESETS: dict[str, dict[int | str, float]] = {
    "blink": {5: 0.0, 43: 5.0},
    "wink": {"5L": 0.0, "6L": 1.75, "43L": 5.0},
    "wink-left": {"5L": 0.0, "6L": 1.75, "43L": 5.0},
    "wink-right": {"5R": 0.0, "6R": 1.75, "43R": 5.0},
    "squint": {5: 0.0, 6: 2.5, 7: 5.0},
    "pout": {12: 0.0, 15: 2.0, 17: 4.0, 18: 3.0, 25: 0.0, 26: 0.0},
    "smirk": {"12L": 3.5, "12R": 0.0, "14L": 2.0, 25: 0.0, 26: 0.0},
    "kiss": {12: 0.0, 18: 5.0, 22: 1.5, 25: 0.0, 26: 0.0},
    "laugh": {6: 5.0, 7: 2.0, 12: 5.0, 15: 0.0, 25: 4.5, 26: 2.75},
    "say-a": _SHUT | {16: 1.5, 25: 2.5, 26: 5.0},
    "say-e": _SHUT | {12: 1.0, 20: 3.0, 25: 4.0, 26: 1.0},
    "say-o": _SHUT | _ROUND | {18: 3.0, 22: 2.5, 25: 2.0, 26: 2.5},
    "say-u": _SHUT | _ROUND | {18: 5.0, 25: 1.25, 26: 0.5},
    "say-m": _SHUT | {23: 2.0, 24: 4.0},
}
"""Shapes by name beside the classes, in action units 0-5: those named are set, all others stay as the face has them.

A unit that would be in the way is named with 0. Winks and the smirk are on the person's left. What `photofaces_extra`
shows of them has these values; squint, pout, smirk and kiss are FACS' units, in strengths of ours.
"""

SPEECH = tuple(name.removeprefix("say-") for name in PRESETS if name.startswith("say-"))
"""The sounds whose shape of the mouth is a preset."""

PARTS: dict[str, tuple[int, ...]] = {
    "brows": (1, 2, 4),
    "eyes": (5, 6, 7, 43),
    "mouth": (9, 10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26),
}
"""Which action units are of which part of a face; the gaze is of the eyes."""


def expression_word(text: str) -> str | None:
    """Return the expression that a name means, as happiness for "Happy"; None where it means none."""
    return _WORDS.get(text.strip().lower().replace(" ", "_").replace("-", "_"))


def class_index(expression: str) -> int:
    """Return which of CLASSES a word is. Raises InputError for what is none: presets and saved ones are units."""
    word = expression_word(expression) if isinstance(expression, str) else None
    if word not in CLASSES:
        raise InputError(f"expression {expression!r} is no class; choose one of {', '.join(CLASSES)}")
    return CLASSES.index(word)


POINTS = 68
"""Landmarks of a face, in the usual order: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67."""

CORNERS = ((36, 39), (42, 45))
"""The landmarks at the corners of both eyes, the image's left eye first."""


def mirrored_points() -> list[int]:
    """Return which landmark each becomes in a mirrored picture."""
    pairs = [(k, 16 - k) for k in range(8)] + [(17 + k, 26 - k) for k in range(5)] + [(31, 35), (32, 34)]
    pairs += [(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46), (48, 54), (49, 53), (50, 52), (55, 59)]
    pairs += [(56, 58), (60, 64), (61, 63), (65, 67)]
    swapped = dict(pairs) | {b: a for a, b in pairs}
    return [swapped.get(k, k) for k in range(POINTS)]


def sides(unit: int | str) -> tuple[int, str]:
    """Return an action unit's number and its sides, "LR" for both: 12 or "12" -> (12, "LR"), "12L" -> (12, "L").

    Raises InputError for what is no action unit.
    """
    text = str(unit).upper().removeprefix("AU")
    number, side = (text[:-1], text[-1]) if text[-1:] in ("L", "R") else (text, "LR")
    known = whole_number(number)
    au = None if known is None else ALIASES.get(known, known)
    if au not in AUS:
        raise InputError(f"AU {unit}: choose from {', '.join(map(str, AUS))}, of one side as 12L or 12R")
    return au, side


def by_side(units: Mapping[int | str, float]) -> dict[tuple[int, str], float]:
    """Return action units by number and side, "L" or "R": {12: 3.0} -> {(12, "L"): 3.0, (12, "R"): 3.0}.

    Of two that name the same side the later counts. Raises InputError for what is no action unit.
    """
    return {(au, side): value for unit, value in units.items() for au, both in (sides(unit),) for side in both}


def units_by_side(expression: str) -> dict[tuple[int, str], float]:
    """Return what a class or a preset asks for, 0-5, by number and side: a class for all units, a preset for its own.

    Raises KeyError for another word.
    """
    return by_side(PRESETS[expression]) if expression in PRESETS else _prototype(expression)


BLENDSHAPES: dict[int, tuple[str, ...]] = {
    1: ("browInnerUp",),
    2: ("browOuterUpLeft", "browOuterUpRight"),
    4: ("browDownLeft", "browDownRight"),
    5: ("eyeWideLeft", "eyeWideRight"),
    6: ("cheekSquintLeft", "cheekSquintRight"),
    7: ("eyeSquintLeft", "eyeSquintRight"),
    9: ("noseSneerLeft", "noseSneerRight"),
    10: ("mouthUpperUpLeft", "mouthUpperUpRight"),
    12: ("mouthSmileLeft", "mouthSmileRight"),
    14: ("mouthDimpleLeft", "mouthDimpleRight"),
    15: ("mouthFrownLeft", "mouthFrownRight"),
    16: ("mouthLowerDownLeft", "mouthLowerDownRight"),
    17: ("mouthShrugLower",),
    18: ("mouthPucker",),
    20: ("mouthStretchLeft", "mouthStretchRight"),
    22: ("mouthFunnel",),
    24: ("mouthPressLeft", "mouthPressRight"),
    26: ("jawOpen",),
    43: ("eyeBlinkLeft", "eyeBlinkRight"),
}
"""Action unit -> the ARKit blendshapes, 0-1, that move as it does, 0-5. AU23 and AU25 have none."""


def units_of(blendshapes: Mapping[str, float]) -> dict[int | str, float]:
    """Return action units 0-5 of ARKit blendshapes 0-1 by BLENDSHAPES, as 12L. A jaw that opens parts the lips (AU25).

    Raises InputError for a blendshape that no action unit is like, or a value out of range.
    """
    found: dict[int | str, float] = {}
    known = {shape: unit for unit, shapes in BLENDSHAPES.items() for shape in shapes}
    for shape, value in blendshapes.items():
        if shape not in known:
            raise InputError(f"blendshape {shape!r}: no action unit is like it; choose from {', '.join(known)}")
        if not is_number(value) or not 0 <= value <= 1:
            raise InputError(f"blendshape {shape}={value if is_number(value) else repr(value)}: expected 0 to 1")
        side = {"eft": "L", "ght": "R"}.get(shape[-3:], "")
        found[f"{known[shape]}{side}"] = 5 * value
    if "26" in found:
        found["25"] = found["26"]
    return found


def au_name(unit: int) -> str:
    """Return an action unit as columns and tables name it.

    >>> au_name(1)
    'AU01'
    """
    return f"AU{unit:02d}"


def au_columns(side: str = "") -> tuple[str, ...]:
    """Return manifest column names, as AU01; `side` "L" or "R" (the person's own left and right) gives AU01_L."""
    return tuple(au_name(unit) + (f"_{side}" if side else "") for unit in AUS)
