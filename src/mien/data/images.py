"""The image files of a data set as RGB pixels; whatever is wrong with one is a line of text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Pillow knows five formats at first, and asking it for another is a KeyError: importing a plugin registers it.
from PIL import TiffImagePlugin as _tiff  # noqa: F401
from PIL import WebPImagePlugin as _webp  # noqa: F401

from mien.errors import InputError
from mien.media.photo import COMMON

Image.preinit()

MAX_PIXELS = 64_000_000
"""Larger images are refused from their header, before anything is decoded."""

R = TypeVar("R")

WORKERS = min(8, os.cpu_count() or 1)


def _open(path: Path, square: bool) -> Image.Image:
    """Open an image and check its header; no pixel is decoded yet."""
    try:
        image = Image.open(path, formats=COMMON)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(f"{path}: too large; at most {MAX_PIXELS:,} pixels are accepted: scale it down") from None
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; add it or remove its line") from None
    except UnidentifiedImageError:
        what = "is empty (0 bytes)" if path.stat().st_size == 0 else f"is none of {', '.join(COMMON)}"
        raise InputError(f"{path}: {what}; expected an image: replace it or remove its line") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise InputError(
            f"{path}: too large, {width}×{height}; at most {MAX_PIXELS:,} pixels are accepted: scale it down"
        )
    if square and width != height:
        image.close()
        raise InputError(f"{path}: is {width}×{height}; expected a square aligned face: align it (docs/data.md)")
    return image


def _rgb(image: Image.Image) -> np.ndarray:
    """Decode to (H, W, 3) uint8 RGB, upright as its EXIF says, without alpha."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bit grey: Pillow's own conversion would clip it to white
        grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.asarray(image.convert("RGB"))


def read_image(path: Path, size: int | None = None) -> np.ndarray:
    """Return an image as (H, W, 3) uint8 RGB; with `size`, a square one scaled by area to (size, size, 3).

    Raises InputError naming the file where it is missing, empty, no image, cut off, too large or (with `size`) not
    square.
    """
    try:
        with _open(path, square=size is not None) as image:
            if size is not None:
                # JPEG decodes straight to a half, quarter or eighth, never below `size`: several times faster.
                image.draft("RGB", (size, size))
            pixels = _rgb(image)
    except InputError:
        raise
    except Exception as error:  # a decoder given damaged bytes raises almost anything
        text = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: is cut off or damaged ({text}); replace it or remove its line") from None
    if size is None or pixels.shape[:2] == (size, size):
        return pixels
    method = cv2.INTER_AREA if pixels.shape[0] > size else cv2.INTER_LINEAR
    return cv2.resize(pixels, (size, size), interpolation=method)


def image_problem(path: Path) -> str | None:
    """Decode a square image fully and return what is wrong with it, None where it is sound."""
    try:
        read_image(path, size=8)
    except InputError as error:
        return str(error)
    return None


def map_images(work: Callable[[Path], R], paths: Iterable[Path], chunk: int = 256) -> Iterator[list[R]]:
    """Yield `work` done to every path, in order, in lists of up to `chunk`; several threads share a list's work.

    Decoders release the interpreter lock. What `work` raises, this raises.
    """
    rest = iter(paths)
    with ThreadPoolExecutor(WORKERS) as pool:
        while some := list(islice(rest, chunk)):
            yield list(pool.map(work, some))


def resize_square(picture: np.ndarray, size: int) -> np.ndarray:
    """Return a picture (S, S, 3) as (size, size, 3): averaged where it gets smaller, else cubic."""
    how = cv2.INTER_AREA if size <= len(picture) else cv2.INTER_CUBIC
    return cv2.resize(picture, (size, size), interpolation=how)
