"""PyAV, which brings FFmpeg: there or not, and its errors in one line about a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from mien.errors import InputError

# swscale's bicubic | accurate_rnd | full_chroma_int: by default 4:2:0 comes out 1.3 levels too dark and goes back so,
# with these a smooth picture goes to RGB and back to the very samples.
EXACT = 0x4 | 0x40000 | 0x2000
CLIPS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi")


def is_clip(path: Path) -> bool:
    """Whether a file's name is a clip's."""
    return path.suffix.lower() in CLIPS


def ffmpeg() -> ModuleType:
    """PyAV. Raises InputError where it is not installed."""
    try:
        import av
    except ModuleNotFoundError as error:
        raise InputError("clips need the package av; pip install 'mien[video]'") from error
    return av


@contextmanager
def told(path: Path, what: str) -> Iterator[None]:
    """Make FFmpeg's errors an InputError."""
    av = ffmpeg()
    try:
        yield
    except av.FFmpegError as error:
        raise InputError(f"{path}: {what} ({error.strerror})") from error
