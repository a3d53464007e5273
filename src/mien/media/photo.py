"""A photograph from its file to arrays and back: with colours, transparency, sixteen bits and metadata as they were."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageFile, ImageOps

from mien.errors import InputError
from mien.files import check_place, write_whole
from mien.media.provenance import Stamp, read_packet, save_arguments
from mien.media.sixteen_bit import encode_png, is_sixteen_bit, orientation_of, read_sixteen, to_eight_bits, with_changes

PIXEL_LIMIT = 100_000_000  # a photograph of this size takes 0.3 GB as an array; files can claim far more
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
SIDE_LIMITS = {"PNG": 2**31 - 1, "JPEG": 65_500, "WEBP": 16_383}  # pixels, by the encoders
QUALITY: dict[str, dict[str, Any]] = {
    "PNG": {},
    "JPEG": {"quality": 95, "subsampling": 0},  # full colour resolution: lips are small and red
    "WEBP": {"quality": 95, "exact": True},  # exact: the colour under transparent pixels stays
}

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".pgm", ".ppm", ".gif"})
"""Suffixes of the files that are taken for pictures where a folder is searched for them."""

COMMON = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "GIF")
"""Pillow's names of the formats that are read everywhere: those of PICTURES."""

# Only these are tried: some of Pillow's readers start other programs (EPS) or fetch pixels from elsewhere.
_READABLE = (*COMMON, "AVIF", "JPEG2000")
_EXPECTED = "expected a photograph (JPEG, PNG, WebP, TIFF, BMP)"

# EXIF is a TIFF directory. These of its tags describe the layout of the file it came from and would be wrong in
# another: sizes, strips, tiles, tables, sub-images, and the packets that are written on their own (XMP, IPTC, ICC).
_LAYOUT = {*range(254, 270), *range(273, 282), 284, 285, 290, 291, 292, 293, 297, *range(301, 305), *range(317, 348)}
_LAYOUT |= {*range(512, 522), 529, 530, 531, 532, 700, 33723, 34377, 34675, ExifTags.Base.Orientation}

Seal = Callable[[bytes, str], bytes]
"""Changes a picture's bytes, given Pillow's name of their format, before they are written: as signing does."""


@dataclass(frozen=True)
class Photo:
    """An upright photograph; the metadata is there to be written back."""

    rgb: np.ndarray  # uint8 (H, W, 3)
    alpha: np.ndarray | None  # uint8 (H, W)
    grey: bool  # the file held one channel; `rgb` holds it three times
    icc: bytes | None  # colour profile of the pixels as they are here
    exif: bytes | None  # without the orientation, which has been applied
    xmp: bytes | None = None  # packet
    sixteen: np.ndarray | None = None  # uint16 (H, W, 3 or 4) RGB and alpha, from which `rgb` and `alpha` were rounded

    @classmethod
    def of(cls, rgb: np.ndarray) -> Photo:
        """Return a photograph of pixels alone, uint8 (H, W, 3)."""
        return cls(rgb, None, False, None, None)


def _open(path: Path, file: BinaryIO, limit: int) -> Image.Image:
    """Return Pillow's image with only its header read. Raises InputError with the reason."""
    Image.init()
    try:
        image = Image.open(file, formats=[name for name in _READABLE if name in Image.OPEN])
    except Image.DecompressionBombError as error:
        raise _too_large(path, "far", limit) from error
    except Exception as error:  # on a damaged file Pillow's readers raise nearly anything
        raise InputError(f"{path}: not an image that mien can read; {_EXPECTED}") from error
    if image.width * image.height > limit:
        raise _too_large(path, f"{image.width}×{image.height},", limit)
    return image


def _too_large(path: Path, size: str, limit: int) -> InputError:
    most = f"{limit // 1_000_000} megapixels"
    return InputError(f"{path}: {size} more than {most}; make it smaller or cut the face's part out first")


def _check_readable(path: Path) -> None:
    """Raise InputError for what is no file with bytes in it."""
    if path.is_dir():
        raise InputError(f"{path}: a folder, {_EXPECTED}; give one file")
    if not path.exists():
        raise InputError(f"{path}: no such file; {_EXPECTED}")
    if not path.is_file():
        raise InputError(f"{path}: not a regular file; {_EXPECTED}")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty (0 bytes); {_EXPECTED}, copy it again from where it came")


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


