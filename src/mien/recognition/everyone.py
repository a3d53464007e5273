"""Follows everybody in a clip: each person keeps a number, from left to right and as they come.

A `Follower` a person. All of a frame is looked at every REST frames and at cuts; who is there and belongs to nobody who
is known gets the next number, and the frames since the last such look are gone through backwards, so that no frame is
missed. Who is away is looked for in these frames alone: a film of many people takes no longer for those who left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from mien.faces.detect import Face, find_faces
from mien.faces.landmarks import Landmarker
from mien.faces.person import Code
from mien.faces.track import JUMP, REST, Followed, Follower, distance_moved, is_cut, small_copy
from mien.media.video.reader import VideoFrame

Faces = dict[int, Face]
"""Faces in a frame by the number of the person."""


class Everyone:
    """Finds all people in frame after frame; `code` tells them apart."""

    def __init__(self, path: str | Path, code: Code, landmarker: Landmarker | None = None):
        self.path, self.landmarker = path, landmarker
        self.people: dict[int, Follower] = {}
        self._code = code
        self._present: set[int] = set()
        self._since = REST  # frames since all of one was looked at
        self._small: np.ndarray | None = None  # copy of the last frame
        self._looked: tuple[np.ndarray, list[Face]] | None = None  # frame that was looked at in whole, and its faces
        self._codes: dict[bytes, np.ndarray] = {}  # of the faces in one frame, by their eyes
        self._coded: np.ndarray | None = None

    def along(self, frames: Iterable[VideoFrame]) -> Iterator[tuple[VideoFrame, dict[int, Followed]]]:
        """Yield every frame with the faces that it shows; holds back up to REST frames."""
        held: list[VideoFrame] = []
        seen: list[Faces] = []
        for frame in frames:
            due = self._is_due(frame.rgb)
            held.append(frame)
            seen.append(self._known(frame, due))
            if due:
                yield from self._settled(held, seen)
                held, seen = [], []
        if held:  # the clip ends before the next look was due
            seen[-1] = self._known(held[-1], True)
            yield from self._settled(held, seen)

    def _is_due(self, rgb: np.ndarray) -> bool:
        """Return whether all of a frame is to be looked at."""
        self._since += 1
        due = self._since >= REST or self._is_cut(rgb)
        if due:
            self._since = 0
        return due

    def _is_cut(self, rgb: np.ndarray) -> bool:
        before, self._small = self._small, small_copy(rgb)
        return before is not None and is_cut(before, self._small)

    def _known(self, frame: VideoFrame, due: bool) -> Faces:
        """Return the faces of people who are known: those of the frame before, and if `due` those who were away."""
        found: Faces = {}
        for number, person in self.people.items():
            if due:
                person.hurry()
            if (due or number in self._present) and (face := person.look(frame.rgb, frame.time)):
                found[number] = face
        for number, face in list(found.items()):  # nobody is two people: the one who is less alike is somewhere else
            rivals = [n for n, other in found.items() if n != number and distance_moved(other, face) <= JUMP]
            alike = [self.people[n].likeness(frame.rgb, face) for n in rivals]
            if alike and self.people[number].likeness(frame.rgb, face) < max(alike):
                del found[number]
        self._present = set(found)
        return found

    def _settled(self, held: list[VideoFrame], seen: list[Faces]) -> Iterator[tuple[VideoFrame, dict[int, Followed]]]:
        """Yield frames, of which the last is looked at in whole, with all of their people."""
        frame, found = held[-1], seen[-1]
        faces = self._find(frame.rgb)
        for face in faces:
            if all(distance_moved(face, other) > JUMP for other in found.values()):
                person = self._newcomer()
                person.begin(frame.rgb, frame.time, face, faces)
                number = len(self.people) + 1
                self.people[number], found[number] = person, face
        self._present = set(found)
        for number, face in found.items():
            self.people[number].meet(frame.rgb, face, faces)
            self._look_back(number, held, seen)
        for frame, faces_of in zip(held, seen, strict=True):
            yield frame, {n: self.people[n].steady(face, frame.time) for n, face in sorted(faces_of.items())}

    def _look_back(self, number: int, held: list[VideoFrame], seen: list[Faces]) -> None:
        """Find a person in the frames before the last, until where they were seen before."""
        last = len(held) - 1
        first = next((k + 1 for k in range(last - 1, -1, -1) if number in seen[k]), 0)
        back = self.people[number].look_back(held[first:last], seen[last][number])
        for place, face in zip(seen[first:last], back, strict=True):
            if face and all(distance_moved(other, face) > JUMP for other in place.values()):
                place[number] = face

    def _newcomer(self) -> Follower:
        person = Follower(self.path, self._code_once, None, self.landmarker)
        person.find = self._find
        return person

    def _find(self, rgb: np.ndarray) -> list[Face]:
        """Return all faces of a frame; they are looked for once for everybody."""
        if self._looked is None or self._looked[0] is not rgb:
            self._looked = rgb, find_faces(rgb, self.landmarker)
        return self._looked[1]

    def _code_once(self, rgb: np.ndarray, eyes: np.ndarray) -> np.ndarray:
        """Return the code of a face; it is made once for everybody who asks for it in a frame."""
        if rgb is not self._coded:
            self._codes, self._coded = {}, rgb
        key = eyes.tobytes()
        if key not in self._codes:
            self._codes[key] = self._code(rgb, eyes)
        return self._codes[key]
