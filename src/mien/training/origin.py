"""Where a run is from: the data, the code and the command, as run.json keeps them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import mien
from mien.about import versions
from mien.data.dataset import Data, labels_digest
from mien.data.sets import Sets
from mien.data.shards import Shards
from mien.errors import InputError
from mien.reading import read_json

_EXPECTED = "expected the run.json that a training wrote; restore it, or begin in another folder"


def origin(sets: Sets, data: Data | Shards) -> dict[str, Any]:
    """Return what run.json says of a training's data, and of the code and the command that read them."""
    found = {
        "data": [str(folder.resolve()) for folder in sets.folders],
        "pictures": len(data),
        "people": len(data.manifest.subjects),
        "digest": labels_digest(data.manifest),
        "command": shlex.join(["mien", *sys.argv[1:]]),
        "versions": versions(),
    }
    return found | ({"commit": commit} if (commit := checkout()) else {})


def checkout() -> str:
    """Return the commit of the checkout that mien is run from, with "+" where files differ; "" of an installed one."""
    root = Path(mien.__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        asked = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]
        return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def check_same_data(note: Path, now: dict[str, Any]) -> None:
    """Raise InputError where a run was begun with other pictures or labels; one that does not say so passes."""
    if "digest" not in now or not note.is_file():
        return
    before = read_json(note, _EXPECTED, {"*": object})
    if before.get("digest", now["digest"]) == now["digest"]:
        return
    was = ", ".join(map(str, before.get("data", ()))) or "other data"
    raise InputError(
        f"{note.parent}: was begun on {before.get('pictures')} pictures of {was}, and is now given {now['pictures']} "
        f"others or other labels; give the same --data to go on, or begin in another folder with --start {note.parent}"
    )
