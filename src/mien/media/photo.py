"""A photograph from its file to arrays and back: with colours, transparency, sixteen bits and metadata as they were."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from mien.errors import InputError
from mien.files import check_place, write_whole
from mien.media.picture import LARGEST, MENDED, PIXEL_LIMIT, PROFILE, is_one_of_several, open_picture
from mien.media.pixels import is_grey, orientation_of, rgb_and_alpha, turn_upright
from mien.media.provenance import Stamp, read_packet, save_arguments
from mien.media.sixteen_bit import encode_png, is_sixteen_bit, read_sixteen, to_eight_bits, with_changes
from mien.reading import as_path, read_bytes

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
HEIC = (".heic", ".heif", ".hif")
SIDE_LIMITS = {"PNG": 2**31 - 1, "JPEG": 65_500, "WEBP": 16_383}  # pixels, by the encoders
QUALITY: dict[str, dict[str, Any]] = {
    "PNG": {},
    "JPEG": {"quality": 95, "subsampling": 0},  # full colour resolution: lips are small and red
    "WEBP": {"quality": 95, "exact": True},  # exact: the colour under transparent pixels stays
}

_EXPECTED = "expected a photograph (JPEG, PNG, WebP, TIFF, BMP, AVIF, HEIC)"
_REMEDY = "copy it again from where it came"
SHOWN = 1024  # pixels of the longer side of what notebooks show, and keep in their file
_DOTS = (1, 65_535)  # an inch, as a JPEG can hold it

log = logging.getLogger(__name__)

# EXIF is a TIFF directory. These of its tags describe the layout of the file it came from and would be wrong in
# another: sizes, strips, tiles, tables, sub-images, and the packets that are written on their own (XMP, IPTC, ICC).
_LAYOUT = {*range(254, 270), *range(273, 282), 284, 285, 290, 291, 292, 293, 297, *range(301, 305), *range(317, 348)}
_LAYOUT |= {*range(512, 522), 529, 530, 531, 532, 700, 33723, 34377, 34675, ExifTags.Base.Orientation}

Seal = Callable[[bytes, str], bytes]
"""Changes a picture's bytes, given Pillow's name of their format, before they are written: as signing does."""


@dataclass(frozen=True, repr=False)
class Photo:
    """An upright photograph; the metadata is there to be written back."""

    rgb: np.ndarray  # uint8 (H, W, 3)
    alpha: np.ndarray | None  # uint8 (H, W)
    grey: bool  # the file held one channel; `rgb` holds it three times
    icc: bytes | None  # colour profile of the pixels as they are here
    exif: bytes | None  # without the orientation, which has been applied
    xmp: bytes | None = None  # packet
    sixteen: np.ndarray | None = None  # uint16 (H, W, 3 or 4) RGB and alpha, from which `rgb` and `alpha` were rounded
    dpi: tuple[float, float] | None = None  # dots an inch across and down, for printing; None where the file is silent
    several: bool = False  # the file goes on with frames or pages after this one
    name: str | None = None  # of its file, without the folder
    origin: Path | None = None  # that file
    stamp: Stamp | None = None  # what made it, where mien did

    @classmethod
    def of(cls, rgb: np.ndarray) -> Photo:
        """Return a photograph of pixels alone, uint8 (H, W, 3)."""
        return cls(rgb, None, False, None, None)

    @classmethod
    def of_sixteen(cls, pixels: np.ndarray, grey: bool = False) -> Photo:
        """Return a photograph of pixels alone, uint16 (H, W, 3 or 4)."""
        alpha = to_eight_bits(pixels[..., 3]) if pixels.shape[2] == 4 else None
        return cls(to_eight_bits(pixels[..., :3]), alpha, grey, None, None, sixteen=pixels)

    def save(self, path: str | Path, stamped: bool = True, seal: Seal | None = None, force: bool = False) -> None:
        """Write it by the suffix of `path`, as `write_photo` does; its metadata says what made it, unless `stamped` is
        False. Raises InputError where it would take the place of the photograph that it was made of, without `force`.
        """
        made_of, path = self.origin if self.stamp and not force else None, as_path(path, "made.png")
        if made_of and path.exists() and made_of.exists() and made_of.samefile(path):
            raise InputError(f"{path}: is the photograph that this was made of; choose another name, or say force=True")
        write_photo(self, path, self.stamp if stamped else None, seal)

    def __repr__(self) -> str:
        height, width = self.rgb.shape[:2]
        kinds = ["grey" if self.grey else "", "transparent" if self.alpha is not None else ""]
        kinds += ["16 bits" if self.sixteen is not None else "", self.stamp.operation if self.stamp else ""]
        return f"<Photo {', '.join(filter(None, [self.name, f'{width}×{height}', *kinds]))}>"

    def to_pil(self) -> Image.Image:
        """Return it as an image of Pillow's, L, RGB or with alpha, and with its colour profile; no note goes along."""
        bands = [self.rgb[..., 0]] if self.grey else [self.rgb[..., band] for band in range(3)]
        bands += [] if self.alpha is None else [self.alpha]
        mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[len(bands)]
        image = Image.merge(mode, [Image.fromarray(np.ascontiguousarray(band)) for band in bands])
        if self.icc:
            image.info["icc_profile"] = self.icc
        return image

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows: at most SHOWN pixels on the longer side, stamped."""
        shown = self.to_pil()
        shown.thumbnail((SHOWN, SHOWN))
        content = io.BytesIO()
        shown.save(content, "PNG", **save_arguments(self.stamp, "PNG", self.xmp))
        return content.getvalue()


def _exif_of(image: Image.Image) -> bytes | None:
    """Return EXIF to be written back; None where there is none or it is damaged, which is no reason to refuse a photo.

    The thumbnail is left out, for it would go on showing the face before the edit.
    """
    try:
        exif = image.getexif()
        for tag in _LAYOUT & set(exif):
            del exif[tag]
        return exif.tobytes() if len(exif) else None
    except Exception:  # hostile or damaged directories raise nearly anything
        return None


def read_photo(
    path: str | Path, limit: int = PIXEL_LIMIT, tell: bool = True, content: bytes | None = None
) -> Photo:  # fmt: skip
    """Return the photograph in `path`, turned upright as its EXIF says; of several frames the first.

    `content` are its bytes where it stands in no file; `path` then is what to call it. That there are several frames
    is logged, unless with `tell` off the caller says so. Grey, palette, transparent and CMYK images all become 8-bit
    RGB; of 16-bit ones `sixteen` keeps all. One of more than `limit` pixels is refused by its header, before it is
    decoded. Raises InputError for what cannot be read whole.
    """
    path = as_path(path, "face.jpg")
    with open_picture(path, _EXPECTED, _REMEDY, limit, content=content) as image:
        several, grey, has_sixteen = is_one_of_several(image), is_grey(image), is_sixteen_bit(image)
        orientation, dpi = orientation_of(image), _dots_of(image)
        image.load()
        turn_upright(image)
        rgb, alpha = rgb_and_alpha(path, image)
        rest, mended = (_profile_of(image, grey), _exif_of(image), read_packet(image)), image.info[MENDED]
    if mended and tell:
        log.warning("%s: its colour profile or other metadata is damaged; read without", path)
    if several and tell:
        log.warning("%s: holds several frames or pages; its first is taken", path)
    sixteen = None
    if has_sixteen:
        sixteen = read_sixteen(content or read_bytes(path, _EXPECTED, LARGEST), orientation, rgb)
    if sixteen is not None:
        rgb = to_eight_bits(sixteen[..., :3])
        alpha = to_eight_bits(sixteen[..., 3]) if sixteen.shape[2] == 4 else alpha
    dpi = dpi[::-1] if dpi and orientation >= 5 else dpi
    return Photo(rgb, alpha, grey, *rest, sixteen, dpi, several, *((path.name, path) if content is None else ()))


def photo_of_image(path: Path, image: Image.Image) -> Photo:
    """Return the photograph of an image of Pillow's, upright, with eight bits a channel; `path` is what to call it."""
    image = image.copy()  # the caller's stays as it is
    grey = is_grey(image)
    turn_upright(image)
    rgb, alpha = rgb_and_alpha(path, image)
    return Photo(rgb, alpha, grey, _profile_of(image, grey), _exif_of(image), read_packet(image), dpi=_dots_of(image))


