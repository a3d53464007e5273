"""Folders of a corpus: files in the order of their numbers, and the error for a folder that is laid out otherwise."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mien import reading
from mien.errors import InputError
from mien.media.picture import PICTURES
from mien.media.video.ffmpeg import CLIPS
from mien.whole_numbers import whole_number


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Return a key by which frame 9 stands before frame 10."""
    return [(1, 0, p) if (n := whole_number(p)) is None else (0, n, "") for p in re.split(r"([0-9]+)", str(path)) if p]


def pictures(folder: Path, below: bool = False) -> list[Path]:
    """Return the image files of a folder, with `below` of the folders in it too; not the hidden ones."""
    if not below:
        found = list(folder.iterdir())
    else:
        found = [Path(at) / name for at, _, names in os.walk(folder) for name in names]
    return sorted((p for p in found if p.suffix.lower() in PICTURES and not p.name.startswith(".")), key=natural)


def clips(folder: Path) -> list[Path]:
    """Return the clips of a folder and of the folders in it."""
    found = (Path(at) / name for at, _, names in os.walk(folder) for name in names)
    return sorted((p for p in found if p.suffix.lower() in CLIPS and not p.name.startswith(".")), key=natural)


def folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, not the hidden ones."""
    return sorted((p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")), key=natural)


def wrong_layout(root: Path, missing: str, expects: str) -> InputError:
    """Return the one line for a ROOT that is not laid out as its corpus is."""
    return InputError(f"{root}: no {missing}; expected {expects}")


def first_of(root: Path, *names: str) -> Path | None:
    """Return the first of several files or folders of `root` that is there; "" stands for `root`."""
    return next((root / name for name in names if (root / name).exists()), None)


def need(root: Path, expects: str, *names: str) -> Path:
    """Return the first of several files or folders of `root` that is there. Raises InputError where none is."""
    found = first_of(root, *names)
    if found is None:
        raise wrong_layout(root, names[0], expects)
    return found


def read_text(path: Path) -> str:
    """Return a small text file; raises InputError where there is none to be read."""
    return reading.read_text(path, "expected a corpus' text file; copy it again", strict=False)


def inside(root: Path, name: str, at: Path | None = None) -> Path | None:
    """Return the file that a table names, relative to `at` (`root` by default); None where it is not there.

    Nor is a path outside `root` that the words lead to, by `..` or from the top; links that were put into the corpus'
    folder are followed. This is the only way from a table's words to a file.
    """
    top = root.absolute()
    try:
        path = Path(os.path.normpath((at or root).absolute() / name.replace("\\", "/")))
        good = path.is_relative_to(os.path.normpath(top)) and path.is_file()
    except (OSError, ValueError):  # too long, a NUL in it
        return None
    return root / path.relative_to(os.path.normpath(top)) if good else None


def number(path: Path) -> int | None:
    """Return the last number in a file's name, as 17 of S010_004_00000017.png; None where there is none."""
    digits = re.findall(r"[0-9]+", path.stem)
    return int(digits[-1]) if digits else None


def stem(path: Path, root: Path) -> str:
    """Return a file's path inside `root` without its suffix, with forward slashes."""
    return path.relative_to(root).with_suffix("").as_posix()
