"""The files that are read: pictures and clips, by themselves and in folders."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.media.picture import PICTURES
from mien.media.video.ffmpeg import is_clip
from mien.reading import as_path

log = logging.getLogger(__name__)


def files_in(paths: Sequence[str | Path] | str | Path) -> list[Path]:
    """Return the files among `paths`, and every picture and clip in the folders among them, by name.

    Raises InputError for a folder without either.
    """
    return [file for path in _each(paths) for file in _files(path, clips=True)]


def pictures(paths: Sequence[str | Path] | str | Path) -> list[Path]:
    """Return the files among `paths`, and every picture in the folders among them, by name.

    Raises InputError for a folder without pictures; clips in folders are passed over, which is said.
    """
    files: list[Path] = []
    for path in _each(paths):
        files += _files(path, clips=False)
        for clip in filter(is_clip, sorted(path.rglob("*")) if path.is_dir() else ()):
            log.warning("%s: a clip among pictures is passed over", clip)
    return files


def _each(paths: Any) -> list[Path]:
    several = isinstance(paths, Iterable) and not isinstance(paths, str) and not hasattr(paths, "read")
    return [as_path(path, "face.jpg") for path in (paths if several else [paths])]


def _files(path: Path, clips: bool) -> list[Path]:
    if not path.is_dir():
        return [path]
    inside = sorted(path.rglob("*"))
    found = [p for p in inside if p.suffix.lower() in PICTURES or (clips and is_clip(p))]
    if not found:
        count = sum(map(is_clip, inside))
        what = f"no picture but {count} clips" if count else "no picture" + " and no clip" * clips
        raise InputError(f"{path}: the folder holds {what} ({', '.join(sorted(PICTURES))})")
    return found
