"""Frames as they come: of a webcam, or of a clip that is played again and again in a camera's place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from mien.errors import InputError
from mien.media.video.reader import ClipReader
from mien.whole_numbers import whole_number

Shot = tuple[np.ndarray, float]
"""A frame uint8 (H, W, 3), and when it came in seconds of `clock`."""

clock = time.perf_counter


def shots(source: str) -> Iterator[Shot]:
    """Yield frames of the webcam of a number, "0" the first, or of a clip at its own pace. Raises InputError."""
    number = whole_number(source)
    return replayed(source) if number is None else webcam(number)


def webcam(number: int) -> Iterator[Shot]:
    """Yield a webcam's frames until it has none. Raises InputError where there is no such camera."""
    camera = cv2.VideoCapture(number)
    try:
        if not camera.isOpened():
            raise InputError(f"{number}: there is no such camera; give another number, or a clip to play in its place")
        camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest: what waited is late
        while True:
            good, bgr = camera.read()
            if not good:
                return
            yield np.ascontiguousarray(bgr[..., ::-1]), clock()
    finally:
        camera.release()


def replayed(path: str, times: int | None = None, sleep: Callable[[float], None] = time.sleep) -> Iterator[Shot]:
    """Yield a clip's frames when they are due, again and again or so many `times`; those that are late are left out."""
    played = 0
    while times is None or played < times:
        begin, first, late = clock(), None, 0
        with ClipReader(path) as reader:
            for frame in reader.frames():
                first = frame.time if first is None else first
                early = begin + frame.time - first - clock()
                if early < -1 / float(reader.rate) and late < 30:  # of very slow work still something is seen
                    late += 1
                    continue
                late = 0
                if early > 0:
                    sleep(early)
                yield frame.rgb, clock()
        played += 1
