"""The one door for pictures from elsewhere: what a file promises is weighed before any of it is decoded.

A few hundred bytes can promise a hundred megapixels, and some formats take six times the memory of others for as many;
a progressive JPEG can ask for all its pixels a thousand times. Whatever is wrong is an InputError, one line.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, ImageFile, PngImagePlugin

from mien.errors import InputError, missing
from mien.media.parts import check_parts
from mien.media.png import mended
from mien.reading import opened

COMMON = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "GIF", "AVIF", "JPEG2000", "HEIF")
"""Pillow's names of the formats that are read; HEIF with the extra `heic`.

Only these are tried: some of Pillow's readers start other programs (EPS) or fetch pixels from elsewhere.
"""

PICTURES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"),
        *(".pgm", ".ppm", ".pnm", ".pbm", ".avif", ".heic", ".heif", ".hif", ".jp2", ".j2k", ".j2c", ".jpx", ".jpf"),
    }
)
"""Suffixes of the files that are taken for pictures where a folder is searched for them."""

PIXEL_LIMIT = 100_000_000  # a photograph of this size takes 0.3 GB as an array; files can claim far more
BUDGET = 1_900_000_000  # bytes that decoding may take: with the program itself less than 2.5 GB

LARGEST = 1 << 30  # bytes of a picture's file that are held at once

PROFILE = 32 << 20  # bytes of a colour profile; JPEGs hold up to 17 million
PngImagePlugin.MAX_TEXT_CHUNK = 2 * PROFILE  # by default Pillow opens no PNG whose profile has more than one million

# Bytes a pixel at the peak of decoding and converting, as measured: the decoder's own planes and canvases, Pillow's
# image, our arrays.
_COST = {"JPEG": 12, "MPO": 12, "WEBP": 18, "AVIF": 18, "HEIF": 18, "JPEG2000": 22}
_PLAIN, _DEEP = 10, 28  # of other formats; of sixteen bits a channel, to the end of writing them

MENDED = "mien: read without what describes it"
"""Key of an image's `info`: whether what describes the picture was damaged, and some or all of it is left out."""

_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


class Memory:
    """So many bytes, which threads take and give back: those that would take more wait for the others."""

    def __init__(self, total: int):
        self._total, self._free, self._changed = total, total, threading.Condition()

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Hold `size` bytes, or all where it is more. A thread must not take twice."""
        size = min(size, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()


MEMORY = Memory(BUDGET)
"""What threads that decode pictures side by side share."""


@contextmanager
def open_picture(
    path: Path, expected: str, remedy: str, limit: int = PIXEL_LIMIT, formats: tuple[str, ...] = COMMON,
    content: bytes | None = None,
) -> Iterator[Image.Image]:  # fmt: skip
    """Open a picture with only its header read, and nothing in it that decoding could not afford.

    `content` are its bytes where it stands inside of another file, which `path` then names.

    What is done with it inside the block, decoding and converting, may raise anything: it becomes one line that says
    that the file is damaged, and `remedy`. `expected` ends the line about what is no picture. Raises InputError.
    """
    source = opened(path, expected) if content is None else nullcontext(BytesIO(content))
    with source as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, on damaged metadata and on sizes below our own limit
        if not file.read(1):
            raise InputError(f"{path}: empty (0 bytes); {expected}, {remedy}")
        image = _opened(path, file, expected, limit, formats)
        try:
            with image:
                yield image
        except InputError:
            raise
        except Exception as error:  # Pillow's decoders raise nearly anything on a damaged file
            text = " ".join(str(error).split())[:120] or type(error).__name__
            raise InputError(f"{path}: damaged or cut short ({text}); {remedy}") from error


def _opened(path: Path, file: BinaryIO, expected: str, limit: int, formats: tuple[str, ...]) -> Image.Image:
    """Return Pillow's image of a file that decoding can afford. Raises InputError with the reason."""
    file.seek(0)
    head = file.read(64)
    file.seek(0)
    _check_size(path, _webp_size(head), limit)  # Pillow would take all the memory for it when it opens the file
    check_parts(path, file, head)
    known = [name for name in formats if name in _readable(_is_heic(path, head, formats))]
    image = _first_readable(path, file, expected, limit, known)
    _check_size(path, image.size, limit)
    cost = cost_of(image)
    if cost > BUDGET:
        most = BUDGET * image.width * image.height // cost // 1_000_000
        raise _too_large(path, f"{image.width}×{image.height},", min(most * 1_000_000, limit), f" of {_kind(image)}")
    return image