def _dots_of(image: Image.Image) -> tuple[float, float] | None:
    """Return dots an inch, across and down in the file, where it tells sensible ones."""
    try:
        across, down = (float(dots) for dots in image.info["dpi"])
    except Exception:  # not there, or whatever damaged metadata gives
        return None
    sensible = all(math.isfinite(dots) and _DOTS[0] <= dots <= _DOTS[1] for dots in (across, down))
    return (across, down) if sensible else None


def _profile_of(image: Image.Image, grey: bool) -> bytes | None:
    """Return the colour profile where it describes the pixels as they are now: RGB or grey, but not CMYK made RGB.

    None where it is cut short.
    """
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or len(profile) > PROFILE or image.mode == "CMYK":
        return None
    whole = int.from_bytes(profile[:4], "big") <= len(profile)  # a profile begins with its length
    return profile if whole and profile[16:20] == (b"GRAY" if grey else b"RGB ") else None


def suffix_back(path: Path) -> str:
    """Return the suffix with which a photograph goes back: its own where that is written, else of the nearest in kind.

    That is JPEG for telephones' HEIC, of which a PNG would be ten times as large, and PNG for all others.
    """
    suffix = path.suffix.lower()
    return suffix if suffix in FORMATS else ".jpg" if suffix in HEIC else ".png"


