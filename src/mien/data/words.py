"""Words for faces of which the action units are known: FACS' prototypes as scores, and how much of a word a face is.

A face that shows an expression faintly is mostly neutral, as people say, too: a word's share grows with the strongest
unit. Combinations that fit no prototype, or two, get no word.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mien.labels import AUS, CLASSES, MAIN_UNITS

NAMED = 2.0  # the least score that gives a word
APART = 0.8  # the least by which the best score leads the next
CALM = 0.7  # where no unit is stronger, a face is neutral
FAINT, FULL = 0.5, 2.5  # strongest units of which the share of a word is 0 and 1
DENIED = 0.4  # what is left of the probability of a word that the units deny: less than a half, unsure
ABSENT, THERE = 0.5, 0.75  # the strongest main unit of a word that is denied, and of one that is not
STILL, MOVED = 1.75, 2.0  # the strongest unit of all, of a face that may be neutral, and of one that is not


def prototype_scores(left: Tensor, right: Tensor) -> Tensor:
    """Return how well units (N, 21) 0-5 of both sides fit each of CLASSES, (N, 8); neutral scores 0.

    What belongs to a prototype (FACS Investigator's Guide, Ekman, Friesen & Hager 2002, table 10-1) adds, what tells
    it from its neighbours takes away: AU 4 surprise from fear, AU 1 anger from sadness, AU 9 anger from disgust.
    """
    least, most, apart = torch.minimum(left, right), torch.maximum(left, right), (left - right).abs()

    def both(au: int) -> Tensor:
        return least[:, AUS.index(au)]

    def any_(au: int) -> Tensor:
        return most[:, AUS.index(au)]

    one_sided = torch.maximum(apart[:, AUS.index(14)], 0.7 * apart[:, AUS.index(12)])
    raised = any_(1) > 1
    scores = {
        "neutral": torch.zeros_like(left[:, 0]),
        "happiness": both(12) + 0.4 * both(6)
        - 0.6 * any_(4) - 0.5 * any_(15) - 0.6 * any_(9) - 0.3 * any_(20) - 0.5 * any_(1),
        "sadness": 0.6 * any_(15) + 0.45 * torch.minimum(any_(1), any_(4) + 1) + 0.2 * any_(4) + 0.3 * any_(17) * raised
        - 0.5 * any_(12) - 0.5 * any_(26) - 0.5 * any_(9) - 0.4 * any_(20) - 0.3 * any_(5),
        "surprise": 0.4 * any_(1) + 0.4 * any_(2) + 0.3 * any_(26) + 0.2 * any_(5)
        - 0.7 * any_(4) - 0.5 * any_(20) - 0.5 * any_(12) - 0.5 * any_(15) - 0.4 * any_(9),
        "fear": 0.3 * torch.minimum(any_(1), any_(4) + 1.5) + 0.3 * any_(4) * raised
        + 0.35 * any_(20) + 0.35 * any_(5) + 0.1 * any_(25) - 0.5 * any_(12) - 0.4 * any_(9) - 0.4 * any_(15),
        "anger": 0.5 * any_(4) + 0.3 * any_(23) + 0.3 * any_(24) + 0.25 * any_(7)
        + 0.15 * any_(17) + 0.15 * any_(10) + 0.1 * any_(5)
        - 0.8 * any_(1) - 0.7 * any_(9) * (any_(9) > 2) - 0.5 * any_(12) - 0.4 * any_(20),
        "disgust": 0.7 * any_(9) + 0.45 * any_(10) + 0.1 * any_(17) - 0.4 * any_(12) - 0.5 * any_(1) - 0.3 * any_(5),
        "contempt": 1.1 * one_sided
        - 0.5 * both(12) - 0.3 * any_(4) - 0.4 * any_(1) - 0.4 * any_(9) - 0.3 * any_(26) - 0.3 * any_(20),
    }  # fmt: skip
    return torch.stack([scores[name] for name in CLASSES], dim=1)


def in_accord(probabilities: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return probabilities of CLASSES (N, 8) of which none is above a half that units (N, 21) 0-5 of both sides deny.

    Denied are a word none of whose main units is there, and neutral where a unit has moved: DENIED of their
    probability is left, what they lose goes to all words alike. So the likeliest word seldom changes; it is unsure.
    """
    most = torch.maximum(left, right)
    kept = [((MOVED - most.amax(1)) / (MOVED - STILL)).clamp(0, 1)]
    for name in CLASSES[1:]:
        main = most[:, [AUS.index(unit) for unit in MAIN_UNITS[name]]].amax(1)
        kept.append(((main - ABSENT) / (THERE - ABSENT)).clamp(0, 1))
    left_over = probabilities * (DENIED + (1 - DENIED) * torch.stack(kept, dim=1))
    return left_over + (1 - left_over.sum(1, keepdim=True)) / len(CLASSES)


def named(expression: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the class (N,) of faces, -1 for none: the label where it is a class, else what their units say.

    `expression` (N,) is an index into EXPRESSIONS, -1 unknown; units (N, 21) 0-5, NaN where unknown.
    """
    labelled = (expression >= 0) & (expression < len(CLASSES))
    known = ~(np.isnan(left) | np.isnan(right)).all(axis=1)
    units = np.nan_to_num(left), np.nan_to_num(right)
    scores = prototype_scores(*map(torch.from_numpy, units)).numpy()
    ordered = np.sort(scores, axis=1)
    clear = (ordered[:, -1] > NAMED) & (ordered[:, -1] - ordered[:, -2] > APART)
    said = np.where(clear, scores.argmax(axis=1), -1)
    said[np.maximum(*units).max(axis=1) < CALM] = CLASSES.index("neutral")
    return np.where(labelled, expression, np.where(known, said, -1))


def shares(word: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return what share of each of CLASSES faces are, (N, 8): a word's by its strongest unit, the rest neutral.

    Where a unit is unknown the word has all; a face without a word is NaN throughout.
    """
    found = np.zeros((len(word), len(CLASSES)), np.float32)
    strongest = np.fmax(np.nanmax(_known(left), axis=1), np.nanmax(_known(right), axis=1))
    share = np.clip((strongest - FAINT) / (FULL - FAINT), 0, 1)
    share[np.isnan(left).any(axis=1) | np.isnan(right).any(axis=1)] = 1
    has = word >= 0
    found[has, CLASSES.index("neutral")] = (1 - share)[has]
    found[np.flatnonzero(has), word[has]] += share[has]
    calm = word == CLASSES.index("neutral")
    found[calm] = np.eye(len(CLASSES), dtype=np.float32)[CLASSES.index("neutral")]
    found[~has] = np.nan
    return found


def _known(units: np.ndarray) -> np.ndarray:
    """Return units with -inf where all of a face's are unknown, so that its maximum is quiet about it."""
    return np.where(np.isnan(units).all(axis=1, keepdims=True), -np.inf, units)
