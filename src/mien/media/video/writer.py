"""A clip to its file, a frame at a time, with what it must not lose: sound, times, size, colours, words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from mien.errors import InputError
from mien.files import check_place, whole
from mien.media.provenance import Stamp, xmp_packet
from mien.media.video.ffmpeg import address, ffmpeg, ffmpeg_errors
from mien.media.video.pixel_format import change_frame, frame_as, frame_of_picture, is_see_through
from mien.media.video.reader import VideoFrame
from mien.media.video.sound import Sound
from mien.media.video.target import NAMES, Target, check_sides, loses, target_of
from mien.media.video.xmp_box import append_packet

FORMATS = {".mp4": "mp4", ".mkv": "matroska"}
QUALITY = {"crf": "17", "preset": "fast"}  # x264's guide calls 17 or 18 visually lossless
LOSSLESS = {"qp": "0", "preset": "ultrafast"}
_OWN = {"major_brand", "minor_version", "compatible_brands", "encoder"}  # what a file says of its own making


def check_clip_target(path: Path) -> str:
    """Return FFmpeg's name of the format that a suffix stands for.

    Raises InputError for an unknown one, a folder in the place, or no folder to write into.
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise InputError(f"{path}: a clip is written as {' or '.join(FORMATS)}; name the output so")
    check_place(path)
    return form


class Source(Protocol):
    """Where a clip's times, shape and sound come from: a clip that is read, or `Still`."""

    picture: Any  # has time_base, sample_aspect_ratio, width and height, as PyAV's streams have
    sounds: list[Any]
    unknown_sounds: int
    resized: int

    @property
    def rate(self) -> Fraction:
        """Frames a second."""
        ...


class Still:
    """A picture (H, W, 3) uint8, sides even, that becomes a clip: its frames come evenly, without sound."""

    def __init__(self, rgb: np.ndarray, rate: Fraction):
        self.rgb, self.rate = rgb, rate
        self.picture = SimpleNamespace(
            time_base=1 / rate, sample_aspect_ratio=None, width=rgb.shape[1], height=rgb.shape[0]
        )
        self.sounds: list[Any] = []
        self.unknown_sounds = self.resized = 0
        self._native = frame_of_picture(rgb)

    def frame(self, number: int) -> VideoFrame:
        """Return the picture as the clip's frame of that number, from 0."""
        return VideoFrame(self.rgb, float(number / self.rate), number, self._native)


@contextlib.contextmanager
def clip_writer(
    path: str | Path,
    like: Source,
    stamp: Stamp | None,
    words: Mapping[str, str] | None = None,
    packet: bytes | None = None,
    lossless: bool = False,
    keep: bool = False,
) -> Iterator[ClipWriter]:
    """Give what writes a clip beside its place; the clip takes the place if all goes well.

    Times, sound and rate are those of `like`; pictures are written so that everybody plays them, with `keep` and
    `lossless` as near to their own format as the container goes. `words` are the metadata to keep, `packet` the XMP.
    Raises InputError for what cannot be written; the file that was there before then still is.
    """
    path = Path(path)
    form = check_clip_target(path)
    notes = {key: value for key, value in (words or {}).items() if key not in _OWN}
    if stamp:
        notes["comment"] = f"{notes.get('comment', '')}\n{stamp.description}".strip()
        packet = xmp_packet(stamp, packet)
    with whole(path) as beside:
        writer = ClipWriter(path, beside, form, like, notes, lossless, keep)
        try:
            yield writer
            writer.finish()
        finally:
            writer.close()
        if packet and form == "mp4":
            append_packet(beside, packet)


