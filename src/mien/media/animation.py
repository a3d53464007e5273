"""Pictures that move, GIF, WebP and PNG: written a frame at a time, with what a photograph must not lose."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mien.errors import InputError
from mien.files import check_place, write_whole
from mien.media.gif_packet import with_gif_packet
from mien.media.photo import Photo
from mien.media.png import moving_png
from mien.media.provenance import Stamp, save_arguments, xmp_packet

FORMATS = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG", ".apng": "PNG"}
SIDE_LIMITS = {"GIF": 65_535, "WEBP": 16_383, "PNG": 2**31 - 1}  # pixels, by the formats
FASTEST = {"GIF": 50, "WEBP": 1000, "PNG": 1000}  # frames a second; browsers play GIFs that are faster at ten
COLOURS = 255  # of a GIF; one more says what stays as it was
LOOKED_AT = 40_000  # pixels by which they are chosen, which takes a second
# No key frames: what a frame does not change, another coding of it would.
WEBP: dict[str, Any] = {"quality": 90, "method": 4, "kmin": 0, "kmax": 0, "exact": True}


def check_animation_target(path: Path) -> str:
    """Return Pillow's name of the format that a suffix stands for: "GIF", "WEBP" or "PNG".

    Raises InputError for an unknown one, a folder in the place, or no folder to write into.
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise InputError(f"{path}: no picture that moves; name the output {', '.join(FORMATS)}")
    check_place(path)
    return form


def check_animation(path: Path, size: tuple[int, int], fps: Fraction) -> str:
    """Return the format's name. Raises InputError where it cannot hold pictures of a size, or so many a second."""
    form = check_animation_target(path)
    if max(size) > SIDE_LIMITS[form]:
        raise InputError(f"{path}: {size[0]}×{size[1]} is more than {form} can hold; ask for a smaller --size")
    if fps > FASTEST[form]:
        raise InputError(f"{path}: {float(fps):g} frames a second; {form} shows at most {FASTEST[form]}, ask for fewer")
    return form


def write_animation(
    photo: Photo, path: Path, frames: Iterable[np.ndarray], count: int, fps: Fraction, stamp: Stamp | None,
    samples: Sequence[np.ndarray] = (),
) -> None:  # fmt: skip
    """Write `count` frames uint8 (H, W, 3) of a photograph, repeated for ever, whole or not at all.

    They have the photograph's metadata, in GIF the stamp alone; the colours of a GIF are chosen for `samples` of them.
    Raises InputError for what cannot be written; the file that was there before then still is.
    """
    height, width = photo.rgb.shape[:2]
    form = check_animation(path, (width, height), fps)
    options: dict[str, Any] = {"duration": _durations(count, fps, form), "loop": 0}
    if form == "GIF":
        colours = Palette([flat(photo, frame) for frame in samples or [photo.rgb]])
        pictures = (colours.picture(flat(photo, frame)) for frame in frames)
        options |= {"palette": colours.table, "transparency": COLOURS, "optimize": True, "disposal": 1}
        options |= {"comment": stamp.description.encode()} if stamp else {}
    else:
        pictures = (_with_alpha(frame, photo.alpha) for frame in frames)
        options |= _kept(photo, form, stamp)
    if form == "PNG":
        data = moving_png(pictures, **options)
    else:
        buffer = io.BytesIO()
        _Film(pictures, count).save(buffer, form, save_all=True, **options)
        data = buffer.getvalue()
    packet = xmp_packet(stamp, photo.xmp) if stamp else photo.xmp
    write_whole(path, with_gif_packet(data, packet) if form == "GIF" and packet else data)


def _kept(photo: Photo, form: str, stamp: Stamp | None) -> dict[str, Any]:
    """Return arguments for Pillow's `Image.save`: how a WebP is coded, and what is kept of a photograph."""
    kept = {"icc_profile": None if photo.grey else photo.icc, "exif": photo.exif}  # a grey profile fits no colours
    return (
        (WEBP if form == "WEBP" else {}) | save_arguments(stamp, form, photo.xmp) | {k: v for k, v in kept.items() if v}
    )


def _durations(count: int, fps: Fraction, form: str) -> list[int]:
    """Return how long frames are shown, in thousandths of a second; rounded so that the errors do not add up."""
    unit = 10 if form == "GIF" else 1
    ends = [round(1000 * k / (fps * unit)) for k in range(count + 1)]
    return [unit * (after - before) for before, after in pairwise(ends)]


def flat(photo: Photo, rgb: np.ndarray) -> np.ndarray:
    """Return a photograph's pixels or a frame's, uint8 (H, W, 3), over white where the photograph is transparent."""
    if photo.alpha is None:
        return rgb
    share = photo.alpha[..., None].astype(np.float32) / 255
    return np.rint(share * rgb + 255 * (1 - share)).astype(np.uint8)


def _with_alpha(rgb: np.ndarray, alpha: np.ndarray | None) -> Image.Image:
    return Image.fromarray(rgb if alpha is None else np.dstack([rgb, alpha]))


class Palette:
    """The colours of a GIF, one set for all frames, and pixels in them.

    Colours between are mixed by a pattern (ordered dithering, Bayer 1973) that depends on a pixel's place alone. So
    pixels that are equal in two frames are so in the GIF, where to spread errors on would make the background shimmer.
    """

    def __init__(self, samples: Sequence[np.ndarray]):
        sheet = np.concatenate(samples)
        step = int(np.ceil(np.sqrt(sheet.shape[0] * sheet.shape[1] / LOOKED_AT)))
        self._palette = Image.fromarray(np.ascontiguousarray(sheet[::step, ::step])).quantize(
            COLOURS, Image.Quantize.MEDIANCUT, kmeans=1
        )
        colours = np.array(self._palette.getpalette()).reshape(-1, 3)[:COLOURS]
        self.table = bytes(colours.astype(np.uint8).tobytes()).ljust(768, b"\0")
        apart = np.abs(colours[:, None] - colours[None]).max(-1) + 256 * np.eye(len(colours), dtype=int)
        self._step = float(np.median(apart.min(1)))  # grey levels from a colour to the next

    def picture(self, rgb: np.ndarray) -> Image.Image:
        """Return a picture of these colours."""
        height, width = rgb.shape[:2]
        pattern = np.tile(_bayer(3), (-(-height // 8), -(-width // 8)))[:height, :width, None] - 0.5
        mixed = np.clip(np.rint(rgb + self._step * pattern), 0, 255).astype(np.uint8)
        return Image.fromarray(mixed).quantize(palette=self._palette, dither=Image.Dither.NONE)


def _bayer(doublings: int) -> np.ndarray:
    """Return Bayer's matrix of thresholds, within 0 to 1, of side 2 ** doublings."""
    matrix = np.zeros((1, 1))
    for _ in range(doublings):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return (matrix + 0.5) / matrix.size


class _Film(Image.Image):
    """Pictures as one that moves, as Pillow writes them: drawn when they are asked for, one in memory."""

    def __init__(self, pictures: Iterator[Image.Image], count: int):
        super().__init__()
        self._pictures, self.n_frames, self._place = pictures, count, 0
        self._show(next(pictures))

    def seek(self, frame: int) -> None:
        """Go to a picture: this one or the next; none goes back. Raises EOFError beyond the last."""
        if frame >= self.n_frames:
            raise EOFError
        if frame == self._place + 1:
            self._show(next(self._pictures))
            self._place = frame

    def tell(self) -> int:
        """Return which picture this is."""
        return self._place

    def _show(self, picture: Image.Image) -> None:
        self.im, self._mode, self._size, self.palette = picture.im, picture.mode, picture.size, picture.palette
