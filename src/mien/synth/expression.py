"""Expressions as action units: prototypes after Ekman & Friesen's FACS manual and EMFACS, with variants.

Every expression has VARIANTS variants. Even and odd ones differ in kind (anger: pressed lips or bared teeth; fear:
mouth stretched or wide open; disgust: chin up or teeth visible; sadness: with or without the raised chin); beyond
the first pair each is jittered by a fixed seed, and contempt changes sides. Numbers are intensities 0-5 at full
strength; an expression at `intensity` is the full one times intensity, so action units are linear in it.
"""

from functools import lru_cache

import numpy as np

from mien.errors import InputError
from mien.labels import AUS, CLASSES, EXPRESSIONS

VARIANTS = 8

PROTOTYPES: dict[str, tuple[dict[int, float], dict[int, float]]] = {
    "neutral": ({}, {}),
    "happiness": ({6: 4.0, 12: 4.8, 25: 4.0, 26: 0.7}, {6: 2.5, 12: 4.2, 25: 0.4}),
    "sadness": ({1: 5.0, 4: 3.6, 15: 4.6, 17: 2.8, 7: 0.7, 43: 0.7}, {1: 4.6, 4: 3.8, 15: 4.2, 6: 1.0, 43: 1.0}),
    "surprise": ({1: 5.0, 2: 5.0, 5: 4.2, 25: 3.2, 26: 4.6}, {1: 4.6, 2: 4.8, 5: 3.6, 25: 2.6, 26: 3.4}),
    "fear": ({1: 4.8, 2: 2.0, 4: 4.0, 5: 5.0, 20: 4.0, 25: 3.6, 26: 1.6},
             {1: 4.8, 2: 2.6, 4: 3.6, 5: 4.8, 7: 1.0, 20: 3.4, 25: 4.4, 26: 3.0}),
    "anger": ({4: 5.0, 5: 3.2, 7: 3.2, 23: 4.2, 24: 3.4, 17: 1.8, 9: 0.8},
              {4: 5.0, 5: 2.6, 7: 3.2, 9: 1.4, 10: 3.2, 16: 3.0, 22: 1.4, 25: 3.4}),
    "disgust": ({9: 5.0, 10: 2.4, 4: 2.2, 6: 1.4, 7: 2.2, 15: 1.4, 17: 2.8},
                {9: 4.6, 10: 4.2, 4: 2.0, 6: 1.6, 7: 1.8, 16: 1.0, 25: 2.4}),
    "contempt": ({12: 2.8, 14: 4.6}, {14: 4.8, 12: 1.4, 10: 0.8}),
}  # fmt: skip
ONE_SIDED = {"contempt"}
BOTH, LEFT, RIGHT = (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)
# What faces do besides emotions: action units 0-5, and on which of the person's own sides.
SHAPES: dict[str, tuple[dict[int, float], tuple[float, float]]] = {
    "lids_half": ({43: 3.75}, BOTH),
    "lids_shut": ({43: 5.0}, BOTH),
    "wink_left": ({43: 5.0, 6: 1.75}, LEFT),
    "wink_right": ({43: 5.0, 6: 1.75}, RIGHT),
    "smile_shut": ({6: 3.5, 12: 4.0, 25: 2.25, 43: 5.0}, BOTH),
    "say_a": ({16: 1.5, 25: 2.5, 26: 5.0}, BOTH),
    "say_e": ({12: 1.0, 20: 3.0, 25: 4.0, 26: 1.0}, BOTH),
    "say_o": ({18: 3.0, 22: 2.5, 25: 2.0, 26: 2.5}, BOTH),
    "say_u": ({18: 5.0, 25: 1.25, 26: 0.5}, BOTH),
    "say_m": ({23: 2.0, 24: 4.0}, BOTH),
    "laugh": ({6: 5.0, 7: 2.0, 12: 5.0, 25: 4.5, 26: 2.75}, BOTH),
    "smile_teeth": ({6: 2.5, 10: 1.75, 12: 4.25, 25: 5.0}, BOTH),
    "smile_wide": ({6: 4.0, 10: 2.0, 12: 5.0, 16: 1.5, 25: 5.0, 26: 1.0}, BOTH),
}
FREE_AUS = tuple(au for au in AUS if au != 43)


@lru_cache(maxsize=256)
def _full(expression: str, variant: int) -> np.ndarray:
    """Return action units (21, 2) 0-5 of a variant at full strength."""
    prototype = PROTOTYPES[expression][variant % 2]
    rng = np.random.default_rng((CLASSES.index(expression), variant, 0xFACE))
    aus = np.zeros((len(AUS), 2))
    for au, level in prototype.items():
        jitter = 1.0 if variant < 2 else rng.uniform(0.82, 1.15)
        lean = 0.0 if variant < 2 else rng.normal(0, 0.05)
        aus[AUS.index(au)] = np.clip(level * jitter * np.array([1 + lean, 1 - lean]), 0, 5)
    if expression in ONE_SIDED:
        aus[:, (variant // 2 + 1) % 2] *= 0.12
    aus.setflags(write=False)
    return aus


def recipe(expression: str, intensity: float, variant: int = 0) -> np.ndarray:
    """Return action units (21, 2), left and right, 0-5, of an expression at `intensity` 0-1; variants 0 … 7."""
    if expression not in CLASSES:
        raise InputError(f"expression: expected one of {', '.join(CLASSES)}, got {expression!r}")
    if not 0 <= intensity <= 1:
        raise InputError(f"intensity: expected 0 to 1, got {intensity}")
    return _full(expression, int(variant) % VARIANTS) * intensity


def free_combination(number: int) -> np.ndarray:
    """Return the action units (21, 2) 0-5 of a free combination: one to four units, at times on one side only."""
    rng = np.random.default_rng((number, 0xA0))
    aus = np.zeros((len(AUS), 2))
    for au in rng.choice(FREE_AUS, int(rng.integers(1, 5)), replace=False):
        level = rng.uniform(1.0, 5.0)
        side = rng.random()
        aus[AUS.index(int(au))] = level * np.array([side > 0.12, side < 0.88 or side > 0.94], float)
    if rng.random() < 0.06:
        aus[AUS.index(43)] = rng.uniform(1, 5)
    return np.clip(aus, 0, 5)


def shape(name: str) -> np.ndarray:
    """Return the action units (21, 2) 0-5 of one of SHAPES."""
    units, sides = SHAPES[name]
    aus = np.zeros((len(AUS), 2))
    for au, level in units.items():
        aus[AUS.index(au)] = level * np.array(sides)
    return aus


assert set(PROTOTYPES) == set(EXPRESSIONS) - {"other"}
