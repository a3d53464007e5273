"""The eyes of a face in a box, by OpenCV's cascades alone: for those who have or want no landmarker.

The box is cut out, turned to several angles and searched again by three cascades. They find a true face at nearly all
angles, so their agreement tells faces from texture; it also gives a mean box, more exact than each, and an angle. From
there `eyes.py` finds the eyes.
"""

from __future__ import annotations

import numpy as np

from mien.faces.align import align, invert
from mien.faces.finding.boxes import EYES_APART, EYES_DOWN, Box, box_of, turned
from mien.faces.finding.cascade import search
from mien.faces.finding.eyes import refine_eyes

# A cascade's weight becomes (weight − zero) / spread: about 1 for a clear upright face. The strictest comes first.
ZEROS = {"frontalface_alt2": 54.7, "frontalface_alt": 106.7, "frontalface_default": 8.4}
SPREADS = {"frontalface_alt2": 3.0, "frontalface_alt": 3.0, "frontalface_default": 8.0}
CLOSE = 200  # pixels of the cut-out's side
CLOSE_BOX = 0.55  # the box's share of it
ROLLS = (0.0, -12.0, 12.0, -24.0, 24.0)  # degrees
WORTH = 0.2  # agreement from which on the eyes are searched for
EYE = 0.12  # what each of the eight sightings (two eyes, four cascades) adds to the agreement
# The least agreement. Faces of odd subjects (of photofaces) have 1.8 to 4.5, texture and pictures without a face
# at most 0.7. Of faces darkened, blurred or half in shadow 1% have less than 1.3; blurred gravel has reached 1.6.
ENOUGH = 1.3

Seen = tuple[np.ndarray, str]
"""Eye centres (2, 2), and what gave them: "eyes", "one eye", the proportions of the "box"."""


def agree(grey: np.ndarray, box: Box) -> Seen | None:
    """Return the eyes of the face in a box of `grey` (H, W); None where the cascades do not agree on one."""
    close = _look_closely(grey, box)
    if close is None:
        return None
    exact = _look_closely(grey, box_of(close[1]))  # a proposed box is a quarter off, which cascades notice
    return _refined(grey, *(exact or close))


def seen_again(grey: np.ndarray, eyes: np.ndarray) -> Seen | None:
    """Return the eyes of a face that had them here a moment ago; None where they are no longer seen.

    Four of the eight sightings of eyes are needed: at 300 places without a face there were never three, on 40 faces
    always five.
    """
    return _refined(grey, ENOUGH - 4 * EYE - 1e-6, eyes)


def upright(grey: np.ndarray, eyes: np.ndarray) -> float:
    """Return how far the cascades agree that a face with these eyes stands upright once it is turned back by them.

    Of 1351 boxes in pictures of texture none had more than 0.44; of 492 faces of photofaces, plain, dark, blurred or
    half in shadow, none less than 0.45.
    """
    square, total = box_of(eyes), 0.0
    crop, _ = _cut(grey, square, CLOSE_BOX * CLOSE / square.width, square.tilt)
    for name in ZEROS:
        found = search(name, crop, 0.45 * CLOSE, 0.7 * CLOSE, 1.06, 2)
        if found:
            total += max(-0.5, (max(hit[4] for hit in found) - ZEROS[name]) / SPREADS[name])  # one alone may be wrong
        if total < 0.1:
            break  # most texture needs one search
    return total


def _refined(grey: np.ndarray, agreement: float, rough: np.ndarray) -> Seen | None:
    eyes, seen = refine_eyes(grey, rough)
    if agreement + EYE * sum(seen) < ENOUGH:
        return None
    return eyes, ("box", "one eye", "eyes")[sum(count > 0 for count in seen)]


def _look_closely(grey: np.ndarray, box: Box) -> tuple[float, np.ndarray] | None:
    """Return agreement and rough eye centres (2, 2) of a box's face; None where cascades do not agree on one."""
    scale = CLOSE_BOX * CLOSE / box.width
    middle: list[np.ndarray] = []
    apart: list[float] = []
    rolls: list[float] = []
    weights: list[float] = []
    best = dict.fromkeys(ZEROS, -1.0)
    for name in ZEROS:
        for turn in ROLLS:
            if turn == ROLLS[3] and not weights:
                return None  # most texture needs three searches
            crop, back = _cut(grey, box, scale, box.tilt + turn)
            found = search(name, crop, 0.38 * CLOSE, 0.8 * CLOSE, 1.06, 2)
            if not found:
                continue
            x, y, w, _, weight = max(found, key=lambda hit: hit[4])
            likelihood = (weight - ZEROS[name]) / SPREADS[name]
            best[name] = max(best[name], likelihood)
            middle.append(back[:, :2] @ [x + (w - 1) / 2, y + EYES_DOWN * w - 0.5] + back[:, 2])
            apart.append(EYES_APART * w / scale)
            rolls.append(box.tilt + turn)
            weights.append(max(likelihood, 0.05))
        if best["frontalface_alt2"] < 0.1:
            return None
    agreement = sum(best.values())
    if agreement < WORTH:
        return None
    angle = np.deg2rad(np.average(rolls, weights=weights))
    half = np.average(apart, weights=weights) / 2 * np.array([np.cos(angle), np.sin(angle)])
    centre = np.average(middle, axis=0, weights=weights)
    return agreement, np.array([centre - half, centre + half])


def _cut(grey: np.ndarray, box: Box, scale: float, tilt: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the box and its surroundings, uint8 (CLOSE, CLOSE), turned back by `tilt`, and the matrix to the photo."""
    turn = turned(tilt, scale)
    matrix = np.column_stack([turn, (CLOSE - 1) / 2 - turn @ [box.x, box.y]])
    return align(grey, matrix, CLOSE), invert(matrix)
