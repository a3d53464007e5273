"""Photograph in, clip out: one face, found and read once, goes from expression to expression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mien.controls import Controls
from mien.editing.editor import Editor
from mien.editing.timeline import BLINK, Key, Timeline, way
from mien.errors import InputError
from mien.faces.align import rescaled
from mien.faces.crop import FaceCrop, Picture
from mien.media.animation import FORMATS, check_animation, flat, write_animation
from mien.media.photo import Photo
from mien.media.picture import is_one_of_several, open_picture
from mien.media.provenance import Stamp
from mien.media.video.ffmpeg import ANIMATIONS, ffmpeg, is_clip
from mien.media.video.target import check_sides
from mien.media.video.writer import Still, check_clip_target, clip_writer
from mien.progress import Tell, untold

GIF_SIDE = 480  # pixels of a GIF's longer side where none is asked for: larger ones are loaded for minutes
PLAYED = 4096  # pixels of the longer side that most decoders of H.264 go to
SAMPLES = 8  # frames by which the colours of a GIF are chosen
STEPS = 6  # key frames that a stamp names


class Animation:
    """A photograph whose face does what a timeline says.

    A frame on a key is what `Editor.edit` makes of the same request, and pixels around the face are the photograph's in
    every frame. Raises InputError, before the first frame, for what the model cannot be asked for.
    """

    def __init__(self, editor: Editor, cut: FaceCrop, timeline: Timeline):
        check_model(editor, timeline)
        self.editor, self.cut, self.timeline = editor, cut, timeline
        self._sitter = editor.engine.sit(cut.crop)
        self._path = timeline.path
        self._known = [self._sitter.asked(key.asked) for key in self._path]
        self._last = self._sitter.asked(None), shown(cut.photo)  # nothing asked, nothing done

    def at(self, time: float) -> np.ndarray:
        """Return the photograph, uint8 (H, W, 3), at a time in seconds."""
        before, after, share = way(self._path, time)
        asked = between(self._known[before], self._known[after], share)
        if gaze := self.timeline.gaze_at(time):
            asked = self._sitter.asked(Controls(gaze=gaze), asked)
        if shut := self.timeline.shut(time):
            asked = between(asked, self._sitter.asked(BLINK, asked), shut)
        if not np.array_equal(asked, self._last[0]):
            self._last = asked, shown(self.editor.apply(self.cut, self._sitter.change(asked)))
        return self._last[1]

    def frames(self) -> Iterator[np.ndarray]:
        """Yield the frames, which are not to be written to: those of a face at rest are one array."""
        return (self.at(time) for time in self.timeline.times)

    def samples(self) -> list[np.ndarray]:
        """Return some of the pictures that a timeline goes through."""
        return [self.at(key.time) for key in self._path[:: -(-len(self._path) // SAMPLES)]]


@dataclass(frozen=True)
class AnimationReport:
    """What became of a photograph that was animated."""

    frames: int
    seconds: float
    size: tuple[int, int]  # width, height
    notes: tuple[str, ...] = ()  # what the file does not keep, in words

    def __str__(self) -> str:
        what = f"{self.frames} frames, {self.seconds:.2f} s, {self.size[0]}×{self.size[1]}"
        return "; ".join((what, *self.notes))


def animate(editor: Editor, face: Picture, timeline: Timeline, number: int | None = None) -> Iterator[np.ndarray]:
    """Yield the frames of an `Animation` of a picture's face."""
    check_model(editor, timeline)  # before a face is looked for
    return Animation(editor, editor.crop(face, number), timeline).frames()


def animate_photo(
    editor: Editor, cut: FaceCrop, output: Path, timeline: Timeline, source: str, size: int | None = None,
    tell: Tell = untold,
) -> AnimationReport:  # fmt: skip
    """Write an `Animation` as .mp4, .mkv, .gif, .webp or .png (APNG): whole or not at all, and stamped.

    `size` is the most that the longer side may have, by default the photograph's, and GIF_SIDE of a GIF; `source` is
    the photograph's name. Raises InputError for what cannot be written.
    """
    moves, gif = output.suffix.lower() in FORMATS, output.suffix.lower() == ".gif"
    width, height = sides = cut.photo.rgb.shape[1::-1]
    cut = resized(cut, size or (GIF_SIDE if gif else max(sides)))
    cut = cut if moves else even(cut)
    photo, notes = cut.photo, []
    if not moves:
        check_sides(output, "libx264", photo.rgb.shape[1::-1], f"ask for a smaller one, as --size {PLAYED}")
    if gif and size is None and max(sides) > GIF_SIDE:
        notes.append(f"brought to {GIF_SIDE} pixels, as a GIF of {width}×{height} would be large; --size N for others")
    if not moves and max(sides) > PLAYED:
        notes.append(f"few players show clips beyond {PLAYED} pixels; --size N for fewer")
    if (gif or not moves) and photo.alpha is not None and (photo.alpha < 255).any():
        notes.append("transparent parts became white; a .webp keeps them")
    animation = Animation(editor, cut, timeline)
    frames = _told(animation.frames(), timeline.count, tell)
    stamp = editor.stamp(operation_of(timeline), source)
    if moves:
        samples = animation.samples() if gif else ()
        write_animation(photo, output, frames, timeline.count, timeline.fps, stamp, samples)
    else:
        _write_clip(photo, output, frames, timeline, stamp)
    seconds = float(timeline.count / timeline.fps)
    return AnimationReport(timeline.count, seconds, photo.rgb.shape[1::-1], tuple(notes))


