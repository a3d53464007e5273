"""Sixteen bits a channel, kept beside the eight in which faces are changed: pixels that do not change keep all bits.

Pillow reads and writes colour with eight bits only; OpenCV with sixteen, but without metadata. So a PNG takes both.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from cv2.utils import logging
from PIL import Image, ImageFile

from mien.media.png import PIXELS, chunks

FORMATS = ("PNG", "TIFF")
_ROWS = 256  # of a picture that are worked on together
_TOLERANCE = 1  # grey levels between Pillow's eight bits and ours: it cuts off where we round


def is_sixteen_bit(image: Image.Image) -> bool:
    """Return whether an image, not yet decoded, is a PNG or TIFF of sixteen bits a channel."""
    if image.format not in FORMATS or not isinstance(image, ImageFile.ImageFile) or image.mode == "CMYK":
        return False
    packing = [tile.args if isinstance(tile.args, str) else str(tile.args[:1]) for tile in image.tile if tile.args]
    return any(";16" in text for text in packing)


def to_eight_bits(values: np.ndarray) -> np.ndarray:
    """Return uint16 values as uint8: v / 257, rounded."""
    result = np.empty(values.shape, np.uint8)
    for begin in range(0, len(values), _ROWS):  # what stands between is four times the result
        rows = slice(begin, begin + _ROWS)
        # 65407 and more are all 255, and adding 128 to them would overflow.
        result[rows] = (np.minimum(values[rows], 65_407) + np.uint16(128)) // np.uint16(257)
    return result


def read_sixteen(data: bytes, orientation: int, rgb: np.ndarray) -> np.ndarray | None:
    """Return a file's upright pixels, uint16 (H, W, 3 or 4) RGB and alpha, as OpenCV decodes them.

    `rgb` uint8 (H, W, 3) is what Pillow made of them; None where the two do not agree.
    """
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)  # it warns of every tag that it does not know
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # it refuses some files that Pillow reads
        return None
    finally:
        logging.setLogLevel(level)
    if found is None or found.dtype != np.uint16:
        return None
    if found.ndim == 2:
        found = np.repeat(found[..., None], 3, axis=2)
    elif found.shape[2] in (3, 4):
        cv2.cvtColor(found, cv2.COLOR_BGR2RGB if found.shape[2] == 3 else cv2.COLOR_BGRA2RGBA, found)
    if data.startswith(b"\x89PNG"):  # OpenCV turns a TIFF by itself
        found = orient_pixels(found, orientation)
    found = np.ascontiguousarray(found)
    if found.shape[:2] != rgb.shape[:2] or found.shape[2] not in (3, 4):
        return None
    for begin in range(0, len(found), _ROWS):
        rows = slice(begin, begin + _ROWS)
        if cv2.absdiff(to_eight_bits(found[rows, :, :3]), rgb[rows]).max() > _TOLERANCE:
            return None
    return found


def orient_pixels(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Return pixels (H, W, C) as an EXIF orientation, 1 to 8, says that they are to be shown."""
    swapped = pixels.transpose(1, 0, 2)
    ways = {
        2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1],
        5: swapped, 6: swapped[:, ::-1], 7: swapped[::-1, ::-1], 8: swapped[::-1],
    }  # fmt: skip
    return ways.get(orientation, pixels)


def with_changes(sixteen: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Return the colours of `sixteen`, uint16 (H, W, 3), changed where `rgb` uint8 differs from them; by as much.

    Where it does not differ they stay bit for bit.
    """
    result = sixteen[..., :3].copy()
    for begin in range(0, len(result), _ROWS):
        part, new = result[begin : begin + _ROWS], rgb[begin : begin + _ROWS]
        before = to_eight_bits(part)
        rows = np.flatnonzero((before != new).any(axis=(1, 2)))
        change = new[rows].astype(np.int32) - before[rows]
        part[rows] = np.clip(part[rows] + 257 * change, 0, 65_535).astype(np.uint16)
    return result


def encode_png(colours: np.ndarray, alpha: np.ndarray | None, grey: bool, options: Mapping[str, Any]) -> bytes:
    """Return a PNG of sixteen bits a channel with the metadata that Pillow's `options` name.

    `colours` uint16 (H, W, 3), `alpha` uint16 (H, W). Grey with alpha is written as colour: OpenCV knows no other.
    """
    carrier = io.BytesIO()
    Image.new("L" if grey else "RGB", (1, 1)).save(carrier, "PNG", **options)
    notes = b"".join(chunk for kind, chunk in chunks(carrier.getvalue()) if kind not in PIXELS)
    if alpha is not None:
        image = np.dstack([colours[..., ::-1], alpha])
    else:
        image = np.ascontiguousarray(colours[..., 0]) if grey else cv2.cvtColor(colours, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".png", image)
    if not done:
        raise OSError("OpenCV could not encode the PNG")
    data, head = encoded.ravel().data, 8 + 25  # the signature and IHDR, after which metadata may stand
    return b"".join([data[:head], notes, data[head:]])
