"""Photograph in, clip out: one face, found and read once, goes from expression to expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from mien.controls import Controls
from mien.editing.editor import Editor
from mien.editing.timeline import BLINK, Timeline, way
from mien.faces.align import rescaled
from mien.faces.crop import FaceCrop


def animate(editor: Editor, cut: FaceCrop, timeline: Timeline) -> Iterator[np.ndarray]:
    """Yield a photograph's frames, uint8 (H, W, 3), with the face that was cut out of it moved as a timeline says.

    A frame on a key is what `Editor.edit` makes of the same request, and pixels around the face are the photograph's in
    all of them. Raises InputError, before the first frame, for what the model cannot be asked for.
    """
    check(editor, timeline)
    sitter = editor.engine.sit(cut.crop)
    path = timeline.path
    known = [sitter.asked(key.asked) for key in path]

    def frames() -> Iterator[np.ndarray]:
        last = picture = None
        for time in timeline.times:
            before, after, share = way(path, time)
            asked = between(known[before], known[after], share)
            if gaze := timeline.gaze_at(time):
                asked = sitter.asked(Controls(gaze=gaze), asked)
            if shut := timeline.shut(time):
                asked = between(asked, sitter.asked(BLINK, asked), shut)
            if picture is None or not np.array_equal(asked, last):
                picture, last = editor.apply(cut, sitter.change(asked)).rgb, asked
            yield picture

    return frames()


def check(editor: Editor, timeline: Timeline) -> None:
    """Raise InputError where the model cannot be asked for what a timeline says: worth asking before long work."""
    wanted = [key.asked for key in (*timeline.keys, *timeline.gaze)] + [BLINK] * bool(timeline.blinks)
    for asked in wanted:
        if asked is not None:
            editor.engine.require_edit(asked)


def between(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """Return what lies between two requests, exactly one of them at 0 and at 1."""
    return np.float32(1 - share) * one + np.float32(share) * other


def resized(cut: FaceCrop, side: int) -> FaceCrop:
    """Return a face in its photograph brought to a longer side of at most `side` pixels; the model sees the same."""
    photo = cut.photo
    height, width = photo.rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return cut
    size = max(1, round(width * scale)), max(1, round(height * scale))

    def small(picture: np.ndarray | None) -> np.ndarray | None:
        return None if picture is None else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)

    # photo -> small, and back by the crop's own matrix
    back = cv2.invertAffineTransform(rescaled(np.eye(2, 3), np.array([size[0] / width, size[1] / height])))
    matrix = np.column_stack([cut.matrix[:, :2] @ back[:, :2], cut.matrix[:, :2] @ back[:, 2] + cut.matrix[:, 2]])
    rgb = small(photo.rgb)
    assert rgb is not None
    return replace(cut, photo=replace(photo, rgb=rgb, alpha=small(photo.alpha), sixteen=None), matrix=matrix)