def check_output(output: Path, timeline: Timeline) -> None:
    """Raise InputError where no clip can be written: worth asking before long work."""
    if output.suffix.lower() in FORMATS:
        check_animation(output, (1, 1), timeline.fps)
        return
    if output.suffix.lower() not in (".mp4", ".mkv"):
        raise InputError(f"{output}: a clip is written as .mp4, .mkv, {', '.join(FORMATS)}; name the output so")
    check_clip_target(output)
    ffmpeg()


def check_model(editor: Editor, timeline: Timeline) -> None:
    """Raise InputError where the model cannot be asked for what a timeline says."""
    for asked in [key.asked for key in (*timeline.keys, *timeline.gaze)] + [BLINK] * bool(timeline.blinks):
        if asked is not None:
            editor.engine.require_edit(asked)


def check_still(face: Path) -> None:
    """Raise InputError where a file is a clip, or a picture that moves already."""
    moves = is_clip(face)
    if not moves and face.suffix.lower() in ANIMATIONS:
        with open_picture(face, "expected a photograph", "copy it again from where it came") as image:
            moves = is_one_of_several(image)
    if moves:
        raise InputError(f"{face}: moves already; give one photograph, or change the clip with mien edit")


def operation_of(timeline: Timeline) -> str:
    """Return what a timeline asks for in words, as a stamp tells it."""
    steps = [_words(key) for key in timeline.keys[:STEPS]]
    more = len(timeline.keys) - len(steps)
    text = " → ".join((*steps, *([f"{more} more"] if more else [])))
    return f"animate: {text}{', with gaze' if timeline.gaze else ''}{', with blinks' if timeline.blinks else ''}"


def between(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """Return what lies between two requests, exactly one of them at 0 and at 1."""
    return np.float32(1 - share) * one + np.float32(share) * other


def shown(photo: Photo) -> np.ndarray:
    """Return a photograph's pixels as its own file would have them: grey where it was."""
    return np.asarray(Image.fromarray(photo.rgb).convert("L").convert("RGB")) if photo.grey else photo.rgb


def resized(cut: FaceCrop, side: int) -> FaceCrop:
    """Return a face in its photograph brought to a longer side of at most `side` pixels; the model sees the same."""
    height, width = cut.photo.rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return cut
    size = max(1, round(width * scale)), max(1, round(height * scale))
    rgb, alpha = (
        None if picture is None else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        for picture in (cut.photo.rgb, cut.photo.alpha)
    )
    back = cv2.invertAffineTransform(rescaled(np.eye(2, 3), np.array([size[0] / width, size[1] / height])))
    matrix = cut.matrix @ np.vstack([back, [0, 0, 1]])  # small -> photo -> crop
    assert rgb is not None
    return replace(cut, photo=replace(cut.photo, rgb=rgb, alpha=alpha, sixteen=None), matrix=matrix)


def even(cut: FaceCrop) -> FaceCrop:
    """Return a face in its photograph without the last line or column where their number is odd."""
    height, width = (max(2, side // 2 * 2) for side in cut.photo.rgb.shape[:2])
    rgb, alpha = (
        None if picture is None else np.ascontiguousarray(picture[:height, :width])
        for picture in (cut.photo.rgb, cut.photo.alpha)
    )
    assert rgb is not None
    return replace(cut, photo=replace(cut.photo, rgb=rgb, alpha=alpha, sixteen=None))


def _words(key: Key) -> str:
    words = key.asked.operation() if key.asked else "as it is"
    return "neutral" if words == "neutralize" else words.removeprefix("edit: ")


def _told(frames: Iterator[np.ndarray], count: int, tell: Tell) -> Iterator[np.ndarray]:
    for k, frame in enumerate(frames, 1):
        tell(k, count)
        yield frame


def _write_clip(photo: Photo, output: Path, frames: Iterable[np.ndarray], timeline: Timeline, stamp: Stamp) -> None:
    """Write frames with a codec of clips."""
    still = Still(flat(photo, shown(photo)), timeline.fps)
    with clip_writer(output, still, stamp, packet=photo.xmp) as writer:
        for k, frame in enumerate(frames):
            writer.write(still.frame(k), flat(photo, frame))
