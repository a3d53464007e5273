"""OpenCV's bundled Haar cascades (Viola & Jones 2001; Lienhart & Maydt 2002) as one plain function."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import cv2.data
import numpy as np

_own = threading.local()  # a classifier keeps state while it searches, so each thread has its own


def _classifier(name: str) -> cv2.CascadeClassifier:
    """Return the thread's classifier of that name, loaded on first use."""
    loaded: dict[str, cv2.CascadeClassifier] = _own.__dict__.setdefault("loaded", {})
    if name not in loaded:
        file = Path(cv2.data.haarcascades) / f"haarcascade_{name}.xml"
        classifier = cv2.CascadeClassifier(str(file))
        if classifier.empty():
            raise RuntimeError(f"{file} is missing: this OpenCV brings no cascades; install opencv-python-headless<5")
        loaded[name] = classifier
    return loaded[name]


def _stretch(grey: np.ndarray) -> np.ndarray:
    """Return `grey` with its first to 99th percentile stretched to 0..255.

    Cascades level the contrast of each window by themselves, but skip windows of little contrast, which are all of a
    dark photograph. To equalise the histogram instead loses eyes behind glasses, and a face before a plain wall.
    """
    levels = np.cumsum(np.bincount(grey.ravel(), minlength=256)) / grey.size
    low, high = int(np.searchsorted(levels, 0.01)), int(np.searchsorted(levels, 0.99))
    if high <= low or (low == 0 and high == 255):
        return grey
    return cv2.convertScaleAbs(np.maximum(grey, low), alpha=255 / (high - low), beta=-255 * low / (high - low))


def search(
    name: str, grey: np.ndarray, smallest: float, largest: float, step: float, neighbours: int
) -> list[tuple[float, float, float, float, float]]:
    """Return what a cascade finds in uint8 `grey` (H, W): x, y, width, height in pixels, the last stage's weight.

    `smallest` and `largest` bound the width, `step` is the ratio of one searched size to the next, `neighbours` how
    many raw hits must agree. Weights of different cascades do not compare.
    """
    low, high = max(1, round(smallest)), max(1, round(largest))
    boxes, _, weights = _classifier(name).detectMultiScale3(
        _stretch(np.ascontiguousarray(grey)), step, neighbours, 0, (low, low), (high, high), outputRejectLevels=True
    )
    found = zip(np.reshape(boxes, (-1, 4)), np.ravel(weights), strict=True)
    return [(float(x), float(y), float(w), float(h), float(weight)) for (x, y, w, h), weight in found]
