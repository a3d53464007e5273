"""The file of a name, a path or a hub id."""

from __future__ import annotations

from pathlib import Path

from mien.errors import InputError
from mien.weights.hub import from_hub
from mien.weights.index import fetched, shelved

ZOO = Path(__file__).parent.parent / "zoo"  # the weights that come with the package
SUFFIX = ".safetensors"
CHECKPOINT = f"checkpoint{SUFFIX}"  # what a training run's folder holds


OLD_NAMES = {"judge": "evaluator"}
"""What models and their weights were called once, in files that are there, and the name they have now."""


def resolve(name: str) -> Path:
    """Return the file of a path, a name of MIEN_ZOO's index or the package's, or a Hugging Face id ("owner/name").

    A name may be one of OLD_NAMES, and so may a file's.
    Raises InputError naming what there is if none of them fits.
    """
    path = Path(name)
    for held in (f"model{SUFFIX}", CHECKPOINT):
        if (path / held).is_file():
            return path / held
    if path.suffix == SUFFIX or path.is_file():
        return path
    names = [name, *(old if new == name else new for old, new in OLD_NAMES.items() if name in (old, new))]
    for known in names:
        if shelf := fetched(known):
            return shelf
    for known in names:
        if (ZOO / f"{known}{SUFFIX}").is_file():
            return ZOO / f"{known}{SUFFIX}"
    if name.count("/") == 1:
        return from_hub(name, f"model{SUFFIX}")
    raise InputError(f"no weights named {name!r}; there are {', '.join(zoo()) or 'none'}, or give a path")


def zoo() -> list[str]:
    """Return the names of the weights that come with the package, and of those that MIEN_ZOO adds."""
    return sorted({path.stem for path in ZOO.glob(f"*{SUFFIX}")} | set(shelved()))
