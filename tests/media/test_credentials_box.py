"""Where C2PA's box stands in a file, and where its letters stand by chance."""

import io
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from mien.cli.info import credentials_of
from mien.media.credentials_box import UUID, holds_credentials


def png(*chunks):
    parts = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def box(kind, data):
    return struct.pack(">I4s", 8 + len(data), kind) + data


JUMBF = b"JP\0\1\0\0\0\1" + box(b"jumb", box(b"jumd", b"c2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\3c2pa\0"))
APP11 = b"\xff\xeb" + struct.pack(">H", 2 + len(JUMBF)) + JUMBF
FTYP = box(b"ftyp", b"isom\0\0\2\0isommp41")
TIFF = struct.pack("<2sHIHHHII", b"II", 42, 8, 1, 0xCD41, 7, 4, 0)

SIGNED = {
    "jpg": b"\xff\xd8\xff\xe0\0\4JF" + APP11 + b"\xff\xd9",
    "png": png((b"IHDR", bytes(13)), (b"caBX", b"x"), (b"IEND", b"")),
    "webp": b"RIFF\x1c\0\0\0WEBPVP8 \3\0\0\0abc\0C2PA\4\0\0\0aaaa",
    "mp4": FTYP + box(b"free", b"ab") + box(b"uuid", UUID + bytes(9)),
    "large.mp4": FTYP + struct.pack(">I4sQ", 1, b"mdat", 20) + bytes(4) + box(b"uuid", UUID),
    "tif": TIFF,
    "gif": b"GIF89a" + bytes(20) + b"\x21\xff\x0bC2PA_GIF\x01\0\0",
}
CHANCE = {
    "jpg": b"\xff\xd8\xff\xfe\0\x16see c2pa.org, jumb\xff\xda\0\2" + APP11,
    "png": png((b"IHDR", bytes(13)), (b"tEXt", b"Comment\0see c2pa.org caBX"))[:-3],
    "webp": b"RIFF\x1c\0\0\0WEBPVP8 \x08\0\0\0C2PAc2pa",
    "mp4": FTYP + box(b"free", b"c2pa" + UUID) + b"\0\0\0\3mdat" + bytes(50),
    "endless.mp4": FTYP + struct.pack(">I4sQ", 1, b"free", 2**63) + b"c2pa",
    "tif": b"II*\0\xff\xff\xff\x7fc2pa",
    "txt": b"c2pa",
    "empty": b"",
}


@pytest.mark.parametrize("name", SIGNED)
def test_a_box_is_found(name, tmp_path):
    (tmp_path / name).write_bytes(SIGNED[name])
    assert holds_credentials(tmp_path / name)


@pytest.mark.parametrize("name", CHANCE)
def test_letters_are_none(name, tmp_path):
    (tmp_path / name).write_bytes(CHANCE[name])
    assert credentials_of(tmp_path / name) == (False, None)


def test_a_picture_that_speaks_of_it_was_never_signed(tmp_path):
    info, file = PngImagePlugin.PngInfo(), io.BytesIO()
    info.add_text("Comment", "see c2pa.org")
    Image.new("RGB", (32, 32)).save(file, "PNG", pnginfo=info)
    (tmp_path / "in.png").write_bytes(file.getvalue()[:-40])
    assert credentials_of(tmp_path / "in.png") == (False, None)


def test_a_box_that_cannot_be_parsed_is_damaged_and_not_forged(tmp_path):
    pytest.importorskip("c2pa", reason="reading needs c2pa-python: pip install 'mien[provenance]'")
    (tmp_path / "in.png").write_bytes(SIGNED["png"])
    signed, found = credentials_of(tmp_path / "in.png")
    assert signed and found.state == "Damaged"
