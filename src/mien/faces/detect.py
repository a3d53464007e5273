"""Faces in a photograph, with their eye centres, from OpenCV's bundled cascades: no download, a CPU is enough.

Two steps. First two cascades propose boxes in a small copy of the photograph, many of them wrong. Then each box is cut
out, turned to several angles and searched again by three cascades. They find a true face at nearly all angles, so their
agreement is a score that tells faces from texture; it also gives a mean box, more exact than each, and an angle. From
there `eyes.py` finds the eyes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from mien.errors import InputError
from mien.faces.align import align, invert
from mien.faces.cascade import search
from mien.faces.eyes import refine_eyes
from mien.faces.landmarks import Landmarker, eyes_of

SIDE = 720  # pixels of the photograph's longer side while boxes are proposed
SMALLEST = 20.0  # pixels of a box at that size; no cascade has a smaller window
# Tried in this order until a face is found that is wide enough: longer side, degrees the photo is turned back by,
# contrast levelled, least width as a share of the longer side. The first finds portraits in a seventh of the time.
ATTEMPTS = (
    (SIDE // 3, (0.0,), False, 1 / 6),
    (SIDE, (0.0,), False, 0.0),
    (SIDE, (0.0,), True, 0.0),
    (SIDE, (-25.0, 25.0), False, 0.0),
    (2 * SIDE, (0.0,), False, 0.0),
)
MOST = 60  # boxes that are searched again in one attempt, the likeliest first

CLOSE = 200  # pixels of the cut-out's side
CLOSE_BOX = 0.55  # the box's share of it
ROLLS = (0.0, -12.0, 12.0, -24.0, 24.0)  # degrees
WORTH = 0.2  # agreement from which on the eyes are searched for
EYE = 0.12  # what each of the eight sightings (two eyes, four cascades) adds to the agreement
# The least score of a face. Faces of odd subjects (of photofaces) score 1.8 to 4.5, texture and pictures without a face
# at most 0.7. Of faces darkened, blurred or half in shadow 1% score less than 1.3; blurred gravel has reached 1.6.
ENOUGH = 1.3
# The same where a landmarker gives the eyes, so that the cascades search the upright face alone. Of 1351 boxes in
# pictures of texture none scored more than 0.41; of 492 faces, plain, dark, blurred or half in shadow, none less than
# 0.45.
ENOUGH_UPRIGHT = 0.43

# A cascade's weight becomes (weight − zero) / spread: about 1 for a clear upright face. The strictest comes first.
ZEROS = {"frontalface_alt2": 54.7, "frontalface_alt": 106.7, "frontalface_default": 8.4}
SPREADS = {"frontalface_alt2": 3.0, "frontalface_alt": 3.0, "frontalface_default": 8.0}
PROPOSERS = ("frontalface_alt2", "frontalface_default")
# Where in its box the middle between the eyes lies, and how far they are apart, in its widths; of odd subjects again.
EYES_DOWN = 0.411
EYES_APART = 0.362


@dataclass(frozen=True, eq=False)
class Face:
    """One face; coordinates are pixel indices of the photograph, as in `align`."""

    box: tuple[float, float, float, float]  # x, y, width, height, inside the photograph
    eyes: np.ndarray  # float64 (2, 2), the eye on the image's left first
    score: float  # agreement of the cascades, from ENOUGH to about 4.5
    source: str = "eyes"  # what gave the eye centres: "eyes", "one eye", the proportions of the "box"; or a landmarker
    points: np.ndarray | None = None  # float64 (68, 2), where a landmarker was asked

    def moved(self, right: float, down: float) -> Face:
        """Return the face as it lies in a larger picture, whose corner is so many pixels further left and up."""
        (x, y, width, height), by = self.box, np.array([right, down])
        points = None if self.points is None else self.points + by
        return replace(self, box=(x + right, y + down, width, height), eyes=self.eyes + by, points=points)


@dataclass(frozen=True)
class _Box:
    """A square where a face may be, in the photo's pixels."""

    x: float  # centre
    y: float
    width: float
    likelihood: float  # of a face, in the unit of ZEROS and SPREADS
    tilt: float  # degrees clockwise

    def overlap(self, other: _Box) -> float:
        """Return the shared area over that of the smaller one, without regard to the tilt."""
        small = min(self.width, other.width)
        reach = (self.width + other.width) / 2
        across = min(small, max(0.0, reach - abs(self.x - other.x)))
        down = min(small, max(0.0, reach - abs(self.y - other.y)))
        return across * down / small**2


