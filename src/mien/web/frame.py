"""What of a photograph is looked at: all of it, or a face with its surroundings, at a screen's size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from mien.faces.crop import FaceCrop
from mien.faces.detect import Face
from mien.media.photo import Photo
from mien.web.upload import Upload

WHOLE = 0
"""The frame that holds all of a photograph; others are called by their face's number."""

REACH = 1.1  # widths of a face to every side of its middle


@dataclass(frozen=True)
class Frame:
    """A part of a photograph as pixels of a screen, and how to come from these to the photograph's own."""

    photo: Photo
    matrix: np.ndarray  # (2, 3) frame pixels -> photo pixels

    def cut(self, face: FaceCrop) -> FaceCrop:
        """Return a face of the photograph as one of the frame; a model sees the same."""
        return replace(face, photo=self.photo, matrix=face.matrix @ np.vstack([self.matrix, [0, 0, 1]]))


def frame_of(upload: Upload, which: int, side: int) -> Frame:
    """Return a frame whose longer side is at most `side` pixels. Raises InputError for a face that is not there."""
    rgb = upload.photo.rgb
    left, top, right, bottom = (0, 0, *upload.size) if which == WHOLE else around(upload.face(which), upload.size)
    scale = min(1.0, side / max(right - left, bottom - top))
    width, height = (max(1, round(scale * length)) for length in (right - left, bottom - top))
    part = rgb[top:bottom, left:right]
    part = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA) if scale < 1 else part.copy()
    across, down = (right - left) / width, (bottom - top) / height
    matrix = np.array([[across, 0, left + (across - 1) / 2], [0, down, top + (down - 1) / 2]])  # pixels have middles
    return Frame(replace(upload.photo, rgb=part, alpha=None, sixteen=None, xmp=None, exif=None), matrix)


def around(face: Face, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a face with its surroundings, within a photograph (width, height)."""
    x, y, w, h = face.box
    middle, half = (x + w / 2, y + h / 2), REACH * max(w, h)
    left, top = (max(0, int(m - half)) for m in middle)
    right, bottom = (min(most, int(m + half) + 1) for m, most in zip(middle, size, strict=True))
    return left, top, right, bottom
