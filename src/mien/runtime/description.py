"""What an exported model says of itself: a JSON file beside its graphs and its weights (docs/export.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.reading import read_json, sha256_of
from mien.weights.resolve import ZOO, resolve

FINER = 2
"""Times the side of a crop that the paint has, for photographs in which a face is larger: teeth are sharp at any."""

ANGLE = 30.0
"""Degrees that count 1 in a face's code."""

FORMATS = ("onnx", "openvino")
SCHEMA = 1
EXPECTED = "expected what `mien export` wrote"
PLACE = {"name": str, "shape": list}
FORM = {
    "schema": int,
    "model": str,
    "paper": str,
    "size": int,
    "rounds": int,
    "abilities": [str],
    "edits_by": [str],
    "units": [int],
    "classes": [str],
    "weights": {"file": str, "sha256": str, "fingerprint": str},
    "graphs": {"*": {"file": str, "inputs": [PLACE], "outputs": [PLACE]}},
}


@dataclass(frozen=True)
class Description:
    """An exported model: where its files are, and what it can be asked for."""

    folder: Path
    form: str  # of FORMATS
    facts: Mapping[str, Any]  # as FORM has them

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.facts["model"])

    def graph(self, name: str) -> Path:
        """Return the file of a use. Raises InputError where it was not exported."""
        graphs = self.facts["graphs"]
        if name not in graphs:
            raise InputError(
                f"{self.name}: its {name!r} was not exported as {self.form}; there are {', '.join(graphs)}"
            )
        return self.file(graphs[name]["file"])

    def file(self, name: str) -> Path:
        """Return one of its files, which all lie beside each other. Raises InputError for any other place."""
        if Path(name).name != name:
            raise InputError(f"{self.folder}: names the file {name!r}, which is not in this folder; {EXPECTED}")
        return self.folder / name

    def outputs(self, graph: str) -> tuple[str, ...]:
        """Return what a use gives."""
        return tuple(output["name"] for output in self.facts["graphs"][graph]["outputs"])

    def fits(self) -> bool:
        """Whether the weights beside it are those that were exported."""
        weights = self.facts["weights"]
        path = self.file(weights["file"])
        return path.is_file() and sha256_of(path, EXPECTED) == weights["sha256"]


def description_of(path: Path, form: str) -> Path:
    """Return where the description of weights stands."""
    return path.with_name(f"{path.stem}.{form}.json")


def read_description(path: Path, form: str) -> Description:
    """Return a description. Raises InputError for what is none, and for one of a later version."""
    facts = read_json(path, EXPECTED, FORM)
    if facts["schema"] != SCHEMA:
        raise InputError(f"{path}: is of form {facts['schema']}, this version reads {SCHEMA}; export the model again")
    return Description(path.parent, form, facts)


def find_description(model: str, form: str) -> Description | None:
    """Return the description of a name, weights or a folder; None where it was not exported in that form."""
    folder = Path(model)
    if folder.is_dir() and (there := sorted(folder.glob(f"*.{form}.json"))):
        if len(there) > 1:
            raise InputError(f"{model}: holds several exported models; name one, as {there[0].stem.split('.')[0]}")
        return read_description(there[0], form)
    if folder.name.endswith(f".{form}.json"):
        return read_description(folder, form)
    path = description_of(resolve(model), form)
    return read_description(path, form) if path.is_file() else None


def shipped() -> Iterator[Description]:
    """Yield the exported models that come with the package."""
    for path in sorted(ZOO.glob("*.onnx.json")):
        yield read_description(path, "onnx")
