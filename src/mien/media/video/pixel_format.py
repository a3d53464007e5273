"""Pixels into the format that a clip is written in, without touching those that did not change."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from mien.media.video.ffmpeg import EXACT, ffmpeg
from mien.media.video.reader import VideoFrame
from mien.media.video.target import BT709, LIMITED, Target

BLOCK = 8  # pixels of the grid on which a change's box lies: no format halves its colours more than twice
ALPHA_FIRST = ("argb", "abgr")  # packed formats whose transparency is not the last of a pixel's bytes
_SPACES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}  # from H.273's matrices to swscale's


def convert(frame: Any, target: Target) -> Any:
    """Return an av.VideoFrame in the pixel format and colours of `target`; itself where it has them."""
    return frame.reformat(
        format=target.form, dst_colorspace=_SPACES.get(target.colorspace), dst_color_range=target.color_range or None,
        interpolation=EXACT,
    )  # fmt: skip


def frame_as(frame: VideoFrame, target: Target) -> Any:
    """Return an av.VideoFrame that shows `frame` as it was."""
    return trim(convert(frame.native, target), target)


def change_frame(frame: VideoFrame, rgb: np.ndarray, target: Target) -> Any:
    """Return an av.VideoFrame that shows `rgb` (H, W, 3) uint8 in place of `frame`.

    To convert to RGB and back loses a little. So only the box of what changed is taken from the converted picture; all
    samples around it are the frame's, bit for bit where it is in the target's format, and so is all transparency.
    """
    old = convert(frame.native, target)
    new = convert(ffmpeg().VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24"), target)
    if new.planes[0].width != old.planes[0].width:
        raise ValueError(f"a frame of {old.width}×{old.height} cannot show a picture of {new.width}×{new.height}")
    (y0, x0), (y1, x1) = box_of(rgb, frame.rgb)
    for k, (source, plane) in enumerate(zip(old.planes, new.planes, strict=True)):
        size = _bytes_of(old.format, k)
        down, across = round(old.height / source.height), round(old.width / source.width)
        inside = (slice(y0 // down, -(-y1 // down)), slice(x0 // across * size, -(-x1 // across) * size))
        before, after = (samples(plane)[:, : source.width * size] for plane in (source, plane))
        changed = after[inside].copy()
        after[:] = before
        after[inside] = changed
    if (see := alpha_of(new)) is not None:
        see[:] = alpha_of(old)
    return trim(new, target)


def trim(frame: Any, target: Target) -> Any:
    """Return a frame without what is beyond the target's size, on the right and below."""
    if (frame.width, frame.height) == (target.width, target.height):
        return frame
    small = ffmpeg().VideoFrame(target.width, target.height, target.form)
    for k, (source, plane) in enumerate(zip(frame.planes, small.planes, strict=True)):
        width = min(plane.width, source.width) * _bytes_of(frame.format, k)
        height = min(plane.height, source.height)
        samples(plane)[:height, :width] = samples(source)[:height, :width]
    return small


def frame_of_picture(rgb: np.ndarray) -> Any:
    """Return an av.VideoFrame of a picture (H, W, 3) uint8, sides even, in the format and colours of every player."""
    frame = ffmpeg().VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    frame = frame.reformat(format="yuv420p", dst_colorspace=BT709, dst_color_range=LIMITED, interpolation=EXACT)
    frame.color_primaries = frame.color_trc = BT709
    return frame


def box_of(rgb: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the corners (y, x) of what differs, the second exclusive, on the grid of BLOCK; zeros if nothing does."""
    apart = cv2.absdiff(rgb, np.ascontiguousarray(before))
    rows = np.flatnonzero(apart.reshape(len(apart), -1).any(1))
    columns = np.flatnonzero(apart[rows[0] : rows[-1] + 1].any(0).any(-1)) if len(rows) else rows
    if not len(rows):
        return np.zeros((2, 2), int)
    return np.array([[rows[0], columns[0]], [rows[-1] + BLOCK, columns[-1] + BLOCK]]) // BLOCK * BLOCK


def samples(plane: Any) -> np.ndarray:
    """Return a view of a plane's bytes (h, w), with the padding of its rows; a frame made here may be written by it."""
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)


def alpha_of(frame: Any) -> np.ndarray | None:
    """Return a view of a frame's transparency, uint8 (H, W, bytes of a sample); None where it has none."""
    part = next((part for part in frame.format.components if part.is_alpha), None)
    if part is None:
        return None
    plane, size, own = frame.planes[part.plane], _bytes_of(frame.format, part.plane), (part.bits + 7) // 8
    start = 0 if frame.format.name in ALPHA_FIRST else size - own
    pixels = samples(plane)[: plane.height, : plane.width * size].reshape(plane.height, plane.width, size)
    return pixels[..., start : start + own]


def is_see_through(frame: Any) -> bool:
    """Return whether any pixel of a frame is less than opaque."""
    alpha = alpha_of(frame)
    if alpha is None:
        return False
    bits = next(part.bits for part in frame.format.components if part.is_alpha)
    values = np.ascontiguousarray(alpha).view("<u2" if alpha.shape[2] == 2 else np.uint8)
    return bool(values.min() < (1 << bits) - 1)


def _bytes_of(form: Any, plane: int) -> int:
    """Return how many bytes a pixel has in a plane."""
    parts = [part for part in form.components if part.plane == plane]
    if len({part.plane for part in form.components}) == 1:  # packed: a pixel may have bytes that nobody uses
        return int(form.padded_bits_per_pixel) // 8
    return sum((part.bits + 7) // 8 for part in parts)
