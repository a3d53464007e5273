"""Faces in a photograph, with their eye centres: no download, a CPU is enough.

Three steps. A small net proposes boxes in a small copy of the photograph, at any turn, most of them wrong
(`proposals.py`). Another says of each how much what is in it looks like a face (`face_check.py`); few are left. Of
these a landmarker finds the eyes, or without one OpenCV's cascades do (`by_cascades.py`), and the second net is asked
again, now of the face as it stands upright in its crop. It decides; where it is in doubt, the cascades are asked too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from mien.errors import InputError
from mien.faces.align import RIM, align, similarity, template
from mien.faces.finding.boxes import Box, box_of, distinct, turned
from mien.faces.finding.by_cascades import agree, seen_again, upright
from mien.faces.finding.face_check import SIDE, contrast, face_likelihood
from mien.faces.finding.proposals import propose
from mien.faces.landmarks import Landmarker, eyes_of

# Pixels of the copy's longer side, and how wide a face must be of it, or one looks on with the next. The first, which
# finds portraits, takes an eighth of the time of the second.
COPIES = ((240, 1 / 6), (720, 0.0))
PIXELS = 4_000_000  # of the last copy, in which small faces are looked for
NARROWEST = 4.0  # pixels between the eyes
MOST = 40  # boxes that the second net looks at in one copy, the likeliest first
FEW = 6  # of these, how many are looked at once more where none is a face, larger, smaller, and turned
SEEN = 0.5  # likelihood from which on that is done, too, where others were found elsewhere
SCALES, ANGLES = (0.8, 1.0, 1.25), (-48.0, -24.0, 0.0, 24.0, 48.0)  # by how much
CLOSER = 20  # of all these, how many the landmarker looks at that are none
WORTH = -1.0  # likelihood from which on a box is looked at closer
ENOUGH = 2.8  # likelihood from which on the net is believed: of 150 textures none reached 2.3
DOUBTED = -1.2  # likelihood below which there is no face; in between, the cascades must agree on one
FAINT, CLEARLY = 33.0, 4.0  # a crop's deviation below which it takes so much: grainy patterns reached 3.7
PLAIN = 0.27  # inner contrast below which a doubted face is none: a smooth stone had 0.21, blurred faces 0.32
AGREED = 0.5  # the least agreement of the cascades
SURELY = 60.0  # pixels of a face's width below which the net alone is not enough
FIT = 0.15  # how far the eyes may move, in their distances, when landmarks are looked for again from where they were
# What the net is asked of: the crop, a little larger, smaller, and turned either way. Faces stay faces, texture seldom.
CHANGES = ((1.0, 0.0), (1.1, 0.0), (0.9, 0.0), (1.0, 8.0), (1.0, -8.0))
SHAPE = 0.06  # eye distances that landmarks may differ by (root of the mean square) from a moment ago, once laid over
STEP = 0.3  # eye distances that the eyes may have moved by since
MAIN = 2.0  # times as wide as any other is the face that is meant where none is chosen


@dataclass(frozen=True, eq=False)
class Face:
    """One face; coordinates are pixel indices of the photograph, as in `align`."""

    box: tuple[float, float, float, float]  # x, y, width, height, inside the photograph
    eyes: np.ndarray  # float64 (2, 2), the eye on the image's left first, were the face upright
    score: float  # log odds of a face, at least DOUBTED
    source: str = "eyes"  # what gave the eye centres: "eyes", "one eye", the proportions of the "box"; or a landmarker
    points: np.ndarray | None = None  # float64 (68, 2), where a landmarker was asked

    def moved(self, right: float, down: float) -> Face:
        """Return the face as it lies in a larger picture, whose corner is so many pixels further left and up."""
        (x, y, width, height), by = self.box, np.array([right, down])
        points = None if self.points is None else self.points + by
        return replace(self, box=(x + right, y + down, width, height), eyes=self.eyes + by, points=points)


def find_faces(rgb: np.ndarray, landmarker: Landmarker | None = None) -> list[Face]:
    """Return faces in uint8 `rgb` (H, W, 3), from left to right; of two that share over a quarter, the better.

    A landmarker says where in each box the eyes are; without one the cascades do, more slowly and less exactly.
    Finds faces seen from the front, not smaller than about 1/36 of the longer side, at any turn in the plane, and those
    that the photo's edge cuts as long as both eyes are in it. Where there is none of that size, smaller ones: of 20
    pixels in photos of up to 4 megapixels, of 100 in one of 100. Beside a face wider than a sixth of the longer side
    none narrower than a thirteenth is found. At most MOST are.
    """
    view, (height, width) = _View(rgb, landmarker), rgb.shape[:2]
    longer = max(height, width)
    for side, least in [*COPIES, (longer * min(1.0, (PIXELS / (height * width)) ** 0.5), 0.0)]:
        faces = view.search(min(1.0, side / longer))
        if longer <= side or any(face.box[2] >= least * longer for face in faces):
            break  # all is seen, or what is meant
    return sorted(faces, key=lambda face: float(face.eyes[:, 0].mean()))


def face_again(rgb: np.ndarray, eyes: np.ndarray, landmarker: Landmarker | None = None) -> Face | None:
    """Return the face whose eyes (2, 2) were here a moment ago; None where it is no longer seen.

    Takes a fraction of the time of `find_faces`.
    """
    view = _View(rgb, landmarker)
    if landmarker:
        return view.look(box_of(eyes))
    again = seen_again(view.grey, eyes)
    return view.judge(*again) if again else None


def face_still(rgb: np.ndarray, last: Face, landmarker: Landmarker | None) -> Face | None:
    """Return a face of the frame before where its landmarks still fit; None where that is in any doubt.

    Takes a third of the time of `face_again`, and finds the same landmarks: what is left out are the second opinions.
    The score is the last one's. Laid over those of before (turned, scaled, shifted), the landmarks must be of one shape
    with them, near by, and the net must say half as clearly as it did that they are a face's.
    """
    if landmarker is None or last.points is None or last.score < 1:
        return None
    points = landmarker.points(rgb, last.eyes)
    if points is None or not np.isfinite(points).all():
        return None
    eyes, (height, width) = eyes_of(points), rgb.shape[:2]
    apart = float(np.hypot(*(last.eyes[1] - last.eyes[0])))
    near = np.abs(eyes - last.eyes).max() < STEP * apart and np.hypot(*(eyes[1] - eyes[0])) >= NARROWEST
    inside = (eyes >= 0).all() and (eyes < (width, height)).all()
    if not (near and inside and shape_apart(points, last.points) < SHAPE * apart):
        return None
    crop, (here, *_) = _near(rgb, eyes)
    if float(face_likelihood(crop, [here])[0]) < last.score / 2:
        return None
    return Face(box_of(eyes).inside(rgb.shape), eyes, last.score, landmarker.name, points)


def shape_apart(points: np.ndarray, others: np.ndarray) -> float:
    """Return by how many pixels, the root of the mean square, points (N, 2) differ from others once laid over them."""
    here, there = (one @ (1.0, 1.0j) for one in (points - points.mean(0), others - others.mean(0)))
    factor = np.vdot(here, there) / np.vdot(here, here)  # turns and scales, by least squares
    return float(np.sqrt(np.mean(np.abs(factor * here - there) ** 2)))


@dataclass(frozen=True)
class _View:
    """A photograph in which faces are looked for."""

    rgb: np.ndarray
    landmarker: Landmarker | None

    @cached_property
    def grey(self) -> np.ndarray:
        return cv2.cvtColor(np.ascontiguousarray(self.rgb), cv2.COLOR_RGB2GRAY)

    def search(self, scale: float) -> list[Face]:
        """Return the faces that a copy shows, which is `scale` times as large."""
        copy = shrunk(self.rgb, scale)
        boxes = distinct(propose(cv2.cvtColor(copy, cv2.COLOR_RGB2GRAY)), MOST)
        found = self.confirm(likely(copy, boxes), scale)
        missed = [box for box in boxes[:FEW] if not found or self.beside(box.larger(1 / scale), found)]
        found += self.confirm(likely(copy, [near for box in missed for near in around(box)]), scale)
        chosen: list[tuple[Box, Face]] = []
        for square, face in sorted(found, key=lambda pair: -pair[1].score):
            if all(square.overlap(other) < 0.25 for other, _ in chosen):
                chosen.append((square, face))
        return [face for _, face in chosen]

    @staticmethod
    def beside(box: Box, found: Sequence[tuple[Box, Face]]) -> bool:
        """Return whether a box that is likely lies where no face was found."""
        return box.likelihood > SEEN and all(box.overlap(square) < 0.25 for square, _ in found)

    def confirm(self, boxes: Sequence[Box], scale: float) -> list[tuple[Box, Face]]:
        """Return the faces in boxes of a copy, the likeliest of them first, and the squares that they fill."""
        found: list[tuple[Box, Face]] = []
        missed = 0
        for small in boxes:
            box = small.larger(1 / scale)
            if any(box.overlap(square) > 0.5 for square, _ in found):
                continue
            if face := self.look(box):
                found.append((box_of(face.eyes), face))
            elif (missed := missed + 1) == CLOSER:
                break
        return found

    def look(self, box: Box) -> Face | None:
        """Return the face in a box: its eyes by the landmarker, or else by the cascades."""
        if self.landmarker is None:
            seen = agree(self.grey, box)
            return self.judge(*seen) if seen else None
        points = self.landmarker.points(self.rgb, box.eyes)
        face = None if points is None else self.judge(eyes_of(points), self.landmarker.name, points)
        if face is None or face.score >= ENOUGH:
            return face
        # Where the net is in doubt, eyes must be where they are when they are looked for again, from there.
        again = self.landmarker.points(self.rgb, face.eyes)
        moved = np.inf if again is None else np.abs(eyes_of(again) - face.eyes).max()
        return face if moved < FIT * np.hypot(*(face.eyes[1] - face.eyes[0])) else None

    def judge(self, eyes: np.ndarray, source: str, points: np.ndarray | None = None) -> Face | None:
        """Return the face with these eyes; None where there is none, or where the photo does not reach both eyes."""
        height, width = self.rgb.shape[:2]
        if not (np.isfinite(eyes).all() and (eyes >= 0).all() and (eyes < (width, height)).all()):
            return None
        if np.hypot(*(eyes[1] - eyes[0])) < NARROWEST:
            return None
        score = float(face_likelihood(*_near(self.rgb, eyes)).mean())
        whole, inner = contrast(self.rgb, eyes)
        if score < ENOUGH and inner < PLAIN:
            return None
        doubted = score < (CLEARLY if whole < FAINT else ENOUGH) or box_of(eyes).width < SURELY
        if score < DOUBTED or (doubted and upright(self.grey, eyes) < AGREED):
            return None
        return Face(box_of(eyes).inside(self.rgb.shape), eyes, score, source, points)


def shrunk(rgb: np.ndarray, scale: float) -> np.ndarray:
    """Return a copy `scale` times as large: whole pixels are averaged first, which is quick, and then the rest."""
    times = int(1 / scale)
    height, width = (length // times for length in rgb.shape[:2])
    if times > 1 and min(height, width):
        area = rgb[: height * times, : width * times]
        rgb, scale = cv2.resize(area, (width, height), interpolation=cv2.INTER_AREA), scale * times
    to = max(1, round(scale * rgb.shape[1])), max(1, round(scale * rgb.shape[0]))
    return np.ascontiguousarray(rgb if to == rgb.shape[1::-1] else cv2.resize(rgb, to, interpolation=cv2.INTER_AREA))


def likely(rgb: np.ndarray, boxes: Sequence[Box]) -> list[Box]:
    """Return the boxes that are worth a closer look, the likeliest first."""
    scores = face_likelihood(rgb, [box.eyes for box in boxes])
    worth = [replace(box, likelihood=float(s)) for box, s in zip(boxes, scores, strict=True) if s > WORTH]
    return sorted(worth, key=lambda box: -box.likelihood)


def around(box: Box) -> list[Box]:
    """Return boxes that differ as much from a proposed one as a face may that is seldom seen."""
    return [box_of(_about(box.eyes, scale, angle)) for scale in SCALES for angle in ANGLES]


def _near(rgb: np.ndarray, eyes: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return what is around eyes (2, 2), as large as the net sees it, and the eyes of each of CHANGES there."""
    matrix, here = similarity(eyes, SIDE), template(SIDE) + SIDE / 2
    matrix[:, 2] += SIDE / 2
    return align(rgb, matrix, 2 * SIDE, RIM), [_about(here, *change) for change in CHANGES]


