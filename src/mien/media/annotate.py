"""A photograph with its faces boxed and numbered, to see which one to name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.media.photo import Photo

INK, PAPER = (255, 255, 255), (200, 30, 60)


def numbered(photo: Photo, boxes: Sequence[Sequence[float]]) -> Photo:
    """Return `photo` with its faces `boxed`."""
    icc = None if photo.grey else photo.icc  # a grey picture's profile does not fit coloured boxes
    return replace(photo, rgb=boxed(photo.rgb, boxes), grey=False, icc=icc, deep=None)


def boxed(rgb: np.ndarray, boxes: Sequence[Sequence[float]]) -> np.ndarray:
    """Return a picture uint8 (H, W, 3) with every box (x, y, width, height) and its number, 1 for the first."""
    page = Image.fromarray(rgb)
    pen = ImageDraw.Draw(page)
    line = max(2, round(max(page.size) / 400))
    for k, (x, y, width, height) in enumerate(boxes, 1):
        pen.rectangle((x, y, x + width, y + height), outline=PAPER, width=line)
        font = ImageFont.load_default(size=max(12, width / 5))
        _, _, right, bottom = pen.textbbox((x + 2 * line, y + line), str(k), font)
        pen.rectangle((x, y, right + 2 * line, bottom + line), fill=PAPER)
        pen.text((x + 2 * line, y + line), str(k), INK, font)
    return np.asarray(page)
