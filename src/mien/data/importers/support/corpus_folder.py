"""Folders of a corpus: files in the order of their numbers, and the error for a folder that is laid out otherwise."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mien.errors import InputError
from mien.media.photo import PICTURES


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Return a key by which frame 9 stands before frame 10."""
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.split(r"([0-9]+)", str(path)) if p]


def pictures(folder: Path, below: bool = False) -> list[Path]:
    """Return the image files of a folder, with `below` of the folders in it too; not the hidden ones."""
    if not below:
        found = list(folder.iterdir())
    else:
        found = [Path(at) / name for at, _, names in os.walk(folder) for name in names]
    return sorted((p for p in found if p.suffix.lower() in PICTURES and not p.name.startswith(".")), key=natural)


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
    """Return a small text file; raises InputError where it cannot be read as text."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); copy it again") from error


def number(path: Path) -> int | None:
    """Return the last number in a file's name, as 17 of S010_004_00000017.png; None where there is none."""
    digits = re.findall(r"[0-9]+", path.stem)
    return int(digits[-1]) if digits else None


def stem(path: Path, root: Path) -> str:
    """Return a file's path inside `root` without its suffix, with forward slashes."""
    return path.relative_to(root).with_suffix("").as_posix()
