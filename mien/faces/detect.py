"""Faces in a photograph, with their eye centres, from OpenCV's bundled cascades: no download, a CPU is enough.

Two steps. Two cascades propose boxes in a small copy of the photograph, with a low bar. Each box is then looked at
closely: cut out, turned to several angles, searched again by three cascades. True faces are found at nearly all
angles by all three, so their agreement is a score which parts faces from texture, an average box which is steadier
than any single one, and an angle. The eyes follow from there (`eyes.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mien.errors import InputError
from mien.faces.align import align, invert
from mien.faces.cascade import search
from mien.faces.eyes import refine_eyes

SIDES = (900, 1800)  # pixels of the photograph's longer side while boxes are proposed; the second if the first fails
SMALLEST = 24.0  # pixels of a box at that size
TILTS = (-25.0, 25.0)  # degrees the whole photograph is turned by if nothing is found upright
MOST = 60  # boxes looked at closely, the likeliest first

CLOSE = 200  # pixels of the cut-out
CLOSE_BOX = 0.55  # the box's share of it
ROLLS = (-24.0, -12.0, 0.0, 12.0, 24.0)  # degrees
WORTH = 0.2  # agreement from which the eyes are looked for
EYE = 0.12  # what each of the eight sightings (two eyes, four cascades) adds to the agreement
ENOUGH = 1.2  # true faces have 2 to 4.5, texture at most 0.7: on odd subjects, and on pictures without a face

# A cascade's weight becomes (weight − zero) / spread: about 1 for a clear upright face. `eyes` says where in its box
# the mid-point between the eyes lies (down, in widths) and how far they are apart. From the odd subjects too.
ZEROS = {"frontalface_alt2": 54.7, "frontalface_alt": 106.7, "frontalface_default": 8.4}
SPREADS = {"frontalface_alt2": 3.0, "frontalface_alt": 3.0, "frontalface_default": 8.0}
PROPOSERS = ("frontalface_alt2", "frontalface_default")
EYES_DOWN = 0.411
EYES_APART = 0.362


@dataclass(frozen=True, eq=False)
class Face:
    """One face; coordinates are pixel indices of the photograph, as in `align`."""

    box: tuple[float, float, float, float]  # x, y, width, height, inside the photograph
    eyes: np.ndarray  # float64 (2, 2), the eye on the image's left first
    score: float  # agreement of the cascades, from ENOUGH to about 4.5
    source: str = "eyes"  # what gave the eye centres: "eyes" both were seen, "one eye", or "box" proportions alone


def find_faces(rgb: np.ndarray) -> list[Face]:
    """Faces in uint8 `rgb` (H, W, 3), from left to right; boxes of two do not share more than a quarter.

    Finds faces from about 1/40 of the longer side upwards, turned in the plane up to about 45°, seen from the front.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    if min(grey.shape) < SMALLEST:
        return []
    attempts = [(SIDES[0], (0.0,), False), (SIDES[0], (0.0,), True), (SIDES[0], TILTS, False)]
    if max(grey.shape) > SIDES[0]:
        attempts.append((SIDES[1], (0.0,), False))
    for side, tilts, level in attempts:
        proposals = [(*box, tilt) for tilt in tilts for box in _propose(grey, side, tilt, level)]
        faces = _confirm_all(grey, proposals)
        if faces:
            return sorted(faces, key=lambda face: face.eyes[:, 0].mean())
    return []


def _propose(grey: np.ndarray, side: int, tilt: float, level: bool) -> list[tuple[float, float, float, float]]:
    """Centre x, y and width of boxes in the photo, and how likely; the photo is first turned back by `tilt` degrees.

    `level` equalises the contrast tile by tile, for a face in the shadow of a bright photo.
    """
    matrix, shape = _small(grey.shape, side, tilt)
    small = _shrink(grey, matrix, shape)
    if level:
        small = cv2.createCLAHE(3.0, (8, 8)).apply(small)
    back = invert(matrix)
    scale = float(np.hypot(*back[:, 0]))
    proposals = []
    for name in PROPOSERS:
        for x, y, w, h, weight in search(name, small, SMALLEST, max(shape), 1.12, 1):
            cx, cy = back[:, :2] @ [x + (w - 1) / 2, y + (h - 1) / 2] + back[:, 2]
            proposals.append((float(cx), float(cy), w * scale, (weight - ZEROS[name]) / SPREADS[name]))
    return proposals


