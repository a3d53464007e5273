"""How many parts a picture's file has: counted before any decoder looks at each of them.

A megabyte can hold a hundred thousand parts of a few bytes, over which decoders take minutes; a JPEG can ask for all
its pixels a thousand times.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO

from mien.errors import InputError

SCANS = 100  # of a JPEG; encoders write some ten
SEGMENTS = 20_000  # of a JPEG; one holds up to 64 kB, and the largest profiles take some hundred
FILLING = 1 << 18  # bytes between two segments of a JPEG before its first scan, which decoders take one by one
CHUNKS = 200_000  # of a PNG; the largest picture in those of 4 kB has as many
BLOCKS = 20_000  # of a GIF, to its second frame
COMMENT = 1 << 20  # bytes of a GIF's comments, to which Pillow adds 255 at a time, copying all
SCANNED = 4096, 1 << 20  # bytes looked at together, the least and the most

_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # in coded data, FF is followed by 00 or D0 to D7 alone
_COMMENT, _EXTENSION, _FRAME = 0xFE, 0x21, 0x2C


def check_parts(path: Path, file: BinaryIO, head: bytes) -> None:
    """Raise InputError for a file with more parts than programs write; leave it as it was. `head` is its beginning."""
    before = file.tell()
    if head[:2] == b"\xff\xd8":
        _check_jpeg(path, file)
    elif head[:4] == b"\x89PNG":
        _check_png(path, file)
    elif head[:4] == b"GIF8":
        _check_gif(path, file, head)
    file.seek(before)


def _too_many(path: Path, what: str) -> InputError:
    return InputError(f"{path}: has more than {what}; save it anew")


def _check_jpeg(path: Path, file: BinaryIO) -> None:
    scans, segments, end = 0, 0, file.seek(2)
    while (marker := _marker(file)) not in (None, 0xD9):
        if not scans and file.tell() - end > FILLING:
            raise InputError(f"{path}: damaged, a long part of it holds nothing; save it anew")
        scans, segments = scans + (marker == 0xDA), segments + 1
        if scans > SCANS:
            raise _too_many(path, f"{SCANS} scans, each as long as a picture")
        if segments > SEGMENTS:
            raise _too_many(path, f"{SEGMENTS:,} segments")
        end = file.seek(max(0, int.from_bytes(file.read(2), "big") - 2), os.SEEK_CUR)


def _marker(file: BinaryIO) -> int | None:
    """Return the next marker of a JPEG, the file being left after it; None at the end."""
    size, most = SCANNED  # most segments follow at once on another, a scan's end is far away
    while block := file.read(size):
        if match := _MARKER.search(block):
            file.seek(match.end() - len(block), os.SEEK_CUR)
            return block[match.end() - 1]
        if len(block) == size and block[-1] == 0xFF:
            file.seek(-1, os.SEEK_CUR)
        size = min(2 * size, most)
    return None


def _check_png(path: Path, file: BinaryIO) -> None:
    file.seek(8)
    for _ in range(CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        file.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)
    raise _too_many(path, f"{CHUNKS:,} chunks")


def _check_gif(path: Path, file: BinaryIO, head: bytes) -> None:
    comment = frames = 0
    file.seek(13 + _palette(head[10]))
    for _ in range(BLOCKS):
        kind = file.read(1)
        if kind == bytes([_FRAME]):
            frames += 1
            about = file.read(9)
            if frames == 2 or len(about) < 9:  # what comes later is not looked at
                return
            file.seek(_palette(about[8]) + 1, os.SEEK_CUR)
            _skip(file)
        elif kind == bytes([_EXTENSION]):
            label = file.read(1)
            size = _skip(file)
            comment += size if label == bytes([_COMMENT]) else 0
            if comment > COMMENT:
                raise _too_many(path, f"{COMMENT >> 20} MiB of comments")
        elif kind in (b"", b";"):
            return
    raise _too_many(path, f"{BLOCKS:,} blocks")


def _palette(flags: int) -> int:
    """Return the bytes of the palette that follows."""
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _skip(file: BinaryIO) -> int:
    """Pass over a block's data, and return how many bytes they are."""
    total = 0
    while size := file.read(1):
        if size == b"\0":
            break
        file.seek(size[0], os.SEEK_CUR)
        total += size[0]
    return total
