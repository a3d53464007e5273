"""Sixteen bits a channel, kept beside the eight in which faces are changed: what is not changed keeps all of them.

Pillow reads and writes colour with eight bits only. OpenCV has sixteen, but no metadata; so a PNG is written by both.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
from cv2.utils import logging
from PIL import ExifTags, Image, ImageFile

FORMATS = ("PNG", "TIFF")
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")  # PNG's chunks that are no metadata
_AMISS = 1  # how far Pillow's eight bits may lie from ours: it cuts off where we round


def is_deep(image: Image.Image) -> bool:
    """Whether an image, not yet decoded, is a PNG or TIFF of sixteen bits a channel."""
    if image.format not in FORMATS or not isinstance(image, ImageFile.ImageFile) or image.mode == "CMYK":
        return False
    packing = [tile.args if isinstance(tile.args, str) else str(tile.args[:1]) for tile in image.tile if tile.args]
    return any(";16" in text for text in packing)


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation of an image, not yet decoded; 1, upright, where there is none that can be read."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # hostile or damaged directories raise nearly anything
        return 1


def eight(deep: np.ndarray) -> np.ndarray:
    """uint16 rounded to uint8: v / 257."""
    # 65407 and more are all 255, and adding 128 to them would overflow.
    return ((np.minimum(deep, 65_407) + np.uint16(128)) // np.uint16(257)).astype(np.uint8)


def read_deep(data: bytes, orientation: int, rgb: np.ndarray) -> np.ndarray | None:
    """Upright pixels, uint16 (H, W, 3 or 4) RGB and alpha, of a file's bytes; None where OpenCV sees others than `rgb`.

    `rgb` uint8 (H, W, 3) is what Pillow sees in it.
    """
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)  # odd tags are nothing to bother people with
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # its limits and checks are others than Pillow's
        return None
    finally:
        logging.setLogLevel(level)
    if found is None or found.dtype != np.uint16:
        return None
    if found.ndim == 2:
        found = np.repeat(found[..., None], 3, axis=2)
    elif found.shape[2] in (3, 4):
        found = found[..., [2, 1, 0, 3][: found.shape[2]]]
    if data.startswith(b"\x89PNG"):  # OpenCV turns a TIFF by itself
        found = turned(found, orientation)
    found = np.ascontiguousarray(found)
    if found.shape[:2] != rgb.shape[:2] or found.shape[2] not in (3, 4):
        return None
    amiss = cv2.absdiff(eight(found[..., :3]), rgb).max()
    return found if amiss <= _AMISS else None


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """`pixels` (H, W, C) as EXIF's orientation, 1 to 8, wants them shown."""
    across = pixels.transpose(1, 0, 2)
    ways = {
        2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1],
        5: across, 6: across[:, ::-1], 7: across[::-1, ::-1], 8: across[::-1],
    }  # fmt: skip
    return ways.get(orientation, pixels)


def carried(deep: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """`deep`'s colours, uint16 (H, W, 3), with the changes that `rgb` uint8 has against them; all else bit for bit."""
    result = deep[..., :3].copy()
    before = eight(result)
    rows = np.flatnonzero((before != rgb).any(axis=(1, 2)))
    change = rgb[rows].astype(np.int32) - before[rows]
    result[rows] = np.clip(result[rows] + 257 * change, 0, 65_535).astype(np.uint16)
    return result


def encode_png(colours: np.ndarray, alpha: np.ndarray | None, grey: bool, options: Mapping[str, Any]) -> bytes:
    """A PNG of sixteen bits a channel with the metadata that Pillow's `options` name.

    `colours` uint16 (H, W, 3), `alpha` uint16 (H, W). Grey with alpha is written as colour: OpenCV knows no other.
    """
    carrier = io.BytesIO()
    Image.new("L" if grey else "RGB", (1, 1)).save(carrier, "PNG", **options)
    notes = b"".join(chunk for kind, chunk in _chunks(carrier.getvalue()) if kind not in _PIXELS)
    image = colours[..., ::-1]
    if alpha is not None:
        image = np.dstack([image, alpha])
    elif grey:
        image = colours[..., 0]
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(image))
    if not done:
        raise OSError("OpenCV could not encode the PNG")
    data = encoded.tobytes()
    head = 8 + 25  # the signature and IHDR, after which metadata may stand
    return data[:head] + notes + data[head:]


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and bytes, with length and sum, of every chunk of a PNG."""
    at = 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], data[at : at + 12 + length]
        at += 12 + length
