"""PNG files, chunk by chunk: less what is damaged, though the pixels are whole; and pictures that move."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import count
from typing import Any, BinaryIO

from PIL import Image, ImageChops

MOST = 256 << 20  # bytes of a file that is mended, in memory
SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")  # the chunks that pixels are made of; the others describe them


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and bytes, with length and check sum, of every chunk."""
    at = len(SIGNATURE)
    while at < len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4], "big")
        yield png[at + 4 : at + 8], png[at:end]
        at = end


def mended(file: BinaryIO) -> Iterator[io.BytesIO]:
    """Yield copies of a PNG that may be read where `file` cannot: less those descriptions that are damaged, less all.

    Damage is a check sum that does not fit. Chunks of pixels stay as they are, damaged or not. Yields nothing of other
    files. `file` is left anywhere.
    """
    file.seek(0)
    data = file.read(MOST + 1)
    if not data.startswith(SIGNATURE) or len(data) > MOST:
        return
    parts = list(chunks(data))
    for keeps in (_is_whole, lambda chunk: False):
        yield io.BytesIO(SIGNATURE + b"".join(chunk for kind, chunk in parts if kind in PIXELS or keeps(chunk)))


def _is_whole(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


def moving_png(frames: Iterator[Image.Image], duration: Sequence[int], loop: int, **options: Any) -> bytes:
    """Return frames as an animated PNG (PNG, third edition, 11.3.6), one in memory; Pillow would hold them all.

    Each is shown for thousandths of a second. The first is a PNG of Pillow's, with all that its `options` keep; of
    those that follow, what changes from one to the next is coded, and its data are carried over.
    """
    places = count(1)  # in the order of what moves
    before = next(frames)
    still = list(chunks(_saved(before, **options)))
    start = next(k for k, (kind, _) in enumerate(still) if kind == b"IDAT")
    parts = [chunk for _, chunk in still]
    parts[start:start] = [
        _chunk(b"acTL", struct.pack(">2I", len(duration), loop)), _frame(0, (0, 0, *before.size), duration[0]),
    ]  # fmt: skip
    end = parts.pop()
    for frame, shown in zip(frames, duration[1:], strict=True):
        box = ImageChops.difference(before, frame).getbbox(alpha_only=False) or (0, 0, 1, 1)
        parts.append(_frame(next(places), box, shown))
        coded = [chunk[8:-4] for kind, chunk in chunks(_saved(frame.crop(box))) if kind == b"IDAT"]
        parts += [_chunk(b"fdAT", struct.pack(">I", next(places)) + data) for data in coded]
        before = frame
    return SIGNATURE + b"".join(parts) + end


def _saved(picture: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", **options)
    return buffer.getvalue()


def _frame(place: int, box: tuple[int, int, int, int], shown: int) -> bytes:
    """Return a frame's control data: its pixels take the place of what is there, for thousandths of a second."""
    left, top, right, bottom = box
    time = Fraction(shown, 1000).limit_denominator(65_535)
    size = (right - left, bottom - top, left, top)
    return _chunk(b"fcTL", struct.pack(">5I2H2B", place, *size, min(65_535, time.numerator), time.denominator, 0, 0))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