def _small(shape: tuple[int, ...], side: int, tilt: float) -> tuple[np.ndarray, tuple[int, int]]:
    """Matrix photo → small upright copy, and the copy's width and height: all of the turned photo fits in."""
    height, width = shape[:2]
    scale = min(1.0, side / max(height, width))
    cos, sin = np.cos(np.deg2rad(tilt)), np.sin(np.deg2rad(tilt))
    turn = scale * np.array([[cos, sin], [-sin, cos]])
    size = np.rint(np.abs(turn) @ [width, height]).astype(int)
    shift = (size - 1) / 2 - turn @ [(width - 1) / 2, (height - 1) / 2]
    return np.column_stack([turn, shift]), (int(size[0]), int(size[1]))


def _shrink(grey: np.ndarray, matrix: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """`grey` by `matrix` into width and height `shape`; averaged to its final scale before it is turned."""
    scale = float(np.hypot(*matrix[:, 0]))
    if scale < 1:
        to = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        sx, sy = to[0] / grey.shape[1], to[1] / grey.shape[0]
        grey = cv2.resize(grey, to, interpolation=cv2.INTER_AREA)
        # Undo the resize: small pixel i lies at (i + ½) / s − ½ of the photo.
        linear = matrix[:, :2] / [sx, sy]
        shift = matrix[:, :2] @ [0.5 / sx - 0.5, 0.5 / sy - 0.5] + matrix[:, 2]
        matrix = np.column_stack([linear, shift])
    return cv2.warpAffine(grey, matrix, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Shared area of two square boxes (centre x, centre y, width, …) over that of the smaller one."""
    reach = (a[2] + b[2]) / 2
    shared = [max(0.0, min(reach - abs(a[i] - b[i]), a[2], b[2])) for i in (0, 1)]
    return shared[0] * shared[1] / min(a[2], b[2]) ** 2


def _confirm_all(grey: np.ndarray, proposals: list[tuple[float, float, float, float, float]]) -> list[Face]:
    """Faces behind the proposals (centre x, y, width, likelihood, tilt); of two that overlap, the better."""
    looked: list[tuple[float, ...]] = []
    faces: list[tuple[tuple[float, float, float], Face]] = []
    for proposal in sorted(proposals, key=lambda p: -p[3]):
        if len(looked) == MOST:
            break
        # Proposals come in heaps, one heap a face: two of nearly the same size and place have the same answer.
        if any(_overlap(proposal, other) > 0.6 and 0.7 < proposal[2] / other[2] < 1.4 for other in looked):
            continue
        if any(_overlap(proposal, square) > 0.5 for square, _ in faces):
            continue
        looked.append(proposal)
        cx, cy, width, _, tilt = proposal
        close = _look_closely(grey, cx, cy, width, tilt)
        found = None if close is None else _face(grey, *close)
        if found is not None:
            faces.append(found)
    kept: list[tuple[tuple[float, float, float], Face]] = []
    for square, face in sorted(faces, key=lambda pair: -pair[1].score):
        if all(_overlap(square, other) < 0.25 for other, _ in kept):
            kept.append((square, face))
    return [face for _, face in kept]


def _look_closely(grey: np.ndarray, cx: float, cy: float, width: float, tilt: float) -> tuple[float, np.ndarray] | None:
    """Score and rough eye centres (2, 2) of the face in a box; None where the cascades do not agree on one."""
    scale = CLOSE_BOX * CLOSE / width
    middle, apart, rolls, voices = [], [], [], []
    best = dict.fromkeys(ZEROS, -1.0)
    for name in ZEROS:  # the sternest first, so that most texture is done with after a third of the work
        for roll in ROLLS:
            crop, back = _cut(grey, cx, cy, scale, tilt + roll)
            found = search(name, crop, 0.38 * CLOSE, 0.8 * CLOSE, 1.06, 2)
            if not found:
                continue
            x, y, w, _, weight = max(found, key=lambda box: box[4])
            voice = (weight - ZEROS[name]) / SPREADS[name]
            best[name] = max(best[name], voice)
            middle.append(back[:, :2] @ [x + (w - 1) / 2, y + EYES_DOWN * w - 0.5] + back[:, 2])
            apart.append(EYES_APART * w / scale)
            rolls.append(tilt + roll)
            voices.append(max(voice, 0.05))
        if best["frontalface_alt2"] < 0.1:
            return None
    score = sum(best.values())
    if score < WORTH:
        return None
    angle = np.deg2rad(np.average(rolls, weights=voices))
    half = np.average(apart, weights=voices) / 2 * np.array([np.cos(angle), np.sin(angle)])
    centre = np.average(middle, axis=0, weights=voices)
    return score, np.array([centre - half, centre + half])


def _cut(grey: np.ndarray, cx: float, cy: float, scale: float, roll: float) -> tuple[np.ndarray, np.ndarray]:
    """The surroundings of (cx, cy), turned back by `roll` degrees and equalised; and the matrix back to the photo."""
    cos, sin = scale * np.cos(np.deg2rad(roll)), scale * np.sin(np.deg2rad(roll))
    turn = np.array([[cos, sin], [-sin, cos]])
    shift = (CLOSE - 1) / 2 - turn @ [cx, cy]
    matrix = np.column_stack([turn, shift])
    return align(grey, matrix, CLOSE), invert(matrix)


def _face(grey: np.ndarray, agreement: float, rough: np.ndarray) -> tuple[tuple[float, float, float], Face] | None:
    """The square (centre x, y, width) of a face and the face itself, its eyes refined; None for what is no face."""
    eyes, seen = refine_eyes(grey, rough)
    score = agreement + EYE * sum(seen)
    if score < ENOUGH:
        return None
    source = ("box", "one eye", "eyes")[sum(count > 0 for count in seen)]
    across = eyes[1] - eyes[0]
    width = float(np.hypot(*across)) / EYES_APART
    down = np.array([-across[1], across[0]]) / np.hypot(*across)
    cx, cy = eyes.mean(axis=0) + (0.5 - EYES_DOWN) * width * down
    height, full = grey.shape
    left, top = max(0.0, cx - width / 2), max(0.0, cy - width / 2)
    right, bottom = min(float(full), cx + width / 2), min(float(height), cy + width / 2)
    return (float(cx), float(cy), width), Face((left, top, right - left, bottom - top), eyes, score, source)


def choose_face(faces: list[Face], path: str | Path, number: int | None) -> Face:
    """The face to work on: the only one, or the `number`-th from the left, counted from 1.

    Raises InputError where there is none, where several leave it open, and for a number out of range.
    """
    if not faces:
        raise InputError(
            f"{path}: no face found; give a photograph with one face seen from the front, upright, its eyes visible, "
            "and at least 50 pixels wide"
        )
    where = ", ".join(f"{i}: {_place(face)}" for i, face in enumerate(faces, 1))
    if number is None and len(faces) > 1:
        raise InputError(f"{path}: {len(faces)} faces found, left to right ({where}); choose one with --face N")
    if number is not None and not 1 <= number <= len(faces):
        raise InputError(f"{path}: there is no face {number}; found {len(faces)}, left to right ({where})")
    return faces[(number or 1) - 1]


def _place(face: Face) -> str:
    """The box in words: size and the corner it starts from, in pixels."""
    x, y, w, h = face.box
    return f"{w:.0f}×{h:.0f} at x={x:.0f}, y={y:.0f}"
