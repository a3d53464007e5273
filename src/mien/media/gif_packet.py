"""The XMP packet of a GIF: an application extension of its own (XMP Specification Part 3, 1.1.2; blocks: GIF89a, 26).

The packet stands there as it is. A reader that takes its bytes for lengths of blocks, as those of other extensions
are, lands in the trailer, from every place of which it comes to the end.
"""

from __future__ import annotations

from pathlib import Path

from mien.reading import opened

BEGIN = b"\x21\xff\x0bXMP DataXMP"
TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
LARGEST = 16 << 20  # bytes of a file's beginning in which it is looked for
_HEAD = 13  # bytes of a GIF's header and its screen's descriptor


def with_gif_packet(data: bytes, packet: bytes) -> bytes:
    """Return a GIF's bytes with a packet after its colours."""
    flags = data[_HEAD - 3]
    colours = _HEAD + (3 << (flags % 8 + 1) if flags & 0x80 else 0)
    return data[:colours] + BEGIN + packet + TRAILER + data[colours:]


def read_gif_packet(path: Path) -> bytes | None:
    """Return a GIF's packet, None where there is none. Raises InputError where the file cannot be read."""
    with opened(path, "expected a GIF") as file:
        _, found, rest = file.read(LARGEST).partition(BEGIN)
    packet, ended, _ = rest.partition(TRAILER)
    return packet if found and ended else None