def find_faces(rgb: np.ndarray, landmarker: Landmarker | None = None) -> list[Face]:
    """Return faces in uint8 `rgb` (H, W, 3), from left to right; of two that share over a quarter, the better.

    A landmarker says where in each box the eyes are; without one the cascades do, more slowly and less exactly.
    Finds faces seen from the front, not smaller than about 1/36 of the longer side, turned in the plane by up to about
    30°; by up to about 50° where none is upright. Smaller ones are found only where there is none of that size, and
    beside one wider than a sixth of the longer side none narrower than a twelfth.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    for side, tilts, level, least in ATTEMPTS:
        if side > SIDE and max(grey.shape) <= SIDE:
            continue
        boxes = [box for tilt in tilts for box in _propose(grey, side, tilt, level)]
        if landmarker:
            look = partial(_face_by_landmarks, rgb, grey, landmarker)
        else:
            look = partial(_face_by_cascades, grey)
        faces = _confirm(boxes, look)
        if any(face.box[2] >= least * max(grey.shape) for face in faces):
            return sorted(faces, key=lambda face: float(face.eyes[:, 0].mean()))
    return []


def _turn(tilt: float, scale: float) -> np.ndarray:
    """Return the linear part (2, 2) of the matrix that turns back by `tilt` degrees and scales."""
    cos, sin = scale * np.cos(np.deg2rad(tilt)), scale * np.sin(np.deg2rad(tilt))
    return np.array([[cos, sin], [-sin, cos]])


def _propose(grey: np.ndarray, side: int, tilt: float, level: bool) -> list[_Box]:
    """Return boxes found in a copy of `grey` (H, W) whose longer side is at most `side`, turned back by `tilt` degrees.

    `level` equalises the contrast tile by tile, for a face in the shadow of a bright photo.
    """
    scale = min(1.0, side / max(grey.shape))
    width, height = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
    small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA) if scale < 1 else grey
    if level:
        small = cv2.createCLAHE(3.0, (8, 8)).apply(small)
    turn = _turn(tilt, 1.0)
    to = np.ceil(np.abs(turn) @ [width, height] - 1e-6)  # all of the turned photo fits in
    matrix = np.column_stack([turn, (to - 1) / 2 - turn @ [(width - 1) / 2, (height - 1) / 2]])
    if tilt:
        small = cv2.warpAffine(small, matrix, (int(to[0]), int(to[1])), borderMode=cv2.BORDER_REPLICATE)
    back = invert(matrix)
    boxes = []
    for name in PROPOSERS:
        for x, y, w, h, weight in search(name, small, SMALLEST, float(to.max()), 1.2, 1):
            cx, cy = back[:, :2] @ [x + (w - 1) / 2, y + (h - 1) / 2] + back[:, 2]
            # small pixel i lies at (i + ½) / scale − ½ of the photo
            x, y = (cx + 0.5) / scale - 0.5, (cy + 0.5) / scale - 0.5
            boxes.append(_Box(float(x), float(y), w / scale, (weight - ZEROS[name]) / SPREADS[name], tilt))
    return boxes


def _confirm(boxes: list[_Box], look: Callable[[_Box], list[tuple[_Box, Face]]]) -> list[Face]:
    """Return the faces that `look` sees in the boxes; of two that overlap, the better."""
    searched: list[_Box] = []
    faces: list[tuple[_Box, Face]] = []
    for box in sorted(boxes, key=lambda box: -box.likelihood):
        if len(searched) == MOST:
            break
        # A face is proposed many times: two boxes of nearly the same size and place have the same answer.
        if any(box.overlap(other) > 0.6 and 0.7 < box.width / other.width < 1.4 for other in searched):
            continue
        if any(box.overlap(square) > 0.5 for square, _ in faces):
            continue
        searched.append(box)
        faces += look(box)
    chosen: list[tuple[_Box, Face]] = []
    for square, face in sorted(faces, key=lambda pair: -pair[1].score):
        if all(square.overlap(other) < 0.25 for other, _ in chosen):
            chosen.append((square, face))
    return [face for _, face in chosen]


def _face_by_cascades(grey: np.ndarray, box: _Box) -> list[tuple[_Box, Face]]:
    """Return the face in a box and its square, by cascades alone; nothing where they do not agree on one."""
    close = _look_closely(grey, box)
    return _face(grey, *close) if close else []


def _face_by_landmarks(rgb: np.ndarray, grey: np.ndarray, landmarker: Landmarker, box: _Box) -> list[tuple[_Box, Face]]:
    """Return the face in a box and its square, by its landmarks; nothing where the cascades see no face there."""
    angle, half = np.deg2rad(box.tilt), EYES_APART * box.width / 2
    along = half * np.array([np.cos(angle), np.sin(angle)])
    centre = np.array([box.x, box.y]) + (EYES_DOWN - 0.5) * box.width * np.array([-np.sin(angle), np.cos(angle)])
    points = landmarker.points(rgb, np.array([centre - along, centre + along]))
    if points is None:
        return []
    eyes = eyes_of(points)
    agreement = _upright(grey, eyes)
    if agreement < ENOUGH_UPRIGHT:
        return []
    square = _square(eyes, agreement)
    return [(square, Face(_inside(square, grey.shape), eyes, agreement, landmarker.name, points))]


def _upright(grey: np.ndarray, eyes: np.ndarray) -> float:
    """Return how far the cascades agree on a face with these eyes."""
    square, total = _square(eyes, 0.0), 0.0
    crop, _ = _cut(grey, square, CLOSE_BOX * CLOSE / square.width, square.tilt)
    for name in ZEROS:
        found = search(name, crop, 0.45 * CLOSE, 0.7 * CLOSE, 1.06, 2)
        if found:
            total += max(-0.5, (max(hit[4] for hit in found) - ZEROS[name]) / SPREADS[name])  # one alone may be wrong
        if total < 0.1:
            break  # most texture needs one search
    return total


def _square(eyes: np.ndarray, likelihood: float) -> _Box:
    """Return the square of a face with these eyes (2, 2)."""
    across = eyes[1] - eyes[0]
    apart = float(np.hypot(*across))
    down, width = np.array([-across[1], across[0]]) / apart, apart / EYES_APART
    x, y = (float(v) for v in eyes.mean(axis=0) + (0.5 - EYES_DOWN) * width * down)
    return _Box(x, y, width, likelihood, float(np.rad2deg(np.arctan2(across[1], across[0]))))


def _inside(square: _Box, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    """Return the part of a square that lies in a photo of that shape: x, y, width, height."""
    left, top = max(0.0, square.x - square.width / 2), max(0.0, square.y - square.width / 2)
    right, bottom = min(float(shape[1]), square.x + square.width / 2), min(float(shape[0]), square.y + square.width / 2)
    return left, top, right - left, bottom - top


def _look_closely(grey: np.ndarray, box: _Box) -> tuple[float, np.ndarray] | None:
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


def _cut(grey: np.ndarray, box: _Box, scale: float, tilt: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the box and its surroundings, uint8 (CLOSE, CLOSE), turned back by `tilt`, and the matrix to the photo."""
    turn = _turn(tilt, scale)
    matrix = np.column_stack([turn, (CLOSE - 1) / 2 - turn @ [box.x, box.y]])
    return align(grey, matrix, CLOSE), invert(matrix)


