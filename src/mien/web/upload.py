"""A photograph that somebody sent to the page: checked before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from mien.errors import InputError
from mien.faces.detect import Face, choose_face, find_faces
from mien.faces.landmarks import Landmarker
from mien.media.photo import FORMATS, Photo, read_photo, suffix_back

MEGABYTES = 20
MEGAPIXELS = 40
DECODED = 2  # photographs kept decoded, a face and the one it is to look like; each up to 0.12 GB, of 16 bits 0.36


@dataclass(frozen=True)
class Upload:
    """A photograph on the server with the faces that were found in it."""

    path: Path
    faces: tuple[Face, ...]  # from left to right
    size: tuple[int, int]  # width, height
    several: bool = False  # of several frames or pages the first was taken

    @property
    def photo(self) -> Photo:
        """The photograph; raises InputError if it is no longer there."""
        return photo_at(self.path)

    @property
    def largest(self) -> int:
        """The number of the widest face, from 1, which is the likeliest to be meant."""
        return 1 + int(np.argmax([face.box[2] for face in self.faces]))

    def face(self, number: int) -> Face:
        """Return the face of a number, from 1. Raises InputError for a number that is not there."""
        if not 1 <= number <= len(self.faces):
            raise InputError(f"there is no face {number}; the photograph has {len(self.faces)}")
        return self.faces[number - 1]

    @property
    def form(self) -> str:
        """The form in which it goes back: that in which it came, or the nearest that mien writes."""
        return {"JPEG": "JPEG", "WEBP": "WebP"}.get(FORMATS[suffix_back(self.path)], "PNG")


def open_upload(path: Path, landmarker: Landmarker | None = None) -> Upload:
    """Return a photograph with its faces. Raises InputError, without the server's folders, for what is none."""
    size = path.stat().st_size if path.is_file() else 0
    if size > MEGABYTES * 2**20:
        raise InputError(f"{path.name}: {size / 2**20:.0f} MB, more than {MEGABYTES} MB; make it smaller")
    photo = photo_at(path)
    faces = find_faces(photo.rgb, landmarker)
    choose_face(faces, path.name, number=1)  # says what to do where there is none
    height, width = photo.rgb.shape[:2]
    return Upload(path, tuple(faces), (width, height), photo.several)


def photo_at(path: Path) -> Photo:
    """Return the photograph at `path`. Raises InputError that names the file as its owner does, without folders."""
    try:
        return decode(path)
    except InputError as error:
        raise InputError(str(error).replace(str(path), path.name)) from error


@lru_cache(DECODED)
def decode(path: Path) -> Photo:
    """Return a photograph, the last two from memory."""
    return read_photo(path, MEGAPIXELS * 1_000_000, tell=False)  # the page says it, to who sent the file