class ClipWriter:
    """Writes the frames and the sound of a clip to a file `beside` its place `path`; made by `clip_writer`."""

    def __init__(
        self, path: Path, beside: Path, form: str, like: Source, words: Mapping[str, str], lossless: bool,
        keep: bool,
    ):  # fmt: skip
        self.path, self.form, self.like, self.words, self.lossless = path, form, like, words, lossless
        self.keep = keep or lossless
        self._picture: Any = None
        self._target: Target | None = None
        self._sounds: dict[int, Sound] = {}
        self._early: list[Any] = []  # sound that came before the first frame
        self._notes: list[str] = []
        self._see_through = False
        with self._writing():
            options = {"movflags": "faststart"} if form == "mp4" else {}
            self._file = ffmpeg().open(address(beside), "w", format=form, container_options=options)

    @property
    def notes(self) -> list[str]:
        """What was not kept so far, in words."""
        like, notes = self.like, list(self._notes)
        if self._see_through:
            notes.append("transparency is lost; --keep-format and a name with .mkv keep it")
        if like.resized:
            notes.append(f"{like.resized} frames of another size were brought to that of the first")
        if like.unknown_sounds:
            notes.append(f"{like.unknown_sounds} streams of sound in unknown codecs are left out")
        return notes

    def sound(self, packet: Any) -> None:
        """Write a packet of sound, as it is where that serves."""
        if self._picture is None:
            self._early.append(packet)
            return
        with self._writing():
            self._file.mux(list(self._sounds[packet.stream.index].packets(packet)))

    def write(self, frame: VideoFrame, rgb: np.ndarray | None = None) -> None:
        """Write a frame as it was or, of the same size, one that shows `rgb`."""
        target = self._target or self._begin(frame.native)
        if not self._see_through and target.codec != "ffv1":
            self._see_through = is_see_through(frame.native)
        native = frame_as(frame, target) if rgb is None else change_frame(frame, rgb, target)
        native.pts, native.time_base = frame.pts, self.like.picture.time_base
        native.pict_type = 0  # else the encoder makes key frames where the source had them
        with self._writing():
            self._file.mux(self._picture.encode(native))

    def _begin(self, frame: Any) -> Target:
        """Open the streams, now that a frame says what they hold; return what pictures are written as."""
        target = self._target = target_of(frame, self.form, self.keep)
        instead = "give smaller pictures, or a name with .mkv and --keep-format"
        check_sides(self.path, target.codec, (target.width, target.height), instead)
        self._tell_losses(frame, target)
        source = self.like.picture
        picture = self._file.add_stream(target.codec, rate=self.like.rate)
        picture.options = _options(target, self.lossless)
        if target.codec == "libx265" and self.form == "mp4":
            picture.codec_context.codec_tag = "hvc1"  # which Apple's players ask for
        picture.width, picture.height, picture.pix_fmt = target.width, target.height, target.form
        picture.codec_context.time_base = source.time_base
        for name in ("color_range", "color_primaries", "color_trc", "colorspace"):
            setattr(picture.codec_context, name, getattr(target, name))
        ratio = source.sample_aspect_ratio
        if ratio:
            on_its_side = (frame.width, frame.height) != (source.width, source.height)
            picture.codec_context.sample_aspect_ratio = 1 / ratio if on_its_side else ratio
        for sound in self.like.sounds:
            self._sounds[sound.index] = Sound(self._file, self.path, sound, self.form, self.keep)
        self._notes += sorted({sound.note for sound in self._sounds.values() if sound.note})
        self._file.metadata.update(self.words)
        self._picture = picture
        early, self._early = self._early, []
        for packet in early:
            self.sound(packet)
        return target

    def _tell_losses(self, frame: Any, target: Target) -> None:
        """Note what `target` does not keep of the first frame, but for its transparency."""
        changes = []
        if loses(frame, target):
            changes.append(f"{NAMES[target.codec]} as {target.form} instead of {frame.format.name}")
        if (frame.width, frame.height) != (target.width, target.height):
            changes.append(f"{target.width}×{target.height} instead of {frame.width}×{frame.height}")
        if changes:
            self._notes.append(f"{', '.join(changes)}{'' if self.keep else '; --keep-format stays nearer'}")

    def finish(self) -> None:
        """Write what is left. Raises InputError where no frame was written."""
        if self._picture is None:
            raise InputError(f"{self.path}: there is no frame to write")
        with self._writing():
            self._file.mux(self._picture.encode(None))
            for sound in self._sounds.values():
                self._file.mux(list(sound.packets(None)))
            self._file.close()

    def close(self) -> None:
        """Let go of the file, whatever state it is in."""
        with contextlib.suppress(Exception):  # it is finished, or goes; then there is an error already
            self._file.close()

    def _writing(self) -> contextlib.AbstractContextManager[None]:
        return ffmpeg_errors(self.path, "cannot be written; it was left as it was")


def _options(target: Target, lossless: bool) -> dict[str, str]:
    """Return the options of an encoder."""
    if target.codec == "ffv1":  # loses nothing anyway; it cuts pictures into more slices than the smallest have lines
        return {"slices": "1"} if min(target.width, target.height) < 16 else {}
    quiet = {"x265-params": "log-level=error:lossless=1" if lossless else "log-level=error"}
    return (LOSSLESS if lossless else QUALITY) | (quiet if target.codec == "libx265" else {})
