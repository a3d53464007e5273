"""A face of a photograph, cut out and aligned; and all that is taken for a photograph."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np

from mien.errors import InputError
from mien.media.given import given_photo
from mien.media.photo import Photo

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

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


if TYPE_CHECKING:
    Picture = (
        str | PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray | Tensor | Photo | FaceCrop | list[FaceCrop]
    )
else:
    Picture = Any
"""All that `mien.media.given` takes for a photograph, or what was cut out of one: a face, or several."""


def as_photo(picture: Picture) -> Photo:
    """Return the photograph that is given, or of which a face was cut out. Raises InputError for what is no picture."""
    if isinstance(picture, FaceCrop):
        return picture.photo
    if isinstance(picture, list):
        return as_crops(picture)[0].photo
    return given_photo(picture)


def as_crops(faces: list[FaceCrop]) -> list[FaceCrop]:
    """Return faces that were cut out. Raises InputError where they are none, or other things."""
    if not faces or not all(isinstance(face, FaceCrop) for face in faces):
        raise InputError("a list must be of faces that crops() gave; give one picture at a time")
    return faces
