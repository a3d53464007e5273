"""A picture that Pillow opened as arrays, upright: RGB and alpha of eight bits, whatever its pixels are.

In strips, so that no copy of the whole stands beside Pillow's own and ours.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageFile, ImageOps

from mien.errors import InputError
from mien.media.sixteen_bit import to_eight_bits

STRIP = 1 << 22  # pixels


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation of an image, not yet decoded; 1, upright, where there is none that can be read."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # hostile or damaged directories raise nearly anything
        return 1


def turn_upright(image: Image.Image) -> None:
    """Turn a decoded image as its EXIF says; leave it as it is where the EXIF cannot be read."""
    try:
        image.getexif()
    except Exception:  # see orientation_of
        return
    ImageOps.exif_transpose(image, in_place=True)


def is_grey(image: Image.Image) -> bool:
    """Return whether an image, not yet decoded, has one channel besides alpha."""
    # Pillow opens 16-bit grey with alpha as RGBA; how the file is packed gives it away.
    packed = isinstance(image, ImageFile.ImageFile) and any(tile.args == "LA;16B" for tile in image.tile)
    return packed or image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I")


def strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield a decoded image in parts of whole rows, each with the number of its first row."""
    rows = max(1, STRIP // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        yield top, image if bottom - top == image.height else image.crop((0, top, image.width, bottom))


def rgb_and_alpha(path: Path, image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Return RGB (H, W, 3) and alpha (H, W), uint8, of a decoded image of any mode. Raises InputError for more bits."""
    if image.mode == "F":
        raise InputError(f"{path}: floating-point pixels; save it with 8 or 16 bits a channel")
    deep = image.mode.startswith("I")
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    if image.has_transparency_data and not deep:
        alpha = np.empty(rgb.shape[:2], np.uint8)
        for top, strip in strips(image):
            both = np.asarray(strip.convert("RGBA"))
            rgb[top : top + len(both)], alpha[top : top + len(both)] = both[..., :3], both[..., 3]
        return rgb, alpha
    convert = _from_cmyk(image) if image.mode == "CMYK" else lambda strip: strip.convert("RGB")
    for top, strip in strips(image):
        part = _grey(path, strip)[..., None] if deep else np.asarray(convert(strip))
        rgb[top : top + len(part)] = part
    return rgb, None


def _grey(path: Path, strip: Image.Image) -> np.ndarray:
    """Return sixteen-bit grey as uint8 (H, W); Pillow itself does so with colour. Raises InputError for more bits."""
    values = np.asarray(strip)
    if values.min() < 0 or values.max() > 65_535:
        raise InputError(f"{path}: more than 16 bits a channel; save it with 8 or 16 bits")
    return to_eight_bits(values.astype(np.uint16))


def _from_cmyk(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """Return what converts by the image's own profile where it has a sound one, else by Pillow's plain formula."""
    if profile := image.info.get("icc_profile"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            change = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "CMYK", "RGB")
        except (ImageCms.PyCMSError, OSError):
            return lambda strip: strip.convert("RGB")
        return lambda strip: ImageCms.applyTransform(strip, change) or strip.convert("RGB")
    return lambda strip: strip.convert("RGB")
