"""Sound from one file to another: as it is where that serves, else as AAC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mien.errors import InputError
from mien.media.video.ffmpeg import ffmpeg

PLAYED = ("aac", "mp3", "mp3float", "opus", "libopus", "flac", "alac", "ac3", "eac3")
"""Decoders of the sound that players expect in an MP4."""
BIT_RATE = 192_000
LAYOUTS = {1: "mono", 6: "5.1"}  # by channels; of any other number stereo
_NOTES = ("language", "title", "handler_name")


class Sound:
    """One stream of sound on its way: `packets` takes one of the source's and gives what to write for it.

    In an MP4 what players do not expect becomes AAC, unless `keep`. Raises InputError for what is kept and cannot be.
    """

    def __init__(self, file: Any, path: Any, source: Any, container: str, keep: bool):
        name = source.codec_context.name
        self.note = ""  # what was not kept, in words
        self._copied = keep or container != "mp4" or name in PLAYED
        if self._copied:
            try:
                self.stream = file.add_stream_from_template(source)
            except ValueError as error:
                other = "; name the output .mkv" if container == "mp4" else ""
                raise InputError(f"{path}: {container} cannot hold sound as {name}{other}") from error
        else:
            self.stream = _encoder(file, source)
            self.note = f"sound is AAC instead of {name}"
        self.stream.disposition = source.disposition
        self.stream.metadata.update({key: source.metadata[key] for key in _NOTES if key in source.metadata})

    def packets(self, packet: Any) -> Iterator[Any]:
        """Yield what is to be written for a packet of the source; None is its end."""
        if self._copied:
            if packet is not None:
                packet.stream = self.stream
                yield packet
            return
        for frame in packet.decode() if packet is not None else [None]:
            yield from self.stream.encode(frame)  # PyAV brings it to the encoder's rate, channels and length


def _encoder(file: Any, source: Any) -> Any:
    """Return a stream of AAC, of the source's rate and channels where AAC has them."""
    rates = ffmpeg().Codec("aac", "w").audio_rates or []
    rate = source.rate if source.rate in rates else 48_000
    stream = file.add_stream("aac", rate=rate, layout=LAYOUTS.get(source.layout.nb_channels, "stereo"))
    stream.bit_rate = BIT_RATE
    return stream