def _first_readable(path: Path, file: BinaryIO, expected: str, limit: int, known: list[str]) -> Image.Image:
    """Return Pillow's image of a file, or of what is left of it without damaged descriptions; `info` tells which."""
    failed: Exception | None = None
    for source in chain([file], mended(file)):
        try:
            image = Image.open(source, formats=known)
        except Image.DecompressionBombError as error:
            raise _too_large(path, "far", limit) from error
        except Exception as error:  # see open_picture
            failed = failed or error
            continue
        image.info[MENDED] = source is not file
        return image
    raise InputError(f"{path}: not an image that mien can read; {expected}") from failed


@cache
def _readable(heic: bool) -> frozenset[str]:
    Image.init()
    if heic:
        import pillow_heif

        pillow_heif.register_heif_opener()
    return frozenset(Image.OPEN)


def _is_heic(path: Path, head: bytes, formats: tuple[str, ...]) -> bool:
    """Return whether a file is HEIC, as its first bytes say. Raises InputError where the reader is missing."""
    brands = head[8:12] + head[16:64]
    if head[4:8] != b"ftyp" or "HEIF" not in formats or b"avif" in brands or head[8:12] not in _HEIC:
        return False
    try:
        import pillow_heif  # noqa: F401
    except ImportError as error:
        raise missing(f"{path}: HEIC, as telephones make it,", "pillow_heif", ", or save it as JPEG") from error
    return True


def _check_size(path: Path, size: tuple[int, int], limit: int) -> None:
    if size[0] * size[1] > limit:
        raise _too_large(path, f"{size[0]}×{size[1]},", limit)


def _too_large(path: Path, size: str, limit: int, kind: str = "") -> InputError:
    most = f"{limit // 1_000_000} megapixels{kind}"
    return InputError(f"{path}: too large, {size} more than {most}; make it smaller or cut the face's part out first")


def _webp_size(head: bytes) -> tuple[int, int]:
    """Return the size that the beginning of a WebP tells; (0, 0) of what is none."""
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return 0, 0
    if head[12:16] == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def cost_of(image: Image.Image) -> int:
    """Return about how many bytes it takes to decode an image, not yet decoded, and to have it as arrays."""
    return image.width * image.height * (_DEEP if is_deep(image) else _COST.get(image.format or "", _PLAIN))


def cost_at(path: Path) -> int:
    """Return `cost_of` a file, which will be opened again. Raises InputError as `open_picture` does."""
    with open_picture(path, "expected a picture", "copy it again") as image:
        return cost_of(image)


def is_deep(image: Image.Image) -> bool:
    """Return whether an image, not yet decoded, has more than eight bits a channel."""
    if image.mode.startswith(("I", "F")):
        return True
    tiles: list[Any] = image.tile if isinstance(image, ImageFile.ImageFile) else []
    return any(
        ";16" in (tile.args if isinstance(tile.args, str) else str(tile.args[:1])) for tile in tiles if tile.args
    )


def _kind(image: Image.Image) -> str:
    return "sixteen bits a channel" if is_deep(image) else str(image.format)


def is_one_of_several(image: Image.Image) -> bool:
    """Return whether a file goes on after this picture, with frames or pages; a pair of one camera's eyes does not."""
    if image.format == "MPO":  # telephones keep a depth map or a brighter copy so
        return False
    try:
        return bool(getattr(image, "is_animated", False)) or getattr(image, "n_frames", 1) > 1
    except Exception:  # see open_picture
        return False
