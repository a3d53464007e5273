"""What a clip's pictures are written as: what everybody plays, or what comes nearest to how they were."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.media.video.ffmpeg import ffmpeg

# Numbers of ITU-T H.273, which FFmpeg shares; the ranges are FFmpeg's own.
RGB, BT709, UNSPECIFIED = 0, 1, 2
LIMITED, FULL = 1, 2
NAMES = {"libx264": "H.264", "libx265": "H.265", "ffv1": "FFV1"}
LEAST = {"libx265": 16}
"""Pixels of a side below which an encoder takes no pictures."""
MOST = {"libx264": 16_384, "libx265": 16_888}
"""Pixels of a side above which it takes none: x264's own bound, and H.265's of level 6.2, which x265 does not mind."""


@dataclass(frozen=True)
class Target:
    """What pictures are written as."""

    codec: str  # FFmpeg's encoder
    form: str  # pixel format
    width: int
    height: int
    colorspace: int  # of YUV; RGB where it is none
    color_range: int
    color_primaries: int
    color_trc: int


def target_of(frame: Any, container: str, keep: bool) -> Target:
    """Return what a clip whose first av.VideoFrame is this is written as, in FFmpeg's "mp4" or "matroska".

    With `keep` as near to the frame as the container's codecs go; otherwise so that browsers and telephones play it:
    4:2:0 and even sides, H.264, or H.265 of ten bits where there are more than eight and it takes so small a picture.
    """
    deep = max(component.bits for component in frame.format.components) > 8
    width, height = frame.width, frame.height
    if keep:
        codec, form = _nearest(frame, container, deep)
    else:
        codec, form = (
            ("libx265", "yuv420p10le") if deep and _takes("libx265", width, height) else ("libx264", "yuv420p")
        )
        # a lone line or column has no other to share its colours with
        width, height = max(2, width // 2 * 2), max(2, height // 2 * 2)
    return Target(codec, form, width, height, *_colours(frame, form))


def check_sides(path: Path, codec: str, size: tuple[int, int], instead: str) -> None:
    """Raise InputError where an encoder takes no pictures so large; `instead` is what to do, in words."""
    most = MOST.get(codec, max(size))
    if max(size) > most:
        told = f"{size[0]}×{size[1]} is more than {NAMES[codec]} takes, {most:,} pixels a side"
        raise InputError(f"{path}: {told}; {instead}")


def loses(frame: Any, target: Target) -> bool:
    """Return whether the target's pixel format holds less of a frame's pixels, but for their transparency."""
    from av.codec.codec import PixFmtLoss, find_best_pix_fmt_of_list

    _, loss = find_best_pix_fmt_of_list([target.form], frame.format)
    return bool(loss & ~PixFmtLoss.ALPHA)


def _nearest(frame: Any, container: str, deep: bool) -> tuple[str, str]:
    """Return the encoder and the pixel format that lose least of a frame."""
    from av.codec.codec import PixFmtLoss, find_best_pix_fmt_of_list

    codecs = ("libx265", "libx264") if deep else ("libx264", "libx265")
    best: tuple[tuple[int, int], str, str] | None = None
    for rank, codec in enumerate((*codecs, "ffv1") if container == "matroska" else codecs):
        known = ffmpeg().Codec(codec, "w").video_formats if _takes(codec, frame.width, frame.height) else None
        forms = [form.name for form in known or [] if codec == "ffv1" or _plain(form, frame)]
        form, loss = find_best_pix_fmt_of_list(forms, frame.format, has_alpha=True)
        if form is None:
            continue
        # what is lost in order of how it hurts, in the bits of a number
        order = (PixFmtLoss.COLORSPACE, PixFmtLoss.RESOLUTION, PixFmtLoss.DEPTH, PixFmtLoss.ALPHA, PixFmtLoss.CHROMA)
        cost = sum(1 << k for k, kind in enumerate(order) if loss & kind)
        if best is None or (cost, rank) < best[0]:
            best = (cost, rank), codec, str(form.name)
    return best[1:] if best else ("libx264", "yuv420p")  # of a strip that is too wide or too thin for all


def _takes(codec: str, width: int, height: int) -> bool:
    """Return whether an encoder takes pictures of so many pixels."""
    return min(width, height) >= LEAST.get(codec, 1) and max(width, height) <= MOST.get(codec, max(width, height))


def _plain(form: Any, frame: Any) -> bool:
    """Return whether H.264 and H.265 take a format at a frame's size: not with alpha, nor an odd side halved."""
    even = ffmpeg().VideoFormat(form.name, 16, 16)
    halves = any(
        (part.width < 16 and frame.width % 2) or (part.height < 16 and frame.height % 2) for part in even.components
    )
    return not (halves or any(part.is_alpha for part in even.components))


def _colours(frame: Any, form: str) -> tuple[int, int, int, int]:
    """Return matrix, range, primaries and transfer of a frame that is written in the pixel format `form`."""
    matrix, kind = frame.colorspace, frame.format
    if len(kind.components) < 3:  # grey: FFmpeg takes it as 0 to 255, whatever the file says
        return UNSPECIFIED if matrix == RGB else matrix, FULL, frame.color_primaries, frame.color_trc
    if kind.is_rgb:
        stays = ffmpeg().VideoFormat(form).is_rgb
        matrix, reach = (RGB, FULL) if stays else (BT709, LIMITED)
        known = [BT709 if tag in (RGB, UNSPECIFIED) else tag for tag in (frame.color_primaries, frame.color_trc)]
        return matrix, reach, known[0], known[1]
    return matrix, frame.color_range, frame.color_primaries, frame.color_trc
