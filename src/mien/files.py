"""Files that are written whole or not at all, and results that are computed once and kept."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mien.errors import InputError


def check_place(path: Path) -> None:
    """Raise InputError where no file can be written: a folder in the place, or no folder to write into."""
    if path.is_dir():
        raise InputError(f"{path}: a folder stands in the place of the output; give a file name inside it")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it first")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to, which takes the place of `path` if all goes well and vanishes if not.

    So `path` is always whole, and a link to it stays a link; its folder is made. Raises InputError where the disk
    refuses (no room, no permission); what was at `path` before then still is.
    """
    target = path.resolve()
    # Threads of all processes have different numbers, so none writes to another's file.
    beside = target.with_name(f".{target.name}.{threading.get_native_id()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield beside
            with beside.open("rb") as file:
                os.fsync(file.fileno())  # a full disk may show only here
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        reason = f"cannot be written ({error.strerror or error})"
        raise InputError(f"{path}: {reason}; nothing was changed, free space or choose another place") from error


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file whole or not at all; text in UTF-8. Raises InputError as `whole` does."""
    with whole(path) as beside:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as JSON, whole or not at all. Raises InputError as `whole` does."""
    write_whole(path, json.dumps(content, indent=1) + "\n")


def kept(path: Path, made_by: Mapping[str, Any], compute: Callable[[], Any]) -> Any:
    """Return what `path` keeps, or what `compute` gives, which is then kept; values that JSON can hold.

    `made_by` says all that the value depends on. Raises InputError where `path` keeps something made otherwise.
    """
    asked = json.loads(json.dumps(made_by))  # as it will be read again: tuples are lists
    if path.is_file():
        try:
            note = json.loads(path.read_text(encoding="utf-8"))
            before, value = note["made_by"], note["value"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(f"{path}: is not a part that this evaluation kept; remove it, then go on") from error
        if before != asked:
            changed = sorted(k for k in {*before, *asked} if before.get(k) != asked.get(k))
            raise InputError(
                f"{path}: was made with other data or settings ({', '.join(changed)} differ); choose another folder"
            )
        return value
    value = compute()
    write_json(path, {"made_by": asked, "value": value})
    return json.loads(path.read_text(encoding="utf-8"))["value"]  # the same whether computed now or before


def claim(folder: Path, made_by: Mapping[str, Any]) -> None:
    """Mark `folder` as made by this, so that nothing made otherwise is ever taken for it.

    Raises InputError where it was marked differently before.
    """
    kept(folder / "made_by.json", made_by, lambda: None)
