"""A clip from its file, a frame at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import InputError
from mien.media.video.ffmpeg import CLIPS, EXACT, ffmpeg, ffmpeg_errors

PIXEL_LIMIT = 40_000_000  # a frame of 8K has 33 million
MISSING = 0.25  # seconds that may be missing at a clip's end; more, and it counts as cut short
_EXPECTED = f"expected a clip ({', '.join(CLIPS)})"
_AGAIN = "copy it again from where it came"

# Only these are tried, and only files: playlists and the like name other files, or fetch them from elsewhere.
_SAFE = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi", "protocol_whitelist": "file"}
_ROTATIONS = {90: (("transpose", "cclock"),), -90: (("transpose", "clock"),), 180: (("hflip", None), ("vflip", None))}


@dataclass(frozen=True, eq=False)
class VideoFrame:
    """One frame of a clip."""

    rgb: np.ndarray  # uint8 (H, W, 3), upright
    time: float  # seconds
    pts: int  # the same in the clip's own unit
    native: Any  # av.VideoFrame, upright, in the clip's own pixel format


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
        self.sounds = list(self._file.streams.audio)

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

        Raises InputError where the file is damaged.
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
        """Yield frames as PyAV has them, upright; hand packets of sound to `sound`."""
        rotation = None
        for packet in self._file.demux(self.picture, *self.sounds):
            if packet.stream.type == "video":
                for frame in packet.decode():
                    rotation = rotation or (Rotation(frame) if frame.rotation else None)
                    yield rotation(frame) if rotation else frame
            elif sound and packet.dts is not None:
                sound(packet)

    def _open(self) -> Any:
        """Return the opened file."""
        with ffmpeg_errors(self.path, f"not a clip that mien can read; {_EXPECTED}"):
            file = ffmpeg().open(str(self.path), container_options=_SAFE, metadata_errors="replace")
        stream = picture_of(file)
        if stream is None:
            content = "sound alone" if file.streams.audio else "no stream of video"
            file.close()
            raise InputError(f"{self.path}: holds {content}; {_EXPECTED}")
        if stream.width * stream.height > PIXEL_LIMIT:
            file.close()
            raise InputError(f"{self.path}: {stream.width}×{stream.height}, more than a frame of 8K; make it smaller")
        stream.thread_type = "AUTO"
        return file

    def _count_frames(self) -> int:
        """Return the number of frames. Raises InputError for a file that is damaged or cut short."""
        count, ends, whole = 0, {0: 0.0}, True
        with self._open() as file, ffmpeg_errors(self.path, f"damaged; {_AGAIN}"):
            stream = picture_of(file)
            for packet in file.demux(stream, *file.streams.audio):
                if not packet.size or packet.is_discard:
                    continue
                own = packet.stream
                count += own is stream
                whole = whole and not packet.is_corrupt
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


class Rotation:
    """Turns frames as the file says that they are to be shown, in their own pixel format and so without loss."""

    def __init__(self, frame: Any):
        self.graph = ffmpeg().filter.Graph()
        source = self.graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        quarter = (round(frame.rotation / 90) * 90 + 90) % 360 - 90  # -90, 0, 90, 180
        filters = [self.graph.add(kind, how) for kind, how in _ROTATIONS.get(quarter, ())]
        self.graph.link_nodes(source, *filters, self.graph.add("buffersink")).configure()

    def __call__(self, frame: Any) -> Any:
        """Return the frame upright."""
        self.graph.vpush(frame)
        return self.graph.vpull()