def check_target(path: str | Path) -> str:
    """Return Pillow's name of the format that the suffix of `path` stands for: "PNG", "JPEG" or "WEBP".

    Raises InputError for an unknown suffix, a folder in the place, or no folder to write into: worth asking before a
    long computation.
    """
    path = as_path(path, "made.png")
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise InputError(f"{path}: unknown suffix '{path.suffix}'; name the output {', '.join(FORMATS)}")
    check_place(path)
    return form


def write_photo(photo: Photo, path: str | Path, stamp: Stamp | None, seal: Seal | None = None) -> None:
    """Write `photo` to `path` in the format of its suffix, stamped, whole or not at all.

    PNG is exact, with sixteen bits where the photo has them; JPEG and WebP have quality 95. JPEG cannot keep
    transparency: a photo that has any is refused, one whose alpha is 255 everywhere is written without. `seal` changes
    the bytes last. Raises InputError for what cannot be written; the file that was there before then still is.
    """
    path = as_path(path, "made.png")
    form = check_target(path)
    data = _encode(photo, path, form, stamp)
    data = seal(data, form) if seal else data
    write_whole(path, data)


def _encode(photo: Photo, path: Path, form: str, stamp: Stamp | None) -> bytes:
    """Return the file's bytes. Raises InputError for what the format cannot hold."""
    height, width = photo.rgb.shape[:2]
    if max(height, width) > SIDE_LIMITS[form]:
        raise InputError(f"{path}: {width}×{height} is more than {form} can hold; write a .png")
    alpha = photo.alpha
    if form == "JPEG" and alpha is not None and (alpha == 255).all():
        alpha = None
    if form == "JPEG" and alpha is not None:
        raise InputError(f"{path}: the photograph has transparent parts, which JPEG cannot keep; write a .png or .webp")
    as_sixteen = photo.sixteen is not None and form == "PNG"
    grey = photo.grey and form != "WEBP" and not (as_sixteen and alpha is not None)  # these have no grey
    options = QUALITY[form] | save_arguments(stamp, form, photo.xmp)
    if photo.icc and (photo.icc[16:20] == b"GRAY") == grey:
        options["icc_profile"] = photo.icc
    if photo.dpi and form != "WEBP":  # which has them in the EXIF alone
        options["dpi"] = photo.dpi
    if photo.exif and (form != "JPEG" or len(photo.exif) < 65_000):  # a JPEG segment holds no more
        options["exif"] = photo.exif
    colour = Image.fromarray(photo.rgb)
    image = colour.convert("L") if photo.grey and form != "WEBP" else colour
    if photo.sixteen is not None and as_sixteen:
        clear = photo.sixteen[..., 3] if photo.sixteen.shape[2] == 4 else None
        clear = np.uint16(257) * alpha if alpha is not None and clear is None else clear
        return encode_png(with_changes(photo.sixteen, np.asarray(image.convert("RGB"))), clear, grey, options)
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()
