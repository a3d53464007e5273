"""Clip in, clip out: follow a face, have it changed in every frame, and smooth the changes over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from mien.controls import Controls
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.faces.crop import FaceCrop
from mien.faces.detect import words_of_choice
from mien.faces.morph import Maps
from mien.faces.one_euro import OneEuro, Smoothed, one_euro
from mien.faces.track import Follows, follower, nobody
from mien.media.photo import read_photo
from mien.media.provenance import CLIP
from mien.media.video.pixel_format import frame_of_picture
from mien.media.video.reader import ClipReader, VideoFrame, is_moving
from mien.media.video.writer import ClipWriter, clip_writer
from mien.media.video.xmp_box import read_packet
from mien.metrics.flicker import Steadiness
from mien.progress import Tell, untold
from mien.reading import article, as_path
from mien.runtime.engine import Change
from mien.runtime.person_code import person_code

# On a still studio face of 256 pixels under noise of four grey levels, changes by `fields` flicker by 0.04 grey levels
# a frame instead of 0.18; an expression that comes and goes within 0.75 s loses a tenth of its motion.
APPLIED = OneEuro(cutoff=1.0, beta=15.0, speed_cutoff=2.0)
UNITS = (0.1, 1.0, 1.0, 255.0)  # of speeds, by part of Maps: shares of the crop, log brightness, share, grey levels
CORRECTED = 5  # frames from one reading of what was made to the next
STILL_SIDE = 1920  # pixels: the longer side of a clip that is made of a photograph

Ask = Callable[[np.ndarray | None], Controls]
"""Returns what is asked of a frame, given the driving face uint8 (S, S, 3) if there is one."""


@dataclass(frozen=True)
class ClipReport:
    """What became of a clip."""

    frames: int
    missed: int  # frames without the person, or before the driving clip shows one: left as they were
    flicker: Steadiness
    notes: tuple[str, ...] = ()  # what the file does not keep, in words

    def __str__(self) -> str:
        text, seen = f"{self.frames} frames, {self.missed} without that person left as they were", self.flicker
        if seen.result.count:
            text += f"; flicker {seen.flicker:+.2f} grey levels a frame beyond the original's {seen.original.value:.2f}"
        if seen.found.count:
            text += f"; jitter of the eyes {seen.found.value:.1f} → {seen.steadied.value:.1f} % of their distance"
        return "; ".join((text, *self.notes))


class TemporalFilter:
    """Smooths over time what is done to a face, each number of it by itself."""

    def __init__(self) -> None:
        self._before: list[Smoothed] | None = None

    def __call__(self, what: Change, seconds: float, anew: bool) -> Change:
        """Return the next frame's change, smoothed; with `anew` without regard to those before."""
        parts = (what.flow, what.shade, what.alpha, what.paint) if isinstance(what, Maps) else (what,)
        units = UNITS[-len(parts) :]
        before = [None] * len(parts) if anew or self._before is None else self._before
        self._before = [
            one_euro(b, part, seconds, APPLIED, unit) for b, part, unit in zip(before, parts, units, strict=True)
        ]
        values = [part.value for part in self._before]
        return Maps(*values) if isinstance(what, Maps) else values[0]


class Changer:
    """Has a model change a face in frame after frame, asked for one thing.

    What is made is read, and the request corrected by that (Eq. 16 of fields), when the request is new, or the face,
    and every CORRECTED frames; between, the last correction serves, for what a face lacks changes little so soon.
    """

    def __init__(self, editor: Editor):
        self._editor = editor
        self._asked: Controls | None = None
        self._lacking: np.ndarray | None = None  # what was added to the request
        self._since = 0  # frames since

    def __call__(self, cut: FaceCrop, controls: Controls, anew: bool, transfers: bool = False) -> Change:
        """Return what brings the face of the next frame to what is asked; `anew` where it does not go on."""
        if transfers or controls.like is not None or "warp" not in self._editor.engine.abilities:
            return self._editor.change(cut, controls, transfers)
        sitter = self._editor.engine.sit(cut.crop)
        asked = sitter.asked(controls)
        self._since += 1
        if self._lacking is not None and not anew and controls == self._asked and self._since < CORRECTED:
            return sitter.again(asked, self._lacking)
        change, self._lacking = sitter.corrected(asked)
        self._asked, self._since = controls, 0
        return change


class Driver:
    """A clip whose face drives another's."""

    def __init__(self, editor: Editor, reader: ClipReader, number: int | None):
        self.editor, self.path, self._frames = editor, reader.path, reader.frames()
        self.follow = follower(reader.path, number, editor.aligned, editor.landmarker, person_code)
        self._next = next(self._frames, None)
        self._begin = self._next.time if self._next else 0.0
        self._crop: np.ndarray | None = None

    def at(self, time: float) -> np.ndarray | None:
        """Return the face uint8 (S, S, 3) in the last frame until `time` that shows one; None where none does.

        Times must not go back. After the clip's end its last face stays.
        """
        frame = None
        while self._next and self._next.time - self._begin <= time + 1e-6:
            frame, self._next = self._next, next(self._frames, None)
        if frame:
            found = self.follow(frame.rgb, frame.time)
            self._crop = self.editor.crop_at(frame.rgb, found.steadied).crop if found else self._crop
        return self._crop


