"""Finished parts of long evaluations: computed once, kept in a file, and taken from there when it is run again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.cache import Data
from mien.errors import InputError


def kept(path: Path, made_by: Mapping[str, Any], compute: Callable[[], Any]) -> Any:
    """Return what `path` keeps, or what `compute` gives, which is then kept; values that JSON can hold.

    `made_by` says all that the value depends on. Raises InputError where `path` keeps something made otherwise.
    """
    asked = json.loads(json.dumps(made_by))  # as it will be read again: tuples are lists
    if path.is_file():
        try:
            note = json.loads(path.read_text(encoding="utf-8"))
            before, value = note["made_by"], note["value"]
        except (ValueError, KeyError, TypeError) as error:
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


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` beside `path` and rename it, so that `path` is always whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def digest(data: Data, *rows: np.ndarray) -> str:
    """Return a hash of the data's file names, people and expressions, and of masks or row numbers."""
    m = data.manifest
    text = json.dumps([m.files, m.subject.tolist(), m.expression.tolist(), [r.tolist() for r in rows]])
    return hashlib.sha256(text.encode()).hexdigest()
