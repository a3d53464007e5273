"""A face of a photograph, cut out and aligned; and all that is taken for a photograph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from mien.errors import InputError
from mien.media.photo import Photo, read_photo

Which = int | Literal["all"] | None
"""Which faces of a photograph: the n-th from the left, counted from 1; all; or, by None, the only or by far largest."""


@dataclass(frozen=True)
class FaceCrop:
    """A face in a photograph as a model sees it."""

    photo: Photo
    matrix: np.ndarray  # (2, 3) photo pixels -> crop pixels
    crop: np.ndarray  # uint8 (S, S, 3)
    number: int  # 1 is the leftmost
    box: tuple[float, float, float, float]  # x, y, width, height in photo pixels
    points: np.ndarray | None = None  # (68, 2) landmarks in crop pixels, where a landmarker was asked
    source: str = "given"  # what gave the eye centres, as in `Face`; "given" for aligned crops
    score: float | None = None  # log odds of a face, as in `Face`; None for aligned crops
    left_out: tuple[str, ...] = ()  # number and place of the smaller faces, in words, where none was chosen


Picture = str | Path | np.ndarray | Photo | FaceCrop | list[FaceCrop]
"""A file, an RGB uint8 array (H, W, 3), a photo that was read, or what was cut out of one: a face, or several."""


def as_photo(picture: Picture) -> Photo:
    """Return a photo of a file or an array. Raises InputError for an array that is no RGB picture."""
    if isinstance(picture, Photo):
        return picture
    if isinstance(picture, FaceCrop):
        return picture.photo
    if isinstance(picture, list):
        return picture[0].photo
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise InputError(f"a picture must be uint8 (H, W, 3) RGB; got {picture.dtype} {picture.shape}")
        return Photo.of(picture)
    return read_photo(Path(picture))
