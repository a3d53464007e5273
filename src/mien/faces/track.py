"""Follows one face through a clip, and smooths how its eyes move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mien.faces.align import EYES as TEMPLATE
from mien.faces.detect import Face, choose_face, face_again, find_faces
from mien.faces.landmarks import Landmarker
from mien.faces.one_euro import OneEuro, Smoothed, one_euro

EYES = OneEuro(cutoff=0.5, beta=25.0, speed_cutoff=2.0)  # a unit is the distance between the eyes
NEAR = 0.6  # widths of its box that a face is looked for around where it last was
JUMP = 0.5  # widths of its box; what moves further between two frames is another face, or the scene was cut
GAP = 0.25  # seconds without a face after which the filter begins anew


@dataclass(frozen=True, eq=False)
class Followed:
    """A face that is followed, in one frame."""

    face: Face  # as it was found
    eyes: np.ndarray  # float64 (2, 2), smoothed
    anew: bool  # it does not go on from the frame before: the first, after a gap, or after a cut

    @property
    def steadied(self) -> Face:
        """The face with its smoothed eyes."""
        return replace(self.face, eyes=self.eyes)


class Follower:
    """Finds the same face in frame after frame: the nearest to where it last was.

    `number` counts from the left in the first frame with a face; None takes the only one. Called with a frame
    (H, W, 3) uint8 and its time in seconds, which must grow; returns None for a frame without a face. Raises InputError
    where `number` is missing or out of range.
    """

    def __init__(self, path: str | Path, number: int | None = None, landmarker: Landmarker | None = None):
        self.path, self.number, self.landmarker = path, number, landmarker
        self._face: Face | None = None
        self._time = 0.0
        self._eyes: Smoothed | None = None
        self._rgb: np.ndarray | None = None

    def __call__(self, rgb: np.ndarray, time: float) -> Followed | None:
        """Return the face in the next frame."""
        face = self._face if rgb is self._rgb else self._find(rgb, time)  # a photograph's stays where it is
        self._rgb = rgb
        if face is None:
            return None
        anew = self._face is None or time - self._time > GAP or distance_moved(face, self._face) > JUMP
        before = None if anew else self._eyes
        self._eyes = one_euro(before, face.eyes, max(time - self._time, 1e-3), EYES, eye_distance(face.eyes))
        self._face, self._time = face, time
        return Followed(face, self._eyes.value, anew)

    def _find(self, rgb: np.ndarray, time: float) -> Face | None:
        """Return the nearest face: its eyes where they were, else a face around there, else everywhere."""
        if self._face is None:
            faces = find_faces(rgb, self.landmarker)
            return choose_face(faces, f"{self.path} at {time:.2f} s", self.number) if faces else None
        last = self._face
        if again := face_again(rgb, last.eyes, self.landmarker):
            return again
        near = [face for face in find_near(rgb, last, self.landmarker) if distance_moved(face, last) <= JUMP]
        return min(near or find_faces(rgb, self.landmarker), key=lambda face: distance_moved(face, last), default=None)


def find_near(rgb: np.ndarray, last: Face, landmarker: Landmarker | None = None) -> list[Face]:
    """Return faces in the part of a frame (H, W, 3) around a face's box, in the frame's coordinates."""
    x, y, width, height = last.box
    left, top = (max(0, int(v - NEAR * width)) for v in (x, y))
    right, bottom = int(x + (1 + NEAR) * width) + 1, int(y + height + NEAR * width) + 1
    found = find_faces(np.ascontiguousarray(rgb[top:bottom, left:right]), landmarker)
    return [face.moved(left, top) for face in found]


def eye_distance(eyes: np.ndarray) -> float:
    """Return the distance of two points (2, 2)."""
    return float(np.hypot(*(eyes[1] - eyes[0])))


def distance_moved(face: Face, last: Face) -> float:
    """Return how far the eyes are from where they last were, in widths of the last box."""
    return float(np.hypot(*(face.eyes.mean(0) - last.eyes.mean(0)))) / last.box[2]


def follower(
    path: Path, number: int | None, aligned: bool, landmarker: Landmarker | None
) -> Callable[[np.ndarray, float], Followed | None]:
    """Return what finds the face in a frame at a time; in `aligned` crops it is where the template has it."""
    return aligned_face if aligned else Follower(path, number, landmarker)


def aligned_face(rgb: np.ndarray, time: float) -> Followed:
    """Return the face of a frame that is an aligned crop."""
    height, width = rgb.shape[:2]
    eyes = np.asarray(TEMPLATE) * (width, height) - 0.5
    return Followed(Face((0.0, 0.0, width, height), eyes, 0.0), eyes, anew=False)
