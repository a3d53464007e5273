"""Files that are no photograph, or none that is taken: what makes them, and what is said of them."""

import struct
import zlib

import numpy as np

from mien.web.upload import MEGABYTES


def png(width, height, data):
    """Return a PNG file, grey, that says it is so large."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


HOSTILE = {
    "page.png": (lambda: b"<html><script>alert(1)</script></html>", "not an image"),
    "drawing.svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "not an image"),
    "empty.jpg": (lambda: b"", "empty"),
    "noise.webp": (lambda: np.random.default_rng(0).bytes(50_000), "not an image"),
    "bomb.png": (lambda: png(60_000, 60_000, zlib.compress(bytes(10**6))), "more than 40 megapixels"),
    "wide.png": (lambda: png(8001, 5000, zlib.compress(bytes(8002 * 5000))), "more than 40 megapixels"),
    "cut.png": (lambda: png(500, 500, zlib.compress(bytes(501 * 500))[:-9]), "damaged or cut short"),
    "big.png": (lambda: png(500, 500, zlib.compress(bytes(501 * 500))) + bytes(MEGABYTES << 20), "more than 20 MB"),
    "nobody.png": (lambda: png(500, 500, zlib.compress(bytes(501 * 500))), "no face found"),
}
