"""Follows one person through a clip, and smooths how the eyes move."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from mien.errors import InputError
from mien.faces.align import EYES as TEMPLATE
from mien.faces.detect import Face, choose_face, face_again, face_still, find_faces, left_out
from mien.faces.landmarks import Landmarker
from mien.faces.one_euro import OneEuro, Smoothed, one_euro
from mien.faces.person import LEAST, SAME, STEADY, Code, Person
from mien.media.video.reader import VideoFrame

EYES = OneEuro(cutoff=0.5, beta=25.0, speed_cutoff=2.0)  # a unit is the distance between the eyes
NEAR = 0.6  # widths of its box that a face is looked for around where it last was
JUMP = 0.5  # widths of its box; what moves further between two frames is another face, or the scene was cut
GAP = 0.25  # seconds without a face after which the filter begins anew
REST = 8  # frames from one look at all of a frame to the next, while the person is away: it is fifteen frames' work
PAST = 3  # such frames that are kept, to see in doubt who else was there before two faces met
RIPE = 1.0  # seconds until a code is learnt: a face that another one passes turns into the other little by little
DOUBT, LONGEST = 1.0, 4.0  # seconds from one such doubt to the next, at first and at last
CUT = 24.0  # grey levels by which small copies of two frames differ on average where the scene was cut
STILL = 6  # grey levels by which no pixel of a small copy differs where nobody came into an empty frame
SMALL = (64, 36)  # pixels of these copies


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


class Follows(Protocol):
    """Finds one face in frame after frame."""

    @property
    def most(self) -> int:
        """The most faces that a frame showed while the one to follow was chosen."""
        ...

    @property
    def chosen(self) -> int:
        """The number of the face that is followed."""
        ...

    @property
    def left_out(self) -> tuple[str, ...]:
        """Number and place of the smaller faces, in words, where none was chosen."""
        ...

    def __call__(self, rgb: np.ndarray, time: float) -> Followed | None:
        """Return the face in the next frame (H, W, 3) uint8 at `time` seconds, which must grow; None without it."""
        ...

    def along(self, frames: Iterable[VideoFrame]) -> Iterator[tuple[VideoFrame, Followed | None]]:
        """Yield every frame with its face; sees a little ahead, and so where a face is that comes back."""
        ...


class Follower:
    """Finds the same person in frame after frame: by place, and by who it is, which `code` says.

    `number` counts from the left in the first frame that shows so many faces; None takes the only one of the first
    frame with any, or the one by far largest: `chosen` is its number, `left_out` tells of the others. Where none is by
    far largest it is `otherwise`. Frames without the person, whoever else they show, give None. Raises InputError where
    `number` is missing.
    """

    def __init__(
        self, path: str | Path, code: Code, number: int | None = None, landmarker: Landmarker | None = None,
        otherwise: int | None = None,
    ):  # fmt: skip
        self.path, self.code, self.number, self.landmarker, self.otherwise = path, code, number, landmarker, otherwise
        self.find: Callable[[np.ndarray], list[Face]] = lambda rgb: find_faces(rgb, landmarker)
        self.most, self.chosen, self.left_out = 0, number or 1, tuple[str, ...]()
        self._person = Person()
        self._face: Face | None = None  # where it last was
        self._time = 0.0
        self._code: np.ndarray | None = None  # of it there
        self._eyes: Smoothed | None = None
        self._smoothed: tuple[float, Face] | None = None  # time and face of the last that was smoothed
        self._rgb: np.ndarray | None = None
        self._found: Face | None = None  # in the last frame
        self._small: np.ndarray | None = None  # copy of the last frame
        self._empty: np.ndarray | None = None  # copy of the last that was looked at in whole and does not show the face
        self._past: deque[tuple[np.ndarray, Face]] = deque(maxlen=PAST)  # every REST frames one, with the face in it
        self._seen = 0  # frames with the face
        self._fresh: deque[tuple[float, np.ndarray]] = deque()  # codes with their times, not learnt yet
        self._asked, self._wait = float("-inf"), DOUBT  # when the past was looked at, and until when it is not again
        self._rested = REST  # frames since all of one was looked at
        self._trusted = 0  # frames since the landmarks' fit was not enough
        self._skipped = False  # the last frame was not looked at in whole, and nothing was found

    def __call__(self, rgb: np.ndarray, time: float) -> Followed | None:
        """Return the face in the next frame."""
        face = self.look(rgb, time)
        return self.steady(face, time) if face else None

    def along(self, frames: Iterable[VideoFrame]) -> Iterator[tuple[VideoFrame, Followed | None]]:
        """Yield every frame with its face; holds back up to REST frames of which it is not known yet."""
        held: list[VideoFrame] = []
        for frame in frames:
            face = self.look(frame.rgb, frame.time)
            if face is None and self._skipped:
                held.append(frame)
                continue
            yield from self._placed([*held, frame], face)
            held = []
        if held:  # the clip ends before the next look was due
            self._rested = REST
            yield from self._placed(held, self.look(held[-1].rgb, held[-1].time))

    def begin(self, rgb: np.ndarray, time: float, face: Face, faces: Iterable[Face]) -> None:
        """Follow a face from a frame on, which shows `faces` in all."""
        self._know(rgb, face, faces)
        self._is_cut(rgb)
        self._face = self._found = face
        self._rgb, self._time, self._seen = rgb, time, 1

    def hurry(self) -> None:
        """Let the next look be at all of the frame, if need be, however short ago the last was."""
        self._rested = REST

    def _placed(self, frames: list[VideoFrame], last: Face | None) -> Iterator[tuple[VideoFrame, Followed | None]]:
        """Yield frames with the person's face, which is known of the last of them."""
        before = self.look_back(frames[:-1], last) if last else [None] * (len(frames) - 1)
        for frame, face in zip(frames, [*before, last], strict=True):
            yield frame, self.steady(face, frame.time) if face else None

    def steady(self, face: Face, time: float) -> Followed:
        """Return a face with its eyes smoothed after those before."""
        before = self._smoothed
        anew = before is None or time - before[0] > GAP or distance_moved(face, before[1]) > JUMP
        seconds = max(time - before[0], 1e-3) if before else 1.0
        self._eyes = one_euro(None if anew else self._eyes, face.eyes, seconds, EYES, eye_distance(face.eyes))
        self._smoothed = time, face
        return Followed(face, self._eyes.value, anew)

    def look(self, rgb: np.ndarray, time: float) -> Face | None:
        """Return the person's face as it is found in the next frame."""
        if rgb is not self._rgb or self._skipped:  # a photograph's stays where it is
            cut = self._is_cut(rgb)
            self._rested += 1
            if self._found and self._rgb is not None and self._seen % REST == 0:
                self._past.append((self._rgb, self._found))
            self._found = self._find(rgb, time, cut) if self._face else self._choose(rgb, time, cut)
            self._rgb = rgb
        if self._found:
            self._face, self._time, self._skipped, self._empty = self._found, time, False, None
            self._seen += 1
        return self._found

    def _choose(self, rgb: np.ndarray, time: float, cut: bool) -> Face | None:
        """Return the face to follow, once so many are seen."""
        faces = self._everywhere(rgb, cut)
        self.most = max(self.most, len(faces))
        if not faces or len(faces) < (self.number or 1):
            return None
        try:
            chosen = choose_face(faces, f"{self.path} at {time:.2f} s", self.number)
        except InputError:
            if self.number or not self.otherwise:
                raise
            chosen = faces[self.otherwise - 1]
        else:
            if self.number is None:
                self.chosen, self.left_out = 1 + faces.index(chosen), left_out(faces, chosen)
        self._know(rgb, chosen, faces)
        return chosen

    def _find(self, rgb: np.ndarray, time: float, cut: bool) -> Face | None:
        """Return the person's face: its eyes where they were, else around there, else everywhere."""
        last = self._face
        assert last is not None
        present = self._found is not None  # in the frame before
        goes_on = time - self._time <= GAP and not cut
        if present and goes_on and (face := self._still(rgb, last)) and self._is_person(rgb, time, face, goes_on):
            return face
        for face in self._around(rgb, last, near=present and goes_on):
            if self._is_person(rgb, time, face, goes_on):
                return face
        if present:  # lost
            self._remember(time)
        faces = self._everywhere(rgb, cut or present)
        found = max(faces, key=lambda face: self.likeness(rgb, face), default=None)
        if found is None or self.likeness(rgb, found) < SAME:
            return None
        self._know(rgb, found, faces)
        return found

    def _still(self, rgb: np.ndarray, last: Face) -> Face | None:
        """Return the face where its landmarks say that it is still there; every REST frames that is not enough."""
        self._trusted += 1
        found = face_still(rgb, last, self.landmarker) if self._trusted < REST else None
        if found is None:
            self._trusted = 0
        return found

    def look_back(self, frames: list[VideoFrame], face: Face) -> list[Face | None]:
        """Return the face in frames that lie before one where it is, backwards until it is no longer seen."""
        faces: list[Face | None] = []
        for frame in reversed(frames):
            around = self._around(frame.rgb, face, near=True)
            found = next((one for one in around if self.likeness(frame.rgb, one) >= SAME), None)
            if found is None:
                break
            face = found
            faces.append(found)
        return [None] * (len(frames) - len(faces)) + faces[::-1]

    def _around(self, rgb: np.ndarray, last: Face, near: bool) -> Iterator[Face]:
        """Yield the face whose eyes are where they were, then, if `near`, those that moved, the least first."""
        if again := face_again(rgb, last.eyes, self.landmarker):
            yield again
        if near:
            found = [face for face in find_near(rgb, last, self.landmarker) if distance_moved(face, last) <= JUMP]
            yield from sorted(found, key=lambda face: distance_moved(face, last))

    def _everywhere(self, rgb: np.ndarray, at_once: bool) -> list[Face]:
        """Return all faces of a frame; none, without having looked, if the last look was a moment ago."""
        self._skipped = not at_once and self._rested < REST
        if self._skipped:
            return []
        self._rested = 0
        if self._empty is not None and self._small is not None and cv2.absdiff(self._small, self._empty).max() <= STILL:
            return []
        self._empty = self._small
        return self.find(rgb)

    def _is_person(self, rgb: np.ndarray, time: float, face: Face, goes_on: bool) -> bool:
        """Return whether a face is the person's; `goes_on` if it may be where it was a moment ago."""
        code = self.code(rgb, face.eyes)
        while self._fresh and time - self._fresh[0][0] >= RIPE:
            ripe = self._fresh.popleft()[1]
            if self._person.likeness(ripe) >= LEAST:
                self._person.learn(ripe)
        if self._person.likeness(code) < STEADY:  # in doubt
            self._remember(time)
        steady = goes_on and self._code is not None and float(code @ self._code) >= STEADY
        if self._person.likeness(code) < (LEAST if steady else SAME):
            return False
        self._fresh.append((time, code))
        self._code = code
        return True

    def _remember(self, time: float) -> None:
        """Learn who else was there lately, when the person was."""
        if time - self._asked < self._wait:
            return
        self._asked, self._wait = time, min(2 * self._wait, LONGEST)  # who is often in doubt is not asked for each time
        past = [*self._past, *([(self._rgb, self._found)] if self._found and self._rgb is not None else [])]
        self._past.clear()
        for rgb, face in past:
            self.meet(rgb, face, self.find(rgb))

    def likeness(self, rgb: np.ndarray, face: Face) -> float:
        """Return how alike a face is to the person's."""
        return self._person.likeness(self.code(rgb, face.eyes))

    def _know(self, rgb: np.ndarray, face: Face, faces: Iterable[Face]) -> None:
        """Learn from a frame who the person is, and who is not."""
        self._code = self.code(rgb, face.eyes)
        self._person.learn(self._code)
        self.meet(rgb, face, faces)

    def meet(self, rgb: np.ndarray, face: Face, faces: Iterable[Face]) -> None:
        """Learn from a frame that shows the person's face who the other faces are."""
        for other in faces:
            if distance_moved(other, face) > JUMP:
                self._person.learn_other(self.code(rgb, other.eyes))

    def _is_cut(self, rgb: np.ndarray) -> bool:
        """Return whether the scene was cut before a frame."""
        before, self._small = self._small, small_copy(rgb)
        return before is not None and is_cut(before, self._small)


