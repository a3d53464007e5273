"""Whatever a Python program has for a picture, as a photograph: paths, bytes, open files, images, arrays, tensors."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mien.errors import InputError
from mien.media.photo import Photo, photo_of_image, read_photo
from mien.media.picture import LARGEST

KINDS = "a path, bytes, an open file, a PIL image, an array (H, W, 3), a tensor (3, H, W) or a Photo"
_UNNAMED = Path("the picture")


def given_photo(picture: Any) -> Photo:
    """Return the photograph that is given as one of KINDS; it may be grey or have alpha as well.

    Arrays and tensors are uint8, uint16 (0-65535), or floats: 0 to 1, or -1 to 1 where one of them is negative, as a
    model's are. A tensor may be a batch of one. Raises InputError for what is no picture.
    """
    if isinstance(picture, Photo):
        return picture
    if isinstance(picture, str | os.PathLike):
        return read_photo(Path(picture))
    if isinstance(picture, bytes | bytearray | memoryview):
        return read_photo(_UNNAMED, content=bytes(picture))
    if isinstance(picture, Image.Image):
        return photo_of_image(Path(str(getattr(picture, "filename", "")) or _UNNAMED), picture)
    if callable(getattr(picture, "read", None)):
        return _from_file(picture)
    if hasattr(picture, "detach"):  # a tensor; torch itself need not be here
        values = picture.detach().cpu()
        # NumPy has no bfloat16
        return photo_of_array(_channels_last(np.asarray(values.float() if values.is_floating_point() else values)))
    if hasattr(picture, "__array__"):
        return photo_of_array(np.asarray(picture))
    raise InputError(f"a picture of type {type(picture).__name__} is not known; give {KINDS}")


def photo_of_array(pixels: np.ndarray) -> Photo:
    """Return the photograph of pixels (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). Raises InputError for others."""
    shape, kind = pixels.shape, pixels.dtype
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or 0 in shape:
        raise InputError(f"a picture must have the shape (H, W, 3), or (3, H, W) of a tensor; got {shape}")
    if kind.kind == "f":
        pixels = _from_floats(pixels)
    elif kind not in (np.uint8, np.uint16):
        raise InputError(f"a picture must be uint8, uint16 or floats; got {kind}")
    grey = pixels.shape[2] == 1
    pixels = np.repeat(pixels, 3, axis=2) if grey else pixels
    if pixels.dtype == np.uint16:
        return Photo.of_sixteen(np.ascontiguousarray(pixels), grey)
    alpha = np.ascontiguousarray(pixels[..., 3]) if pixels.shape[2] == 4 else None
    return Photo(np.ascontiguousarray(pixels[..., :3]), alpha, grey, None, None)


def _from_floats(pixels: np.ndarray) -> np.ndarray:
    least, most = float(pixels.min()), float(pixels.max())
    if not (least >= -1.001 and most <= 1.001):  # NaN fails, too; resizing may leave a hair outside
        raise InputError(f"a picture of floats must lie in 0 to 1, or in -1 to 1; got {least:g} to {most:g}")
    values = (pixels + 1) / 2 if least < 0 else pixels
    return np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _channels_last(pixels: np.ndarray) -> np.ndarray:
    """Return a tensor's values (3, H, W), (1, 3, H, W) or already (H, W, 3) as (H, W, 3)."""
    if pixels.ndim == 4 and len(pixels) == 1:
        pixels = pixels[0]
    first = pixels.ndim == 3 and pixels.shape[0] in (1, 3, 4)
    return pixels.transpose(1, 2, 0) if first else pixels


def _from_file(file: Any) -> Photo:
    """Return the photograph of an open file, from its start wherever it stands, as Pillow does."""
    name = getattr(file, "name", None)
    place = Path(name) if isinstance(name, str) else _UNNAMED
    if getattr(file, "closed", False) is True:
        raise InputError(f"{place}: is a file that was closed; open it again, or give its path")
    with suppress(AttributeError, OSError):  # of a pipe, which has no start to go back to
        file.seek(0)
    try:
        content = file.read(LARGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{place}: cannot be read ({error}); expected a file open as bytes, open(…, 'rb')") from error
    if not isinstance(content, bytes):
        raise InputError(f"{place}: is open as text; open it as bytes, open(…, 'rb')")
    if len(content) > LARGEST:
        raise InputError(f"{place}: more than {LARGEST >> 20} MiB; give its path")
    return read_photo(place, content=content)
