"""PyAV, which brings FFmpeg: there or not, and its errors in one line about a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from mien.errors import InputError, missing

# swscale's bicubic | accurate_rnd | full_chroma_int. By its default 4:2:0 becomes 1.3 grey levels too dark on the way
# to RGB, and again on the way back; with these a smooth picture comes back sample for sample.
EXACT = 0x4 | 0x40000 | 0x2000
CLIPS = (
    *(".avi", ".mp4", ".mov", ".mkv", ".m4v", ".webm", ".mpg", ".mpeg", ".vob", ".ts", ".mts", ".m2ts"),
    *(".3gp", ".3g2", ".wmv", ".asf", ".flv", ".f4v", ".ogv"),
)
"""Suffixes of the clips that are read."""
ANIMATIONS = (".gif", ".png", ".apng", ".webp")
"""Suffixes of pictures that may move."""


def is_clip(path: Path) -> bool:
    """Return whether a file's name is a clip's."""
    return path.suffix.lower() in CLIPS


def ffmpeg() -> ModuleType:
    """Return PyAV. Raises InputError where it is not installed."""
    try:
        import av
    except ModuleNotFoundError as error:
        raise missing("a clip", error) from error
    return av


def address(path: Path) -> str:
    """Return what FFmpeg opens a file by: a name alone it would take for an address if a colon stands in it."""
    return f"file:{path}"


@contextmanager
def ffmpeg_errors(path: Path, what: str) -> Iterator[None]:
    """Make errors of FFmpeg an InputError: `what` is wrong with the file at `path`, and why."""
    av = ffmpeg()
    try:
        yield
    except av.FFmpegError as error:
        raise InputError(f"{path}: {what} ({error.strerror})") from error