def change_clip(
    editor: Editor,
    face: str | Path,
    output: str | Path,
    ask: Ask | Controls,
    operation: str = "",
    like: str | Path | None = None,
    number: int | None = None,
    like_number: int | None = None,
    transfers: bool = False,
    tell: Tell = untold,
    lossless: bool = False,
    keep_format: bool = False,
) -> ClipReport:
    """Write the clip `face`, or the photograph `face` in the time of the driving clip `like`, with faces changed.

    `ask` is what is asked of every frame, or returns it, given the driving face if `like` is a clip; `operation` says
    so in the note. Frames without that person pass unchanged. Written is what
    everybody plays; with `keep_format` what comes nearest to the source; `lossless`, which is larger, is exact outside
    what changed. Raises InputError for anything a user can get wrong; nothing is half-written.
    """
    face, output = as_path(face, "face.mp4"), as_path(output, "made.mp4")
    like = as_path(like, "like.mp4") if like else None
    if not isinstance(ask, Controls) and not callable(ask):
        raise InputError(f"expected Controls, as Controls('happiness'), or a function; got {article(ask)}")
    asked = (lambda _: ask) if isinstance(ask, Controls) else ask
    operation = operation or (ask.operation() if isinstance(ask, Controls) else "edit")
    with ExitStack() as stack:
        driven = stack.enter_context(ClipReader(like)) if like and is_moving(like) else None
        if is_moving(face):
            reader = stack.enter_context(ClipReader(face))
            words, packet, still = reader.metadata, read_packet(face), None
        elif driven:
            reader, photo = driven, read_photo(face)
            words, packet, still = {}, photo.xmp, fit_to_clip(photo.rgb)
        else:
            raise InputError(f"{face}: no clip, and none drives it; give one of the two")
        stamp = editor.stamp(operation, face.name)
        stamp = replace(stamp, medium=CLIP) if still is None else stamp
        writer = stack.enter_context(clip_writer(output, reader, stamp, words, packet, lossless, keep_format))
        frames = reader.frames(writer.sound)
        if driven and still is not None:
            # read twice: once for its times and sound, once for its face
            driven = stack.enter_context(ClipReader(driven.path))
            frames = still_frames(frames, still)
        driver = Driver(editor, driven, like_number) if driven else None
        follow = follower(face, number, editor.aligned, editor.landmarker, person_code)
        report = change_frames(editor, frames, reader.count, writer, driver, asked, follow, transfers, tell)
        if report.missed == report.frames:
            raise nobody(face, report.frames, number, follow.most, " while one drives" if driver else "")
        return replace(report, notes=(*choices(follow, driver), *writer.notes))


def change_frames(
    editor: Editor, frames: Iterator[VideoFrame], total: int, writer: ClipWriter, driver: Driver | None, ask: Ask,
    follow: Follows, transfers: bool, tell: Tell,
) -> ClipReport:  # fmt: skip
    """Write frame after frame with its face changed, or as it is where the person is not."""
    make, smooth, flicker, missed = Changer(editor), TemporalFilter(), Steadiness(), 0
    begin = last = None
    count = 0
    for count, (frame, found) in enumerate(follow.along(frames), 1):
        begin = frame.time if begin is None else begin
        example = driver.at(frame.time - begin) if driver else None
        if found is None or (driver and example is None):
            missed += 1
            writer.write(frame)
            flicker.interrupt()
        else:
            cut = editor.crop_at(frame.rgb, found.steadied)
            change = make(cut, ask(example), found.anew, transfers)
            change = smooth(change, frame.time - last if last is not None else 1.0, found.anew)
            made = editor.apply(cut, change).rgb
            writer.write(frame, made)
            flicker.see(frame.rgb, made, found.face.box, found.face.eyes, found.eyes)
            last = frame.time
        tell(count, total)
    return ClipReport(count, missed, flicker)


def choices(follow: Follows, driver: Driver | None) -> list[str]:
    """Return in words which faces were taken, where nobody chose and there were smaller ones."""
    found = [words_of_choice(follow.chosen, follow.left_out, "--face N")] if follow.left_out else []
    if driver and (others := driver.follow.left_out):
        found.append(f"of {driver.path.name} {words_of_choice(driver.follow.chosen, others, '--like-face N')}")
    return found


def still_frames(frames: Iterator[VideoFrame], rgb: np.ndarray) -> Iterator[VideoFrame]:
    """Yield a clip's frames, each with one picture's pixels."""
    native = frame_of_picture(rgb)
    for frame in frames:
        yield VideoFrame(rgb, frame.time, frame.pts, native)


def fit_to_clip(rgb: np.ndarray) -> np.ndarray:
    """Return a photograph (H, W, 3) at the size of a clip: not beyond STILL_SIDE, and even."""
    scale = min(1.0, STILL_SIDE / max(rgb.shape[:2]))
    if scale < 1:
        size = (max(2, round(rgb.shape[1] * scale)), max(2, round(rgb.shape[0] * scale)))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2])
