"""A photograph that somebody sent to the page: checked before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from mien.errors import InputError
from mien.faces.detect import Face, choose_face, find_faces
from mien.faces.landmarks import Landmarker
from mien.media.annotate import draw_boxes
from mien.media.photo import Photo, read_photo

MEGABYTES = 20
MEGAPIXELS = 40
DECODED = 2  # photographs kept decoded, a face and the one it is to look like; each up to 0.12 GB, of 16 bits 0.36
VIEW = 1024  # pixels of the longer side of what the page shows


@dataclass(frozen=True)
class Upload:
    """A photograph on the server with the faces that were found in it."""

    path: Path
    faces: tuple[Face, ...]  # from left to right
    owner: str = ""  # the browser that sent it, in the store's words

    @property
    def photo(self) -> Photo:
        """The photograph; raises InputError if it is no longer there."""
        return photo_at(self.path)

    @property
    def largest(self) -> int:
        """The number of the widest face, from 1, which is the likeliest to be meant."""
        return 1 + int(np.argmax([face.box[2] for face in self.faces]))


def open_upload(path: Path, landmarker: Landmarker | None = None, owner: str = "") -> Upload:
    """Return a photograph with its faces. Raises InputError, without the server's folders, for what is none."""
    size = path.stat().st_size if path.is_file() else 0
    if size > MEGABYTES * 2**20:
        raise InputError(f"{path.name}: {size / 2**20:.0f} MB, more than {MEGABYTES} MB; make it smaller")
    faces = find_faces(photo_at(path).rgb, landmarker)
    choose_face(faces, path.name, number=1)  # says what to do where there is none
    return Upload(path, tuple(faces), owner)


def photo_at(path: Path) -> Photo:
    """Return the photograph at `path`. Raises InputError that names the file as its owner does, without folders."""
    try:
        return decode(path)
    except InputError as error:
        raise InputError(str(error).replace(str(path), path.name)) from error


@lru_cache(DECODED)
def decode(path: Path) -> Photo:
    """Return a photograph, the last two from memory: every move of a slider asks for one again."""
    return read_photo(path, MEGAPIXELS * 1_000_000, tell=False)  # the page says it, to who sent the file


def shrink(rgb: np.ndarray, side: int = VIEW) -> np.ndarray:
    """Return a picture uint8 (H, W, 3) whose longer side is at most `side`."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return rgb
    to = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(rgb, to, interpolation=cv2.INTER_AREA)


def view(upload: Upload) -> np.ndarray:
    """Return the photograph for the page, uint8; with a number at every face where there are several."""
    small = shrink(upload.photo.rgb)
    if len(upload.faces) == 1:
        return small
    scale = small.shape[1] / upload.photo.rgb.shape[1]
    return draw_boxes(small, [[scale * value for value in face.box] for face in upload.faces])


def closeup(rgb: np.ndarray, face: Face, reach: float = 1.1, side: int = VIEW) -> np.ndarray:
    """Return the face with its surroundings: `reach` box widths to every side of its middle, uint8 (≤ side, ≤ side)."""
    x, y, w, h = face.box
    middle, half = (x + w / 2, y + h / 2), reach * max(w, h)
    left, top = (max(0, int(m - half)) for m in middle)
    right, bottom = (int(m + half) + 1 for m in middle)
    return shrink(np.ascontiguousarray(rgb[top:bottom, left:right]), side)