def _grey_to_eight_bits(path: Path, image: Image.Image) -> Image.Image:
    """Return sixteen-bit grey with eight bits; Pillow itself does so with colour. Raises InputError for more bits."""
    if image.mode == "F":
        raise InputError(f"{path}: floating-point pixels; save it with 8 or 16 bits a channel")
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65_535:
        raise InputError(f"{path}: more than 16 bits a channel; save it with 8 or 16 bits")
    return Image.fromarray(to_eight_bits(values.astype(np.uint16)))


def _cmyk_to_rgb(image: Image.Image) -> Image.Image:
    """Convert by the image's own profile where it has a sound one, else by Pillow's plain formula."""
    if profile := image.info.get("icc_profile"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            done = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if done is not None:
                return done
        except (ImageCms.PyCMSError, OSError):
            pass
    return image.convert("RGB")


def _is_grey(image: Image.Image) -> bool:
    """Return whether an image, not yet decoded, has one channel besides alpha."""
    # Pillow opens 16-bit grey with alpha as RGBA; how the file is packed gives it away.
    packed = isinstance(image, ImageFile.ImageFile) and any(tile.args == "LA;16B" for tile in image.tile)
    return packed or image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I")


def _channels(path: Path, image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Return RGB and alpha of an upright image of any mode."""
    image = _grey_to_eight_bits(path, image)
    if image.has_transparency_data:
        both = np.asarray(image.convert("RGBA"))
        return np.ascontiguousarray(both[..., :3]), np.ascontiguousarray(both[..., 3])
    try:
        return np.array(_cmyk_to_rgb(image) if image.mode == "CMYK" else image.convert("RGB")), None
    except ValueError as error:
        raise InputError(f"{path}: {image.mode} pixels, which mien cannot read; save it as RGB") from error


def read_photo(path: str | Path, limit: int = PIXEL_LIMIT) -> Photo:
    """Return the photograph in `path`, turned upright as its EXIF says; of several frames the first.

    Grey, palette, transparent and CMYK images all become 8-bit RGB; of 16-bit ones `sixteen` keeps all. One of more
    than `limit` pixels is refused by its header, before it is decoded. Raises InputError for what cannot be read whole.
    """
    path = Path(path)
    try:
        _check_readable(path)
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, on damaged metadata and on sizes below our own limit
            return _decode(path, _open(path, file, limit))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); {_EXPECTED}") from error


def _decode(path: Path, image: Image.Image) -> Photo:
    """Return pixels and metadata of an opened image. Raises InputError where the pixels are damaged."""
    grey, has_sixteen, orientation = _is_grey(image), is_sixteen_bit(image), orientation_of(image)
    try:
        image.load()
        upright = _upright(image)
    except Exception as error:  # Pillow's decoders raise nearly anything on a damaged file
        raise InputError(f"{path}: damaged or cut short ({error}); copy it again from where it came") from error
    rgb, alpha = _channels(path, upright)
    sixteen = read_sixteen(path.read_bytes(), orientation, rgb) if has_sixteen else None
    if sixteen is not None:
        rgb = to_eight_bits(sixteen[..., :3])
        alpha = to_eight_bits(sixteen[..., 3]) if sixteen.shape[2] == 4 else alpha
    return Photo(rgb, alpha, grey, _profile_of(image, grey), _exif_of(image), read_packet(upright), sixteen)


def _profile_of(image: Image.Image, grey: bool) -> bytes | None:
    """Return the colour profile where it describes the pixels as they are now: RGB or grey, but not CMYK made RGB."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or image.mode == "CMYK":
        return None
    return profile if profile[16:20] == (b"GRAY" if grey else b"RGB ") else None


def _upright(image: Image.Image) -> Image.Image:
    """Return `image` turned as its EXIF says; as it is where the EXIF cannot be read."""
    try:
        image.getexif()
    except Exception:  # see _exif_of
        return image
    return ImageOps.exif_transpose(image)


def check_target(path: str | Path) -> str:
    """Return Pillow's name of the format that the suffix of `path` stands for: "PNG", "JPEG" or "WEBP".

    Raises InputError for an unknown suffix, a folder in the place, or no folder to write into: worth asking before a
    long computation.
    """
    path = Path(path)
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
    path = Path(path)
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
