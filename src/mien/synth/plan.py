"""Which pictures are taken of a person: expression, intensity, pose and gaze, in the order of their file names.

Plan `photofaces` is drawn for every person anew. Plan `photofaces_extra` has the same gaze, lids, speech and turns for
everybody, so that for any two people the one with the other's expression and gaze is a picture of the set.
"""

from dataclasses import dataclass

import numpy as np

from mien.errors import InputError
from mien.labels import CLASSES
from mien.synth.expression import SHAPES, VARIANTS, free_combination, recipe, shape

LEVELS = (0.25, 0.5, 0.75, 1.0)
FREE = 300  # numbered AU combinations that all people share
PLANS = ("photofaces", "photofaces_extra")
ASIDE = 18.0  # degrees of gaze to either side
TURNS = {  # yaw and pitch in degrees
    "turn_l2": (-16.0, 0.0), "turn_l1": (-8.0, 3.0), "turn_r1": (8.0, -3.0), "turn_r2": (16.0, 0.0),
    "nod_up": (0.0, -9.0), "nod_down": (0.0, 9.0),
}  # fmt: skip
SHARED = frozenset(SHAPES) | frozenset(TURNS)  # expr_ids that are neither a class nor a free combination


@dataclass(frozen=True)
class Take:
    """One picture to take; `expr_id` and `intensity` (NaN for free combinations) name the action units."""

    expression: str
    intensity: float
    expr_id: str
    aus: np.ndarray  # (21, 2) 0-5
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)


def _pose(rng: np.random.Generator) -> dict[str, float]:
    yaw, pitch, roll = rng.normal(0, 1, 3) * (9, 5, 3)
    yaw, pitch, roll = np.clip([yaw, pitch, roll], (-25, -14, -8), (25, 14, 8))
    return {"yaw": round(float(yaw), 1), "pitch": round(float(pitch), 1), "roll": round(float(roll), 1)}


def _gaze(rng: np.random.Generator) -> tuple[float, float]:
    x, y = np.clip(rng.normal(0, 1, 2) * (11, 7), (-25, -15), (25, 15))
    return round(float(x), 1), round(float(y), 1)


def _emotion(name: str, level: float, variant: int, pose: dict[str, float], gaze: tuple[float, float]) -> Take:
    return Take(name, level, f"{name}_v{variant}", recipe(name, level, variant), **pose, gaze=gaze)


def _free(rng: np.random.Generator, pose: dict[str, float], gaze: tuple[float, float]) -> Take:
    number = int(rng.integers(FREE))
    return Take("other", float("nan"), f"au_{number}", free_combination(number), **pose, gaze=gaze)


def _standard(rng: np.random.Generator) -> list[tuple[int, Take]]:
    """Return the 36 standard pictures, each with the rank in which a shorter list keeps it."""
    calm, ahead = recipe("neutral", 0.0), (0.0, 0.0)
    second_gaze = _gaze(rng) if rng.random() < 0.5 else ahead
    takes = [
        (0, Take("neutral", 0.0, "neutral", calm)),
        (29, Take("neutral", 0.0, "neutral", calm, **_pose(rng), gaze=second_gaze)),
    ]
    for i, name in enumerate(CLASSES[1:]):
        variant = int(rng.integers(VARIANTS))
        for level, rank in zip(LEVELS, (3, 1, 2, 0), strict=True):
            takes.append((1 + 7 * rank + i, _emotion(name, level, variant, {}, ahead)))
    for k in range(6):
        pose = _pose(rng) if k >= 4 else {}
        takes.append((30 + k, _free(rng, pose, _gaze(rng) if k == 3 else ahead)))
    return takes


def _shared(own: dict[str, str]) -> list[Take]:
    """Return the 36 pictures that everybody has alike; `own` is the variant (expr_id) of each emotion of a person."""
    calm = recipe("neutral", 0.0)
    chosen = [Take("neutral", 0.0, "neutral", calm)]
    for x in (-ASIDE, ASIDE):
        chosen.append(Take("neutral", 0.0, "neutral", calm, gaze=(x, 0.0)))
        chosen += [_emotion(name, 1.0, int(own[name].rsplit("_v")[1]), {}, (x, 0.0)) for name in CLASSES[1:]]
    chosen += [Take("other", float("nan"), name, shape(name)) for name in SHAPES]
    chosen += [Take("neutral", 0.0, name, calm, yaw, pitch) for name, (yaw, pitch) in TURNS.items()]
    return chosen


def takes(rng: np.random.Generator, count: int, plan: str = "photofaces") -> list[Take]:
    """Return `count` pictures, the frontal neutral one first.

    36 is the list of the data set that the plan is named after. `photofaces`: two neutral, seven expressions at four
    intensities, six free combinations; fewer keeps every expression as long as it can (full intensity first).
    `photofaces_extra`: neutral and seven expressions at full intensity with the gaze to either side, lids, winks,
    speech, laughter, turned heads; fewer keeps the first. More adds posed ones with turned gaze, in turn an expression
    at a random intensity and a free combination. Raises InputError for another plan.
    """
    if plan not in PLANS:
        raise InputError(f"plan: expected one of {', '.join(PLANS)}, got {plan!r}")
    standard = _standard(rng)
    if plan == "photofaces":
        kept = sorted(range(len(standard)), key=lambda i: standard[i][0])[:count]
        chosen = [standard[i][1] for i in sorted(kept)]
    else:
        chosen = _shared({take.expression: take.expr_id for _, take in standard})[:count]
    for k in range(count - len(chosen)):
        pose, gaze = _pose(rng), _gaze(rng)
        if k % 2:
            chosen.append(_free(rng, pose, gaze))
        else:
            name = str(rng.choice(CLASSES[1:]))
            level = round(float(rng.uniform(0.2, 1.0)), 2)
            chosen.append(_emotion(name, level, int(rng.integers(VARIANTS)), pose, gaze))
    return chosen
