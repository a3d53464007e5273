"""Tensors on disk: safetensors with a JSON header; never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from mien.errors import InputError
from mien.files import write_whole
from mien.reading import opened, parse_json
from mien.weights.resolve import OLD_NAMES, SUFFIX

HEADER = "mien"  # the one key of the safetensors metadata; its value is JSON
FORM = {"family": str, "config": dict}
"""What it says at least."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write a safetensors file whole or not at all; its folder is made.

    Raises InputError if it cannot be written (a full disk, no permission); the file at `path` then stays as it was.
    """
    data = save({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, {HEADER: json.dumps(header)})
    write_whole(path, data)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and the header of a file written here, its "family" under the name it has now.

    Raises InputError for any other file.
    """
    expected = f"expected weights that mien wrote, ending in {SUFFIX}"
    with opened(path, expected):
        pass  # not a pipe, which would be waited for
    try:
        with safe_open(path, framework="pt") as file:
            note = (file.metadata() or {}).get(HEADER)
            if note is None:
                raise InputError(f"{path}: holds weights of another program; expected a file that mien wrote")
            header = parse_json(note, f"{path}: its note", expected, FORM)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    except InputError:
        raise
    except Exception as error:  # what the library and torch raise for shapes and kinds that there are not
        raise InputError(f"{path}: not a whole safetensors file ({error}); copy or train it again") from error
    return tensors, header | {"family": OLD_NAMES.get(header["family"], header["family"])}
