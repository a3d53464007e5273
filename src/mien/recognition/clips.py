"""Expressions of a clip, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mien.faces.track import follower
from mien.labels import CLASSES
from mien.media.video.reader import Reader
from mien.progress import Tell, untold
from mien.recognition.photos import Crops


def recognize_clip(
    editor: Crops, path: Path, number: int | None = None, tell: Tell = untold
) -> Iterator[tuple[float, dict[str, float] | None]]:
    """Yield every frame's time in seconds and the probability of every expression word, None without a face."""
    editor.engine.require("recognize")
    with Reader(path) as reader:
        follow = follower(path, number, editor.aligned, editor.landmarker)
        for k, shot in enumerate(reader.shots(), 1):
            found = follow(shot.rgb, shot.time)
            words = None
            if found:
                crop = editor.crop_at(shot.rgb, found.steadied).crop
                shares = editor.engine.probabilities(crop[None])[0].tolist()
                words = dict(zip(CLASSES, shares, strict=True))
            tell(k, reader.count)
            yield shot.time, words
