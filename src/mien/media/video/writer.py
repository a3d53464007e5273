"""A clip to its file, a frame at a time, with what it must not lose: sound, times, size, colours, words."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import InputError
from mien.files import check_place
from mien.media.provenance import Stamp, xmp_packet
from mien.media.video.ffmpeg import EXACT, ffmpeg, told
from mien.media.video.pixel_format import painted
from mien.media.video.reader import Reader, Shot
from mien.media.video.xmp_box import append_packet

FORMATS = {".mp4": "mp4", ".mkv": "matroska"}
QUALITY = {"crf": "17", "preset": "fast"}  # x264's guide calls 17 or 18 visually lossless
LOSSLESS = {"qp": "0", "preset": "ultrafast"}
_OWN = {"major_brand", "minor_version", "compatible_brands", "encoder"}  # what a file says of its own making


def check_clip_target(path: Path) -> str:
    """FFmpeg's name of the format that a suffix stands for.

    Raises InputError for an unknown one, a folder in the place, or no folder to write into.
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise InputError(f"{path}: a clip is written as {' or '.join(FORMATS)}; name the output so")
    check_place(path)
    return form


class Writer:
    """A clip that is written, to be used in a `with`: beside its place, and renamed if all went well.

    Times, sound and rate are those of `like`; size, colours and pixel format are the first frame's. `words` are the
    metadata to keep, `packet` the XMP. Raises InputError for what cannot be written; the file that was there before
    then still is.
    """

    def __init__(
        self,
        path: str | Path,
        like: Reader,
        stamp: Stamp | None,
        words: Mapping[str, str] | None = None,
        packet: bytes | None = None,
        lossless: bool = False,
    ):
        self.path, self.like, self.lossless = Path(path), like, lossless
        self.form = check_clip_target(self.path)
        self.words = {key: value for key, value in (words or {}).items() if key not in _OWN}
        self.packet = xmp_packet(stamp, packet) if stamp else packet
        if stamp:
            self.words["comment"] = f"{self.words.get('comment', '')}\n{stamp.description}".strip()
        target = self.path.resolve()  # through a link, so that the link stays
        self._target, self._beside = target, target.with_name(f".{target.name}.part")
        self._file: Any = None
        self._picture: Any = None
        self._sounds: dict[int, Any] = {}
        self._early: list[Any] = []  # sound that came before the first frame

    def __enter__(self) -> Writer:
        with self._writing():
            options = {"movflags": "faststart"} if self.form == "mp4" else {}
            self._file = ffmpeg().open(str(self._beside), "w", format=self.form, container_options=options)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._picture:
                self._finish()
            else:
                with contextlib.suppress(Exception):  # the file goes anyway, and there is an error to be told already
                    self._file.close()
        finally:
            self._beside.unlink(missing_ok=True)

    def sound(self, packet: Any) -> None:
        """Copy a packet of sound as it is."""
        if self._picture is None:
            self._early.append(packet)
            return
        packet.stream = self._sounds[packet.stream.index]
        with self._writing():
            self._file.mux(packet)

    def write(self, shot: Shot, rgb: np.ndarray | None = None) -> None:
        """Write a frame as it was or, of the same size, one that shows `rgb`."""
        if self._picture is None:
            self._begin(shot.frame)
        form = self._picture.pix_fmt
        frame = shot.frame.reformat(format=form, interpolation=EXACT) if rgb is None else painted(shot, rgb, form)
        frame.pts, frame.time_base = shot.pts, self.like.picture.time_base
        frame.pict_type = 0  # else the encoder takes over which frames were key frames
        with self._writing():
            self._file.mux(self._picture.encode(frame))

    def _begin(self, frame: Any) -> None:
        """Open the streams, now that a frame says what they hold."""
        source = self.like.picture
        deep = max(component.bits for component in frame.format.components) > 8
        picture = self._file.add_stream("libx265" if deep else "libx264", rate=self.like.rate)
        how = LOSSLESS if self.lossless else QUALITY
        picture.options = how | ({"x265-params": "log-level=error"} if deep else {})
        if deep and self.form == "mp4":
            picture.codec_context.codec_tag = "hvc1"  # which Apple's players ask for
        picture.width, picture.height = frame.width, frame.height
        picture.pix_fmt = pixel_format(frame, picture.codec)
        picture.codec_context.time_base = source.time_base
        for name in ("color_range", "color_primaries", "color_trc", "colorspace"):
            setattr(picture.codec_context, name, getattr(frame, name))
        ratio = source.sample_aspect_ratio
        if ratio:
            turned = (frame.width, frame.height) != (source.width, source.height)
            picture.codec_context.sample_aspect_ratio = 1 / ratio if turned else ratio
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

    def _finish(self) -> None:
        """Write what is left, and put the file in its place."""
        with self._writing():
            self._file.mux(self._picture.encode(None))
            self._file.close()
        try:
            if self.packet and self.form == "mp4":
                append_packet(self._beside, self.packet)
            with self._beside.open("rb+") as file:
                os.fsync(file.fileno())  # a full disk may show only here
            self._beside.replace(self._target)
        except OSError as error:
            raise InputError(
                f"{self.path}: cannot be written ({error.strerror or error}); nothing was changed"
            ) from error

    def _writing(self) -> contextlib.AbstractContextManager[None]:
        return told(self.path, "cannot be written; nothing was changed")


def pixel_format(frame: Any, codec: Any) -> str:
    """The frame's own format if the codec takes it, else one that keeps the size: chroma of odd sizes is not halved."""
    if frame.width % 2 or frame.height % 2:
        return "yuv444p"
    name = str(frame.format.name)
    return name if name in {form.name for form in codec.video_formats} else "yuv420p"
