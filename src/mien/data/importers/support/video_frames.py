"""Frames of a corpus' videos by their number; to read them in order is quick, to go back begins anew.

By OpenCV, so that data sets can be imported without the extra that brings PyAV.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mien.errors import InputError
from mien.media.video.ffmpeg import CLIPS

VIDEOS = CLIPS
"""Suffixes of the clips that corpora come as; of two of one name the first counts."""

LEAST = 8  # bytes that a frame takes, at the very least


class Player:
    """Keeps the last video open, where it was read to."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._capture: cv2.VideoCapture | None = None
        self._next = 0

    def _open(self, path: Path) -> cv2.VideoCapture:
        if self._capture is not None:
            self._capture.release()
        self._path, self._next = path, 0
        self._capture = cv2.VideoCapture(str(path))
        return self._capture

    def count(self, path: Path) -> int:
        """Return how many frames a video says it has, but no more than it has room for; 0 where it cannot be opened."""
        if not path.is_file():  # a pipe would be waited for
            return 0
        claimed = self._open(path).get(cv2.CAP_PROP_FRAME_COUNT)
        return int(max(0, min(claimed, path.stat().st_size // LEAST)))

    def read(self, path: Path, index: int) -> np.ndarray:
        """Return frame `index`, from 0, as uint8 (H, W, 3) RGB. Raises InputError where it cannot be decoded."""
        if not path.is_file():
            raise InputError(f"{path}: there is no such file, or it is no regular one; copy the video again")
        capture = self._capture
        if capture is None or path != self._path or index < self._next:
            capture = self._open(path)
        while self._next < index and capture.grab():
            self._next += 1
        good, bgr = capture.read() if self._next == index else (False, None)
        if not good or bgr is None:
            raise InputError(f"{path}: frame {index} cannot be decoded; copy the video again, or extract its frames")
        self._next = index + 1
        return np.asarray(bgr)[..., ::-1]