def _about(eyes: np.ndarray, scale: float, angle: float) -> np.ndarray:
    """Return eyes (2, 2) so much further apart, and turned by degrees, about their middle."""
    return (eyes - eyes.mean(0)) @ turned(angle, scale) + eyes.mean(0)


def choose_face(faces: Sequence[Face], path: str | Path, number: int | None) -> Face:
    """Return the face to work on: the `number`-th from the left, counted from 1; by None the one that is meant.

    That is the only one, or one at least MAIN times as wide as every other: `left_out` tells of the others.
    Raises InputError where there is none, where several leave it open, and for a number out of range.
    """
    if not faces:
        raise InputError(
            f"{path}: no face found, at any turn; give a photograph with a face seen from the front, both eyes in the "
            "picture and not covered, at least 20 pixels wide (in one of more than 4 megapixels, a hundredth of its "
            "width), or cut out the part with the face"
        )
    where = ", ".join(f"{i}: {_place(face)}" for i, face in enumerate(faces, 1))
    if number is None:
        main, *others = sorted(faces, key=lambda face: -face.box[2])
        if others and main.box[2] < MAIN * others[0].box[2]:
            how = "--face N (in Python number=N)"
            raise InputError(f"{path}: {len(faces)} faces found; choose one with {how}, left to right {where}")
        return main
    if not hasattr(number, "__index__") or not 1 <= number <= len(faces):
        raise InputError(f"{path}: no face {number}; --face takes 1 to {len(faces)}, left to right {where}")
    return faces[number - 1]


def left_out(faces: Sequence[Face], chosen: Face) -> tuple[str, ...]:
    """Return number and place of the faces that are not the chosen one, in words."""
    return tuple(f"{i}: {_place(face)}" for i, face in enumerate(faces, 1) if face is not chosen)


def words_of_choice(number: int, others: Sequence[str], how: str = "--face N or --all") -> str:
    """Return in a line that the largest face was taken, where the others are, and how another is chosen."""
    return f"face {number} is taken, by far the largest; left out {', '.join(others)}; choose with {how}"


def _place(face: Face) -> str:
    """Return the box in words: size and upper left corner, in pixels."""
    x, y, w, h = face.box
    return f"{w:.0f}×{h:.0f} at ({x:.0f}, {y:.0f})"