def _face(grey: np.ndarray, agreement: float, rough: np.ndarray) -> list[tuple[_Box, Face]]:
    """Return the face with its eyes refined, and its square; nothing where too few cascades see the eyes."""
    eyes, seen = refine_eyes(grey, rough)
    score = agreement + EYE * sum(seen)
    if score < ENOUGH:
        return []
    source = ("box", "one eye", "eyes")[sum(count > 0 for count in seen)]
    square = _square(eyes, score)
    return [(square, Face(_inside(square, grey.shape), eyes, score, source))]


def face_again(rgb: np.ndarray, eyes: np.ndarray, landmarker: Landmarker | None = None) -> Face | None:
    """Return the face whose eyes (2, 2) were here a moment ago; None where the cascades no longer see it.

    Takes a quarter of the time of `find_faces`. Four of the eight sightings of eyes are needed: at 300 places without
    a face there were never three, on 40 faces always five.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    if landmarker:
        here = _face_by_landmarks(rgb, grey, landmarker, _square(eyes, 0.0))
        return here[0][1] if here else None
    found = _face(grey, ENOUGH - 4 * EYE - 1e-6, eyes)
    return found[0][1] if found else None


def choose_face(faces: list[Face], path: str | Path, number: int | None) -> Face:
    """Return the face to work on: the only one, or the `number`-th from the left, counted from 1.

    Raises InputError where there is none, where several leave it open, and for a number out of range.
    """
    if not faces:
        raise InputError(
            f"{path}: no face found; give a photograph with a face seen from the front, upright, both eyes visible, "
            "not smaller than a thirtieth of the photograph"
        )
    where = ", ".join(f"{i}: {_place(face)}" for i, face in enumerate(faces, 1))
    if number is None and len(faces) > 1:
        raise InputError(f"{path}: {len(faces)} faces found; choose one with --face N, left to right {where}")
    if number is not None and not 1 <= number <= len(faces):
        raise InputError(f"{path}: no face {number}; --face takes 1 to {len(faces)}, left to right {where}")
    return faces[(number or 1) - 1]


def _place(face: Face) -> str:
    """Return the box in words: size and upper left corner, in pixels."""
    x, y, w, h = face.box
    return f"{w:.0f}×{h:.0f} at ({x:.0f}, {y:.0f})"
