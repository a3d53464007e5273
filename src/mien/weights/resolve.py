"""The file of a name, a path or a hub id."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.reading import article
from mien.weights.hub import from_hub
from mien.weights.index import INDEX, fetched, read_index, shelved
from mien.whole_numbers import whole_number

ZOO = Path(__file__).parent.parent / "zoo"  # the weights that come with the package
SUFFIX = ".safetensors"
CHECKPOINT = f"checkpoint{SUFFIX}"  # what a training run's folder holds
PIN = "@"  # between a name and a version, as in fields@2


OLD_NAMES = {"judge": "evaluator"}
"""What models and their weights were called once, in files that are there, and the name they have now."""


def resolve(name: str | os.PathLike[str]) -> Path:
    """Return the file of a path, a name of MIEN_ZOO's index or the package's, or a Hugging Face id ("owner/name").

    A name may be one of OLD_NAMES, and so may a file's. "fields@2" is its version 2 alone, as the index says, and
    "owner/name@revision" a branch, tag or commit on the hub. Raises InputError naming what there is if none fits.
    """
    name = as_name(name)
    if here := _here(name):
        return here
    word, pin, asked = name.partition(PIN)
    if word.count("/") == 1:
        return from_hub(word, f"model{SUFFIX}", asked or None)
    version = _version(name, asked) if pin else None
    names = [word, *(old if new == word else new for old, new in OLD_NAMES.items() if word in (old, new))]
    for known in names:
        if shelf := fetched(known, version):
            return shelf
    for known in names:
        if (ZOO / f"{known}{SUFFIX}").is_file() and version in (None, versions().get(known)):
            return ZOO / f"{known}{SUFFIX}"
    there = [f"{known}{PIN}{versions()[known]}" for known in names if known in versions()]
    if pin and there:
        raise InputError(f"no weights {name!r}: this mien brings {there[0]}; MIEN_ZOO may name a folder of others")
    raise InputError(f"no weights named {word!r}; there are {', '.join(zoo()) or 'none'}, or give a path")


def as_name(given: Any) -> str:
    """Return what names a model, as text; it may be a path. Raises InputError for anything else."""
    if isinstance(given, str | os.PathLike):
        return os.fspath(given)
    raise InputError(f"expected a model's name, as 'fields', its file, folder or hub id; got {article(given)}")


def check_name(name: str) -> None:
    """Raise InputError where `resolve` finds no file; the hub is not asked yet."""
    here = _here(name)
    if here is not None and not here.is_file():
        raise InputError(f"{here}: there is no such file; expected weights")
    if here is None and name.partition(PIN)[0].count("/") != 1:
        resolve(name)


def _here(name: str) -> Path | None:
    """Return the file of a path, None for what is none."""
    path = Path(name)
    for held in (f"model{SUFFIX}", CHECKPOINT):
        if (path / held).is_file():
            return path / held
    return path if path.suffix == SUFFIX or path.is_file() else None


def zoo() -> list[str]:
    """Return the names of the weights that come with the package, and of those that MIEN_ZOO adds."""
    return sorted({path.stem for path in ZOO.glob(f"*{SUFFIX}")} | set(shelved()))


def versions() -> dict[str, int]:
    """Return the versions of the weights that come with the package, by name."""
    return {name: entry["version"] for name, entry in read_index(ZOO / INDEX).items() if "version" in entry}


def _version(name: str, asked: str) -> int:
    if (number := whole_number(asked)) is None:
        raise InputError(f"{name!r}: expected a whole number after {PIN}, as fields{PIN}2; docs/weights.md lists them")
    return number
