"""The XMP packet of an MP4 file: a box of its own on the top level (ISO 16684-3, 2.2.5; boxes: ISO 14496-12, 4.2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
LARGEST = 16_000_000  # bytes; a packet beyond that is no packet


def append_packet(path: Path, packet: bytes) -> None:
    """Put a packet at the end of an MP4 file, where it moves nothing that other boxes point at."""
    with path.open("ab") as file:
        file.write(struct.pack(">I4s16s", 24 + len(packet), b"uuid", UUID) + packet)


def read_packet(path: Path) -> bytes | None:
    """Return the file's last packet, None where there is none or it is no MP4 file."""
    packet = None
    with path.open("rb") as file:
        for kind, start, end in _boxes(file, path.stat().st_size):
            if kind == b"uuid" and 16 <= end - start <= LARGEST:
                file.seek(start)
                content = file.read(end - start)
                packet = content[16:] if content.startswith(UUID) else packet
    return packet


def _boxes(file: BinaryIO, length: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the content of every box on the top level."""
    place = 0
    while place + 8 <= length:
        file.seek(place)
        head = file.read(16).ljust(16, b"\0")
        size, kind = struct.unpack(">I4s", head[:8])
        body = 16 if size == 1 else 8
        size = struct.unpack(">Q", head[8:])[0] if size == 1 else size or length - place
        if size < body or place + size > length:  # no box: some other kind of file, or cut short
            return
        yield kind, place + body, place + size
        place += size
