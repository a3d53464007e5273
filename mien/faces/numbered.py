"""A photograph with its faces boxed and numbered, to see which one to name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.faces.detect import Face
from mien.faces.photo import Photo

INK, PAPER = (255, 255, 255), (200, 30, 60)


def numbered(photo: Photo, faces: Sequence[Face]) -> Photo:
    """Return `photo` with a box around every face and its number, 1 for the first, in the box's corner."""
    page = Image.fromarray(photo.rgb)
    pen = ImageDraw.Draw(page)
    line = max(2, round(max(page.size) / 400))
    for k, face in enumerate(faces, 1):
        x, y, width, height = face.box
        pen.rectangle((x, y, x + width, y + height), outline=PAPER, width=line)
        font = ImageFont.load_default(size=max(12, width / 5))
        _, _, right, bottom = pen.textbbox((x + 2 * line, y + line), str(k), font)
        pen.rectangle((x, y, right + 2 * line, bottom + line), fill=PAPER)
        pen.text((x + 2 * line, y + line), str(k), INK, font)
    icc = None if photo.grey else photo.icc  # a grey picture's profile does not fit coloured boxes
    return replace(photo, rgb=np.asarray(page), grey=False, icc=icc, deep=None)
