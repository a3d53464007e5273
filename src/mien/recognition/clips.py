"""Expressions of a clip, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mien.faces.track import follower
from mien.labels import CLASSES
from mien.media.video.reader import ClipReader
from mien.progress import Tell, untold
from mien.recognition.photos import Crops
from mien.runtime.person_code import person_code


def recognize_clip(
    editor: Crops, path: Path, number: int | None = None, tell: Tell = untold
) -> Iterator[tuple[float, dict[str, float] | None]]:
    """Yield every frame's time in seconds and the probability of every expression word, None without the person."""
    editor.engine.require("recognize")
    with ClipReader(path) as reader:
        follow = follower(path, number, editor.aligned, editor.landmarker, person_code)
        for k, (frame, found) in enumerate(follow.along(reader.frames()), 1):
            words = None
            if found:
                crop = editor.crop_at(frame.rgb, found.steadied).crop
                shares = editor.engine.probabilities(crop[None])[0].tolist()
                words = dict(zip(CLASSES, shares, strict=True))
            tell(k, reader.count)
            yield frame.time, words
