"""Expressions of a clip, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mien.faces.track import follower
from mien.labels import CLASSES
from mien.media.video.reader import ClipReader
from mien.progress import Tell, untold
from mien.recognition.photos import Crops


def recognize_clip(
    editor: Crops, path: Path, number: int | None = None, tell: Tell = untold
) -> Iterator[tuple[float, dict[str, float] | None]]:
    """Yield every frame's time in seconds and the probability of every expression word, None without a face."""
    editor.engine.require("recognize")
    with ClipReader(path) as reader:
        follow = follower(path, number, editor.aligned, editor.landmarker)
        for k, frame in enumerate(reader.frames(), 1):
            found = follow(frame.rgb, frame.time)
            words = None
            if found:
                crop = editor.crop_at(frame.rgb, found.steadied).crop
                shares = editor.engine.probabilities(crop[None])[0].tolist()
                words = dict(zip(CLASSES, shares, strict=True))
            tell(k, reader.count)
            yield frame.time, words
