"""Sheets: labelled grids of pictures, for people who look rather than read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.files import make_folder
from mien.media.photo import Photo, write_photo
from mien.media.provenance import Stamp

GAP, INK, PAPER = 4, (30, 30, 30), (255, 255, 255)


def sheet(
    rows: Sequence[Sequence[np.ndarray | None]],
    columns: Sequence[str] = (),
    names: Sequence[str] = (),
    notes: Sequence[Sequence[str]] = (),
    size: int = 128,
) -> Image.Image:
    """Return a grid of pictures uint8 (H, W, 3), each scaled to `size`; None leaves a place empty.

    `columns` head the columns, `names` stand left of the rows, `notes` (rows × columns) below the pictures.
    """
    letter = max(11, size // 9)
    font, line = ImageFont.load_default(size=letter), letter + 4
    head, foot = (line + GAP if columns else 0), (line if notes else 0)
    left = round(max(font.getlength(name) for name in names)) + 2 * GAP if names else 0
    wide = max(len(row) for row in rows)
    page = Image.new("RGB", (left + wide * (size + GAP) + GAP, head + len(rows) * (size + foot + GAP) + GAP), PAPER)
    pen = ImageDraw.Draw(page)
    for c, text in enumerate(columns):
        pen.text((left + GAP + c * (size + GAP) + size / 2, GAP), text, INK, font, anchor="ma")
    for r, row in enumerate(rows):
        top = head + GAP + r * (size + foot + GAP)
        if names:
            pen.text((left - GAP, top + size / 2), names[r], INK, font, anchor="rm")
        for c, picture in enumerate(row):
            if picture is None:
                continue
            at = left + GAP + c * (size + GAP)
            scale = Image.Resampling.BICUBIC if picture.shape[0] < size else Image.Resampling.LANCZOS
            page.paste(Image.fromarray(picture).resize((size, size), scale), (at, top))
            if notes and notes[r][c]:
                pen.text((at + size / 2, top + size + 1), notes[r][c], INK, font, anchor="ma")
    return page


def save_sheet(page: Image.Image, path: Path, stamp: Stamp | None = None) -> None:
    """Write a sheet, and in its metadata that the pictures were made."""
    make_folder(path.parent)
    write_photo(Photo.of(np.asarray(page)), path, stamp)
