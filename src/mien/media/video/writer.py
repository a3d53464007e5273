"""A clip to its file, a frame at a time, with what it must not lose: sound, times, size, colours, words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import InputError
from mien.files import check_place, whole
from mien.media.provenance import Stamp, xmp_packet
from mien.media.video.ffmpeg import EXACT, ffmpeg, ffmpeg_errors
from mien.media.video.pixel_format import change_frame
from mien.media.video.reader import ClipReader, VideoFrame
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


@contextlib.contextmanager
def clip_writer(
    path: str | Path,
    like: ClipReader,
    stamp: Stamp | None,
    words: Mapping[str, str] | None = None,
    packet: bytes | None = None,
    lossless: bool = False,
) -> Iterator[ClipWriter]:
    """Give what writes a clip beside its place; the clip takes the place if all goes well.

    Times, sound and rate are those of `like`; size, colours and pixel format are the first frame's. `words` are the
    metadata to keep, `packet` the XMP. Raises InputError for what cannot be written; the file that was there before
    then still is.
    """
    path = Path(path)
    form = check_clip_target(path)
    notes = {key: value for key, value in (words or {}).items() if key not in _OWN}
    if stamp:
        notes["comment"] = f"{notes.get('comment', '')}\n{stamp.description}".strip()
        packet = xmp_packet(stamp, packet)
    with whole(path) as beside:
        writer = ClipWriter(path, beside, form, like, notes, lossless)
        try:
            yield writer
            writer.finish()
        finally:
            writer.close()
        if packet and form == "mp4":
            append_packet(beside, packet)


class ClipWriter:
    """Writes the frames and the sound of a clip to a file `beside` its place `path`; made by `clip_writer`."""

    def __init__(self, path: Path, beside: Path, form: str, like: ClipReader, words: Mapping[str, str], lossless: bool):
        self.path, self.form, self.like, self.words, self.lossless = path, form, like, words, lossless
        self._picture: Any = None
        self._sounds: dict[int, Any] = {}
        self._early: list[Any] = []  # sound that came before the first frame
        with self._writing():
            options = {"movflags": "faststart"} if form == "mp4" else {}
            self._file = ffmpeg().open(f"file:{beside}", "w", format=form, container_options=options)

    def sound(self, packet: Any) -> None:
        """Copy a packet of sound as it is."""
        if self._picture is None:
            self._early.append(packet)
            return
        packet.stream = self._sounds[packet.stream.index]
        with self._writing():
            self._file.mux(packet)

    def write(self, frame: VideoFrame, rgb: np.ndarray | None = None) -> None:
        """Write a frame as it was or, of the same size, one that shows `rgb`."""
        if self._picture is None:
            self._begin(frame.native)
        form = self._picture.pix_fmt
        if rgb is None:
            native = frame.native.reformat(format=form, interpolation=EXACT)
        else:
            native = change_frame(frame, rgb, form)
        native.pts, native.time_base = frame.pts, self.like.picture.time_base
        native.pict_type = 0  # else the encoder makes key frames where the source had them
        with self._writing():
            self._file.mux(self._picture.encode(native))

    def _begin(self, frame: Any) -> None:
        """Open the streams, now that a frame says what they hold."""
        source = self.like.picture
        ten_bit = max(component.bits for component in frame.format.components) > 8
        picture = self._file.add_stream("libx265" if ten_bit else "libx264", rate=self.like.rate)
        how = LOSSLESS if self.lossless else QUALITY
        picture.options = how | ({"x265-params": "log-level=error"} if ten_bit else {})
        if ten_bit and self.form == "mp4":
            picture.codec_context.codec_tag = "hvc1"  # which Apple's players ask for
        picture.width, picture.height = frame.width, frame.height
        picture.pix_fmt = pixel_format(frame, picture.codec)
        picture.codec_context.time_base = source.time_base
        for name in ("color_range", "color_primaries", "color_trc", "colorspace"):
            setattr(picture.codec_context, name, getattr(frame, name))
        ratio = source.sample_aspect_ratio
        if ratio:
            on_its_side = (frame.width, frame.height) != (source.width, source.height)
            picture.codec_context.sample_aspect_ratio = 1 / ratio if on_its_side else ratio
        for sound in self.like.sounds:
            try:
                self._sounds[sound.index] = self._file.add_stream_from_template(sound)
            except ValueError as error:
                other = "; name the output .mkv" if self.form == "mp4" else ""
                name = sound.codec_context.name
                raise InputError(f"{self.path}: {self.form} cannot hold sound as {name}{other}") from error
        self._file.metadata.update(self.words)
        self._picture = picture
        early, self._early = self._early, []
        for packet in early:
            self.sound(packet)

    def finish(self) -> None:
        """Write what is left. Raises InputError where no frame was written."""
        if self._picture is None:
            raise InputError(f"{self.path}: there is no frame to write")
        with self._writing():
            self._file.mux(self._picture.encode(None))
            self._file.close()

    def close(self) -> None:
        """Let go of the file, whatever state it is in."""
        with contextlib.suppress(Exception):  # it is finished, or goes; then there is an error already
            self._file.close()

    def _writing(self) -> contextlib.AbstractContextManager[None]:
        return ffmpeg_errors(self.path, "cannot be written; nothing was changed")


def pixel_format(frame: Any, codec: Any) -> str:
    """Return the frame's own format if the codec takes it, else 4:2:0; 4:4:4 where an odd size cannot be halved."""
    if frame.width % 2 or frame.height % 2:
        return "yuv444p"
    name = str(frame.format.name)
    return name if name in {form.name for form in codec.video_formats} else "yuv420p"
