"""Where may faces be? A small net that looks at all places of a picture, and at copies of half the size."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mien.faces.boxes import Box, box_of

if TYPE_CHECKING:
    import onnxruntime

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


def propose(grey: np.ndarray, side: float) -> list[Box]:
    """Return boxes where faces may be in uint8 `grey` (H, W): the net's places in a copy of so many pixels, and halves.

    `side` is the copy's longer side; a photograph is never enlarged. Faces of NARROWEST pixels of the copy and more are
    proposed, at any turn, each of them by one or a few boxes; a box's likelihood is the net's log odds.
    """
    return [box for scale, small in _copies(grey, side) for box in _places(small, scale)]


def _copies(grey: np.ndarray, side: float) -> Iterator[tuple[float, np.ndarray]]:
    """Yield a copy of the photograph, one of half its size, and so on, each with its scale."""
    (height, width), longer, small = grey.shape, max(grey.shape), grey
    scale = min(1.0, side / longer)
    while scale * longer > NARROWEST:
        to = max(1, round(scale * width)), max(1, round(scale * height))
        if to != small.shape[::-1]:
            small = cv2.resize(small, to, interpolation=cv2.INTER_AREA)
        yield scale, small
        scale /= 2


def _places(small: np.ndarray, scale: float) -> Iterator[Box]:
    """Yield where the net sees a face rather than around there, in the photograph's pixels."""
    odds, *eyes = _session(WEIGHTS).run(None, {"seen": levelled(small)[None, None]})[0][0].astype(np.float64)
    rows, columns = np.nonzero((odds > LEAST) & (odds == cv2.dilate(odds, np.ones((3, 3), np.uint8))))
    at = STRIDE * np.stack([columns, rows, columns, rows], 1) + (STRIDE - 1) / 2
    found = (at + UNIT * np.stack([eye[rows, columns] for eye in eyes], 1)).reshape(-1, 2, 2)
    for pair, likelihood in zip(found, odds[rows, columns], strict=True):
        if np.hypot(*(pair[1] - pair[0])) > 1:
            yield box_of((pair + 0.5) / scale - 0.5, float(likelihood))


@cache
def _session(path: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # it has too little to do for more
    options.log_severity_level = 3  # errors alone
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
