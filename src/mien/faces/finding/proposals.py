"""Where may faces be? A small net that looks at all places of a picture, and at copies of half the size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from mien.faces.finding.boxes import Box, box_of
from mien.faces.finding.small_net import said

STRIDE = 8  # pixels from one of the net's places to the next
UNIT = 16.0  # pixels that are 1 where the net says where the eyes are
NARROWEST = 18.0  # pixels of a face's width that the net finds; the widest is more than twice as wide
LEAST = -2.0  # log odds of a place that is looked at
WINDOW = 41  # pixels across over which contrast is levelled
FLOOR = 4.0  # levels added to the deviation in a window, so that the noise of a plain wall is not blown up
WEIGHTS = Path(__file__).with_suffix(".onnx")


def levelled(grey: np.ndarray) -> np.ndarray:
    """Return uint8 (H, W) as float32, around every pixel with mean 0 and a deviation near 1.

    So a face in the shadow of a bright photograph, or in a dim or faint one, is like any other.
    """
    x = grey.astype(np.float32)
    window = (WINDOW, WINDOW)
    mean = cv2.blur(x, window, borderType=cv2.BORDER_REFLECT_101)
    square = cv2.blur(x * x, window, borderType=cv2.BORDER_REFLECT_101)
    return (x - mean) / (np.sqrt(np.maximum(square - mean * mean, 0)) + FLOOR)


def propose(grey: np.ndarray) -> list[Box]:
    """Return boxes where faces may be in uint8 `grey` (H, W), at any turn; their likelihood is the net's log odds.

    The net looks at the picture and at copies of half the size, a quarter, and so on. Faces of NARROWEST pixels and
    more are proposed, most of them once.
    """
    return [box.larger(size) for size, copy in _copies(grey) for box in _places(copy)]


def _copies(grey: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
    """Yield the picture and copies of half the size and less, each with how many times larger the picture is."""
    (height, width), size = grey.shape, 1
    while max(height, width) > NARROWEST * size:
        to = max(1, round(width / size)), max(1, round(height / size))
        grey = grey if size == 1 else cv2.resize(grey, to, interpolation=cv2.INTER_AREA)
        yield size, grey
        size *= 2


def _places(grey: np.ndarray) -> Iterator[Box]:
    """Yield where the net sees a face rather than around there."""
    odds, *eyes = said(WEIGHTS, levelled(grey)[None, None])[0]
    rows, columns = np.nonzero((odds > LEAST) & (odds == cv2.dilate(odds, np.ones((3, 3), np.uint8))))
    at = STRIDE * np.stack([columns, rows, columns, rows], 1) + (STRIDE - 1) / 2
    found = (at + UNIT * np.stack([eye[rows, columns] for eye in eyes], 1)).reshape(-1, 2, 2)
    for pair, likelihood in zip(found, odds[rows, columns], strict=True):
        if np.hypot(*(pair[1] - pair[0])) > 1:
            yield box_of(pair, float(likelihood))
