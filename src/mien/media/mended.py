"""A PNG whose pixels are whole, though a colour profile, a text or else what describes them is damaged."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO

MOST = 256 << 20  # bytes of a file that is mended, in memory
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")  # the chunks that pixels are made of; the others describe them


def mended(file: BinaryIO) -> Iterator[io.BytesIO]:
    """Yield copies of a PNG that may be read where `file` cannot: less those descriptions that are damaged, less all.

    Damage is a check sum that does not fit. Chunks of pixels stay as they are, damaged or not. Yields nothing of other
    files. `file` is left anywhere.
    """
    file.seek(0)
    data = file.read(MOST + 1)
    if not data.startswith(_SIGNATURE) or len(data) > MOST:
        return
    chunks = list(_chunks(data))
    for keeps in (_is_whole, lambda chunk: False):
        yield io.BytesIO(_SIGNATURE + b"".join(chunk for chunk in chunks if chunk[4:8] in _PIXELS or keeps(chunk)))


def _chunks(data: bytes) -> Iterator[bytes]:
    at = len(_SIGNATURE)
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield data[at:end]
        at = end


def _is_whole(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
