"""Pixels into a clip's own pixel format, without touching those that did not change."""

from __future__ import annotations

from typing import Any

import numpy as np

from mien.media.video.ffmpeg import EXACT, ffmpeg
from mien.media.video.reader import VideoFrame

BT709, LIMITED = 1, 1  # by ITU-T H.273 and FFmpeg
BLOCK = 8  # pixels of the grid on which a change's box lies: no format halves its colours more than twice


def change_frame(frame: VideoFrame, rgb: np.ndarray, form: str) -> Any:
    """Return an av.VideoFrame in the pixel format `form` that shows `rgb` (H, W, 3) uint8 in place of `frame`.

    To convert to RGB and back loses a little. So where `form` is the frame's own, only the box of what changed is taken
    from the converted picture; all samples around it stay bit for bit.
    """
    old = frame.native
    new = ffmpeg().VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    new = new.reformat(format=form, dst_colorspace=old.colorspace, dst_color_range=old.color_range, interpolation=EXACT)
    if old.format.name != form:
        return new
    (y0, x0), (y1, x1) = box_of(rgb, frame.rgb)
    for k, (source, target) in enumerate(zip(old.planes, new.planes, strict=True)):
        size = sum((part.bits + 7) // 8 for part in old.format.components if part.plane == k)
        down, across = round(old.height / source.height), round(old.width / source.width)
        inside = (slice(y0 // down, y1 // down), slice(x0 // across * size, x1 // across * size))
        before, after = (samples(plane)[:, : source.width * size] for plane in (source, target))
        changed = after[inside].copy()
        after[:] = before
        after[inside] = changed
    return new


def frame_of_picture(rgb: np.ndarray) -> Any:
    """Return an av.VideoFrame of a picture (H, W, 3) uint8, sides even, in the format and colours of every player."""
    frame = ffmpeg().VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    frame = frame.reformat(format="yuv420p", dst_colorspace=BT709, dst_color_range=LIMITED, interpolation=EXACT)
    frame.color_primaries = frame.color_trc = BT709
    return frame


def box_of(rgb: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the corners (y, x) of what differs, the second exclusive, on the grid of BLOCK; zeros if nothing does."""
    changed = (rgb != before).any(-1)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    if not len(rows):
        return np.zeros((2, 2), int)
    return np.array([[rows[0], columns[0]], [rows[-1] + BLOCK, columns[-1] + BLOCK]]) // BLOCK * BLOCK


def samples(plane: Any) -> np.ndarray:
    """Return a view of a plane's bytes (h, w), with the padding of its rows; a frame made here may be written by it."""
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
