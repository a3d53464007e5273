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
from PIL import Image

from mien.errors import InputError
from mien.media.picture import MEMORY, cost_of, open_picture
from mien.media.pixels import strips, turn_upright

MAX_PIXELS = 64_000_000
"""Larger images are refused from their header, before anything is decoded."""

R = TypeVar("R")

WORKERS = min(8, os.cpu_count() or 1)

_EXPECTED = "expected an image: replace it or remove its line"
_REMEDY = "replace it or remove its line"


def _rgb(image: Image.Image) -> np.ndarray:
    """Decode to (H, W, 3) uint8 RGB, upright as its EXIF says, without alpha."""
    image.load()
    turn_upright(image)
    if image.mode.startswith("I"):  # 16 bit grey: Pillow's own conversion would clip it to white
        grey = np.empty((image.height, image.width), np.uint8)
        for top, strip in strips(image):
            grey[top : top + strip.height] = (np.asarray(strip) >> 8).clip(0, 255)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def read_image(path: Path, size: int | None = None, content: bytes | None = None) -> np.ndarray:
    """Return an image as (H, W, 3) uint8 RGB; with `size`, a square one scaled by area to (size, size, 3).

    `content` are its bytes where it stands inside of another file, which `path` then names. Threads that read together
    share the memory that decoding may take. Raises InputError naming the file where it is
    missing, empty, no image, cut off, too large or (with `size`) not square.
    """
    with open_picture(path, _EXPECTED, _REMEDY, MAX_PIXELS, content=content) as image:
        width, height = image.size
        if size is not None and width != height:
            raise InputError(f"{path}: is {width}×{height}; expected a square aligned face: align it (docs/data.md)")
        with MEMORY.taken(cost_of(image)):
            if size is not None:
                # JPEG decodes straight to a half, quarter or eighth, never below `size`: several times faster.
                image.draft("RGB", (size, size))
            pixels = _rgb(image)
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
