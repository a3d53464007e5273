"""A clip from its file, a frame at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import InputError
from mien.media.video.ffmpeg import CLIPS, EXACT, ffmpeg, told

PIXEL_LIMIT = 40_000_000  # a frame of 8K has 33 million
MISSING = 0.25  # seconds that may lack at a clip's end; more, and it was cut short
_EXPECTED = f"expected a clip ({', '.join(CLIPS)})"
_AGAIN = "copy it again from where it came"

# Only these are tried, and only files: playlists and the like name other files, or fetch them from elsewhere.
_SAFE = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi",
    "protocol_whitelist": "file",
}
_TURNS = {
    90: (("transpose", "cclock"),),
    -90: (("transpose", "clock"),),
    180: (("hflip", None), ("vflip", None)),
}


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame."""

    rgb: np.ndarray  # uint8 (H, W, 3), upright
    time: float  # seconds
    pts: int  # the same in the clip's own unit
    frame: Any  # av.VideoFrame, upright, in the clip's own pixel format


class Reader:
    """A clip that is read, to be used in a `with`.

    Its packets are gone through once without decoding, which counts the frames and finds out whether the file is whole.
    Raises InputError for what is no clip, has no picture, or was cut short.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if not self.path.exists():
            raise InputError(f"{path}: no such file; {_EXPECTED}")
        if not self.path.is_file() or not self.path.stat().st_size:
            raise InputError(f"{path}: empty, or not a regular file; {_EXPECTED}")
        self.count = self._surveyed()
        self._file = self._opened()
        self.picture = picture_of(self._file)
        self.sounds = list(self._file.streams.audio)

    def __enter__(self) -> Reader:
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

    def shots(self, sound: Callable[[Any], None] | None = None) -> Iterator[Shot]:
        """Yield every frame; packets of sound are handed to `sound` as they come.

        Raises InputError where the file is damaged.
        """
        unit, last = float(self.picture.time_base), None
        try:
            for frame in self._frames(sound):
                if frame.pts is None or (last is not None and frame.pts <= last):  # encoders want them to grow
                    frame.pts = 0 if last is None else last + 1
                last = int(frame.pts)
                yield Shot(frame.to_ndarray(format="rgb24", interpolation=EXACT), last * unit, last, frame)
        except ffmpeg().FFmpegError as error:
            reason = f"damaged after {(last or 0) * unit:.2f} s ({error.strerror})"
            raise InputError(f"{self.path}: {reason}; {_AGAIN}") from error

    def _frames(self, sound: Callable[[Any], None] | None) -> Iterator[Any]:
        """Yield frames, upright; hand over packets of sound."""
        turn = None
        for packet in self._file.demux(self.picture, *self.sounds):
            if packet.stream.type == "video":
                for frame in packet.decode():
                    turn = turn or (Turn(frame) if frame.rotation else None)
                    yield turn(frame) if turn else frame
            elif sound and packet.dts is not None:
                sound(packet)

    def _opened(self) -> Any:
        """Return the opened file."""
        with told(self.path, f"not a clip that mien can read; {_EXPECTED}"):
            file = ffmpeg().open(str(self.path), container_options=_SAFE, metadata_errors="replace")
        stream = picture_of(file)
        if stream is None:
            held = "sound alone" if file.streams.audio else "no stream of video"
            file.close()
            raise InputError(f"{self.path}: holds {held}; {_EXPECTED}")
        if stream.width * stream.height > PIXEL_LIMIT:
            file.close()
            raise InputError(f"{self.path}: {stream.width}×{stream.height}, more than a frame of 8K; make it smaller")
        stream.thread_type = "AUTO"
        return file

    def _surveyed(self) -> int:
        """Return the number of frames."""
        count, ends, whole = 0, {0: 0.0}, True
        with self._opened() as file, told(self.path, f"damaged; {_AGAIN}"):
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
            # Matroska tells the length of all streams together, the others of each.
            length = float(stream.duration * stream.time_base) if stream.duration else (file.duration or 0) / 1e6
            end = ends.get(stream.index, 0.0) if stream.duration else max(ends.values())
        if not whole or end < length - MISSING:
            raise InputError(f"{self.path}: cut short after {end:.2f} s of {length:.2f}; {_AGAIN}")
        if not count:
            raise InputError(f"{self.path}: holds no frame; {_EXPECTED}")
        return count


def picture_of(file: Any) -> Any:
    """The first stream of pictures that move, None where there is none; a song's cover does not."""
    cover = ffmpeg().stream.Disposition.attached_pic
    return next((stream for stream in file.streams.video if not stream.disposition & cover), None)


class Turn:
    """Turns frames as the file says that they are to be shown, in their own pixel format and so without loss."""

    def __init__(self, frame: Any):
        self.graph = ffmpeg().filter.Graph()
        source = self.graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        quarter = (round(frame.rotation / 90) * 90 + 90) % 360 - 90  # -90, 0, 90, 180
        steps = [self.graph.add(kind, how) for kind, how in _TURNS.get(quarter, ())]
        self.graph.link_nodes(source, *steps, self.graph.add("buffersink")).configure()

    def __call__(self, frame: Any) -> Any:
        """Return the frame upright."""
        self.graph.vpush(frame)
        return self.graph.vpull()
