"""Whether C2PA's content credentials stand in a file: their box in the file's own structure, not the letters anywhere.

After the C2PA specification 2, appendix A: a JPEG keeps them in APP11 segments, a PNG in a chunk caBX, a WebP or AVI in
a RIFF chunk C2PA, MP4 and its kin (HEIC, AVIF) in a box of a UUID, a TIFF in a tag, a GIF in an application block.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from mien.reading import opened

UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
TAG = 0xCD41  # of a TIFF
STEPS = 100_000  # chunks, segments or boxes that are looked at
WINDOW = 64  # bytes of a segment in which its type stands


def holds_credentials(path: Path) -> bool:
    """Return whether a file has a place for credentials that is not empty. Raises InputError where it cannot be read.

    A file that ends early has those that stand before its end.
    """
    with opened(path, "give a picture or a clip") as file:
        head = file.read(16)
        try:
            if head.startswith(b"\xff\xd8"):
                return _in_jpeg(file)
            if head.startswith(b"\x89PNG\r\n\x1a\n"):
                return _in_png(file)
            if head[:4] == b"RIFF":
                return _in_riff(file)
            if head[4:8] in (b"ftyp", b"free", b"wide", b"moov", b"mdat", b"uuid"):
                return _in_boxes(file)
            if head[:4] in (b"II*\0", b"MM\0*"):
                return _in_tiff(file, "<" if head[:1] == b"I" else ">")
            return head.startswith(b"GIF8") and b"\x21\xff\x0bC2PA_GIF\x01\0\0" in file.read(1 << 20)
        except struct.error:  # it ends within a number
            return False


def _in_jpeg(file: BinaryIO) -> bool:
    file.seek(2)
    for _ in range(STEPS):
        fill, marker, length = struct.unpack(">BBH", file.read(4))
        if fill != 0xFF or marker == 0xDA:
            return False
        content = file.read(min(WINDOW, max(0, length - 2)))
        # JUMBF: "JP", its number and its part, then the boxes jumb and jumd, whose type begins with c2pa.
        if marker == 0xEB and content[:2] == b"JP" and b"jumb" in content and b"c2pa" in content:
            return True
        file.seek(max(0, length - 2) - len(content), os.SEEK_CUR)
    return False


def _in_png(file: BinaryIO) -> bool:
    file.seek(8)
    for _ in range(STEPS):
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind in (b"caBX", b"IEND"):
            return kind == b"caBX"
        file.seek(length + 4, os.SEEK_CUR)
    return False


def _in_riff(file: BinaryIO) -> bool:
    file.seek(12)
    for _ in range(STEPS):
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind == b"C2PA":
            return True
        file.seek(length + length % 2, os.SEEK_CUR)
    return False


def _in_boxes(file: BinaryIO) -> bool:
    at = 0
    for _ in range(STEPS):
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if length == 1:
            (length,), head = struct.unpack(">Q", file.read(8)), 16
        if kind == b"uuid" and file.read(16) == UUID:
            return True
        if length < head or length >= 1 << 62:  # 0: the last box, to the end
            return False
        at += length
    return False


def _in_tiff(file: BinaryIO, order: str) -> bool:
    file.seek(4)
    (at,) = struct.unpack(f"{order}I", file.read(4))
    file.seek(at)
    (count,) = struct.unpack(f"{order}H", file.read(2))
    return any(struct.unpack(f"{order}H10x", file.read(12))[0] == TAG for _ in range(count))
