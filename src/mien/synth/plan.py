"""Which pictures are taken of a person: expression, intensity, pose and gaze, in the order of their file names."""

from dataclasses import dataclass

import numpy as np

from mien.labels import CLASSES
from mien.synth.expression import VARIANTS, free_combination, recipe

LEVELS = (0.25, 0.5, 0.75, 1.0)
FREE = 300  # numbered AU combinations that all people share


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


def takes(rng: np.random.Generator, count: int) -> list[Take]:
    """Return `count` pictures, the frontal neutral one first.

    36 is the list of the photofaces data set: two neutral, seven expressions at four intensities, six free
    combinations. Fewer keeps every expression as long as it can (full intensity first); more adds posed ones with
    turned gaze, in turn an expression at a random intensity and a free combination.
    """
    standard = _standard(rng)
    kept = sorted(range(len(standard)), key=lambda i: standard[i][0])[:count]
    chosen = [standard[i][1] for i in sorted(kept)]
    for k in range(count - len(chosen)):
        pose, gaze = _pose(rng), _gaze(rng)
        if k % 2:
            chosen.append(_free(rng, pose, gaze))
        else:
            name = str(rng.choice(CLASSES[1:]))
            level = round(float(rng.uniform(0.2, 1.0)), 2)
            chosen.append(_emotion(name, level, int(rng.integers(VARIANTS)), pose, gaze))
    return chosen
