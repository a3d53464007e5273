"""An index of weights: names, files, checksums and versions, in a folder or on the Hugging Face hub.

One lies beside the package's own weights. Of others `mien zoo` writes such a folder, and the environment variable
MIEN_ZOO names it, or a hub id that holds the same files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.reading import read_json, sha256_of
from mien.weights.hub import from_hub

VARIABLE = "MIEN_ZOO"
INDEX = "index.json"  # {name: {"file": …, "sha256": …, "bytes": …, "version": …}}, the version where there are several
FORM = {"*": {"file": str, "sha256": str}}
"""What is needed of it."""


def index_of(files: Iterable[Path]) -> dict[str, dict[str, str | int]]:
    """Return the index of weights that lie side by side, each named by its stem."""
    return {
        path.stem: {"file": path.name, "sha256": _sum(path), "bytes": path.stat().st_size} for path in sorted(files)
    }


def shelved() -> list[str]:
    """Return the names in the index that MIEN_ZOO points to; none without it. Raises InputError for a bad index."""
    place = os.environ.get(VARIABLE, "")
    return sorted(_index(place)) if place else []


def with_versions(
    now: Mapping[str, Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Return an index in which weights that differ from those before have the next version, and new ones the first."""
    found = {}
    for name, entry in now.items():
        old = before.get(name, {"version": 0})
        found[name] = {**entry, "version": old["version"] + (entry["sha256"] != old.get("sha256"))}
    return found


def fetched(name: str, version: int | None = None) -> Path | None:
    """Return the file of a name in MIEN_ZOO's index, whose checksum was looked at; None where it has no such version.

    Raises InputError where the index or the file is missing or not what the index says.
    """
    place = os.environ.get(VARIABLE, "")
    entry = _index(place).get(name) if place else None
    if entry is None or (version is not None and version != entry.get("version")):
        return None
    path = _file(place, entry["file"])
    if _sum(path) != entry["sha256"]:
        raise InputError(f"{path}: its SHA-256 is not the index's; it is damaged or another edition: fetch it again")
    return path


def read_index(path: Path) -> dict[str, dict[str, Any]]:
    """Return what an index says of weights, by name. Raises InputError where it is missing or none."""
    found = read_json(path, f"expected an index of weights; {VARIABLE} is to name what `mien zoo` wrote", FORM)
    known = (*FORM["*"], "version")
    return {name: {key: entry[key] for key in known if key in entry} for name, entry in found.items()}


def _index(place: str) -> dict[str, dict[str, Any]]:
    return read_index(_file(place, INDEX))


def _file(place: str, name: str) -> Path:
    folder = Path(place).expanduser()
    if folder.is_dir() or place.count("/") != 1 or place.startswith(("/", ".", "~")):
        return folder / name
    return from_hub(place, name)


def _sum(path: Path) -> str:
    return sha256_of(path, "the index names it; fetch it again")