class Template:
    """Where the face is in frames that are aligned crops: where the template has it."""

    most = chosen = 1
    left_out = ()

    def __call__(self, rgb: np.ndarray, time: float) -> Followed:
        """Return the face of a frame."""
        height, width = rgb.shape[:2]
        eyes = np.asarray(TEMPLATE) * (width, height) - 0.5
        return Followed(Face((0.0, 0.0, width, height), eyes, 0.0, "given"), eyes, anew=False)

    def along(self, frames: Iterable[VideoFrame]) -> Iterator[tuple[VideoFrame, Followed | None]]:
        """Yield every frame with its face."""
        for frame in frames:
            yield frame, self(frame.rgb, frame.time)


def follower(
    path: Path, number: int | None, aligned: bool, landmarker: Landmarker | None, code: Callable[[], Code],
    otherwise: int | None = None,
) -> Follows:  # fmt: skip
    """Return what finds the face in a clip's frames, `aligned` crops or not; `code` opens what tells people apart."""
    return Template() if aligned else Follower(path, code(), number, landmarker, otherwise)


def nobody(path: Path, frames: int, number: int | None, most: int, when: str = "") -> InputError:
    """Return what is to be said where a clip does not show the face to follow in any of its frames."""
    if number and most:
        return InputError(f"{path}: no face {number} in any of {frames} frames{when}, {most} at most; lower --face")
    return InputError(f"{path}: no face in any of {frames} frames{when}")


def small_copy(rgb: np.ndarray) -> np.ndarray:
    """Return a small grey copy of a frame, by which frames are compared."""
    return cv2.cvtColor(cv2.resize(rgb, SMALL, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)


def is_cut(before: np.ndarray, now: np.ndarray) -> bool:
    """Return whether the scene was cut between two frames, of small copies."""
    return float(cv2.absdiff(now, before).mean()) > CUT


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
