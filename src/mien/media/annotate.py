"""A photograph with a box and a number at each face, to see which number is whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.media.photo import Photo

INK, PAPER = (255, 255, 255), (200, 30, 60)


def number_faces(photo: Photo, boxes: Sequence[Sequence[float]]) -> Photo:
    """Return a photograph with a box and a number at each face, as `draw_boxes` does."""
    icc = None if photo.grey else photo.icc  # a grey picture's profile does not fit coloured boxes
    return replace(photo, rgb=draw_boxes(photo.rgb, boxes), grey=False, icc=icc, sixteen=None)


def draw_boxes(rgb: np.ndarray, boxes: Sequence[Sequence[float]]) -> np.ndarray:
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


def write_lines(rgb: np.ndarray, lines: Sequence[str]) -> np.ndarray:
    """Return a picture uint8 (H, W, 3) with lines of words in its upper left corner, on a dark ground."""
    page = Image.fromarray(rgb)
    pen = ImageDraw.Draw(page, "RGBA")
    font = ImageFont.load_default(size=max(12, page.height / 30))
    text, place = "\n".join(lines), (6, 4)
    left, top, right, bottom = pen.multiline_textbbox(place, text, font)
    pen.rectangle((left - 4, top - 3, right + 4, bottom + 4), fill=(0, 0, 0, 150))
    pen.multiline_text(place, text, INK, font)
    return np.asarray(page)
