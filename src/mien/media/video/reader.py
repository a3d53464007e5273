"""A clip from its file, a frame at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import InputError
from mien.media.video.ffmpeg import ANIMATIONS, EXACT, address, ffmpeg, ffmpeg_errors, is_clip
from mien.media.video.upright import Upright, display_matrix

PIXEL_LIMIT = 40_000_000  # a frame of 8K has 33 million
MISSING = 0.25  # seconds that may be missing at a clip's end; more, and it counts as cut short
_EXPECTED = "expected a clip (.mp4, .mov, .mkv, .webm, .avi, .mpg, .ts, .3gp, .wmv, .flv or a moving .gif or .png)"
_AGAIN = "copy it again from where it came"

# Only these are tried, and only files: playlists and the like name other files, or fetch them from elsewhere.
_SAFE = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,asf,flv,ogg,gif,apng",
    "protocol_whitelist": "file",
}
_PALETTES = ("pal8", "monow", "monob")  # pixels that are no colours yet
_RGB, _UNSPECIFIED = 0, 2  # matrices, by ITU-T H.273


@dataclass(frozen=True, eq=False)
class VideoFrame:
    """One frame of a clip."""

    rgb: np.ndarray  # uint8 (H, W, 3), upright
    time: float  # seconds
    pts: int  # the same in the clip's own unit
    native: Any  # av.VideoFrame, upright, in the clip's own pixel format and the first frame's size


class ClipReader:
    """A clip that is read, to be used in a `with`.

    First its packets are counted without decoding them, which also shows whether the file is whole.
    Raises InputError for what is no clip, has no picture, or was cut short.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if not self.path.exists():
            raise InputError(f"{path}: no such file; {_EXPECTED}")
        if not self.path.is_file() or not self.path.stat().st_size:
            raise InputError(f"{path}: empty, or not a regular file; {_EXPECTED}")
        self.count = self._count_frames()
        self._file = self._open()
        self.picture = picture_of(self._file)
        self.sounds = [sound for sound in self._file.streams.audio if sound.codec_context]
        self.unknown_sounds = len(self._file.streams.audio) - len(self.sounds)
        self.resized = 0  # frames so far that were of another size than the first

    def __enter__(self) -> ClipReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def rate(self) -> Fraction:
        """Frames a second, on average."""
        return self.picture.average_rate or self.picture.guessed_rate or Fraction(25)

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says of itself: title, date, comment, and so on."""
        return dict(self._file.metadata)

    def frames(self, sound: Callable[[Any], None] | None = None) -> Iterator[VideoFrame]:
        """Yield every frame; packets of sound are handed to `sound` as they come.

        Frames of another size than the first are brought to it, and counted. Raises InputError where the file is
        damaged.
        """
        unit, last = float(self.picture.time_base), None
        try:
            for frame in self._native_frames(sound):
                if frame.pts is None or (last is not None and frame.pts <= last):  # for encoders
                    frame.pts = 0 if last is None else last + 1
                last = int(frame.pts)
                yield VideoFrame(frame.to_ndarray(format="rgb24", interpolation=EXACT), last * unit, last, frame)
        except ffmpeg().FFmpegError as error:
            reason = f"damaged after {(last or 0) * unit:.2f} s ({error.strerror})"
            raise InputError(f"{self.path}: {reason}; {_AGAIN}") from error

    def _native_frames(self, sound: Callable[[Any], None] | None) -> Iterator[Any]:
        """Yield frames as PyAV has them, upright and alike; hand packets of sound to `sound`."""
        upright: Upright | None = None
        first: Any = None
        for packet in self._file.demux(self.picture, *self.sounds):
            if packet.stream.type == "video":
                for frame in packet.decode():
                    matrix = display_matrix(frame)
                    if matrix and (upright is None or not upright.fits(frame, matrix)):
                        upright = Upright(frame, matrix)
                    turned = upright(frame) if matrix and upright else frame
                    first = first or turned
                    yield self._alike(turned, first)
            elif sound and packet.dts is not None:
                sound(packet)

    def _alike(self, frame: Any, first: Any) -> Any:
        """Return a frame in the size and pixel format of the first, in colours that are colours."""
        form = "bgra" if first.format.name in _PALETTES else first.format.name
        size = frame.width, frame.height
        if frame.colorspace == _RGB and not frame.format.is_rgb:
            frame.colorspace = _UNSPECIFIED  # a wrong note: these samples are luma and two colours
        if size != (first.width, first.height):
            self.resized += 1
        elif frame.format.name == form:
            return frame
        pts = frame.pts
        frame = frame.reformat(first.width, first.height, form, interpolation=EXACT)
        frame.pts = pts
        return frame

    def _open(self) -> Any:
        """Return the opened file."""
        with ffmpeg_errors(self.path, f"not a clip that mien can read; {_EXPECTED}"):
            file = ffmpeg().open(address(self.path), container_options=_SAFE, metadata_errors="replace")
        stream, wrong = picture_of(file), None
        if stream is None:
            wrong = f"holds {'sound alone' if file.streams.audio else 'no stream of video'}; {_EXPECTED}"
        elif stream.codec_context is None:
            wrong = "its pictures are in a codec that is not known here; convert it, as to H.264 in .mp4"
        elif stream.width * stream.height > PIXEL_LIMIT:
            wrong = f"{stream.width}×{stream.height}, more than a frame of 8K; make it smaller"
        if wrong:
            file.close()
            raise InputError(f"{self.path}: {wrong}")
        stream.thread_type = "AUTO"
        return file

    def _count_frames(self) -> int:
        """Return the number of frames. Raises InputError for a file that is damaged or cut short."""
        count, ends, whole = 0, {0: 0.0}, True
        with self._open() as file, ffmpeg_errors(self.path, f"damaged; {_AGAIN}"):
            stream = picture_of(file)
            joined = file.format.name == "mpegts"  # where broadcasts are cut and put together, packets are marked too
            for packet in file.demux(stream, *(sound for sound in file.streams.audio if sound.codec_context)):
                if not packet.size or packet.is_discard:
                    continue
                own = packet.stream
                count += own is stream
                whole = whole and (joined or not packet.is_corrupt)
                shown = packet.pts if packet.pts is not None else packet.dts or 0
                end = float((shown - (own.start_time or 0) + (packet.duration or 0)) * own.time_base)
                ends[own.index] = max(end, ends.get(own.index, 0.0))
            # Matroska says how long all streams together are, other formats how long each is.
            length = float(stream.duration * stream.time_base) if stream.duration else (file.duration or 0) / 1e6
            end = ends.get(stream.index, 0.0) if stream.duration else max(ends.values())
        if not whole or end < length - MISSING:
            raise InputError(f"{self.path}: cut short after {end:.2f} s of {length:.2f}; {_AGAIN}")
        if not count:
            raise InputError(f"{self.path}: holds no frame; {_EXPECTED}")
        return count


def picture_of(file: Any) -> Any:
    """Return the first stream of moving pictures, None where there is none; a song's cover does not count."""
    cover = ffmpeg().stream.Disposition.attached_pic
    return next((stream for stream in file.streams.video if not stream.disposition & cover), None)


def is_moving(path: Path) -> bool:
    """Return whether a file is a clip by its name, or a GIF, PNG or WebP of several pictures.

    Raises InputError for a WebP of several pictures, which FFmpeg does not read.
    """
    if is_clip(path):
        return True
    if path.suffix.lower() not in ANIMATIONS or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(21)
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and head[20:] and head[20] & 2:
        raise InputError(f"{path}: moving pictures in WebP are not read; convert it to .gif, .png (APNG) or .mp4")
    try:
        return ClipReader(path).count > 1
    except InputError:
        return False  # a picture that stands still, or what the reader of photographs shall tell
