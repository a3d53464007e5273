"""What the verbs of `mien evaluate` leave in the folder of `-o`: a result replaces that verb's own and nothing else."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from mien.errors import InputError
from mien.files import check_folder, check_json, write_json
from mien.reading import read_json

NOTE = "results.json"
"""The note in such a folder: {"schema": 1, "written": {verb: [file]}}."""

RESULTS = {
    "ablation": ("ablation.csv",),
    "augmentation": ("augmentation.csv", "augmentation.json"),
    "compare": ("comparison.csv", "aus.csv", "trials.csv", "comparison.png"),
    "disentanglement": ("disentanglement.csv", "disentanglement.json", "probes.csv", "tsne.png"),
    "frechet": ("frechet.csv", "frechet.json"),
    "gallery": tuple(f"{page}.png" for page in ("transfer", "swap", "edit", "neutralize", "aus", "elements", "invent")),
    "gaze": ("gaze.csv", "gaze.json"),
    "identity": ("identity.csv", "identity.json"),
    "intensity": ("intensity.csv", "intensity.json", "intensity_generated.png", "intensity_composited.png"),
    "reading": ("readings.csv", "reading.json", "confusion.png", "reliability.png", "robustness.csv", "robustness.png"),
    "recognition": ("predictions.csv", "confusion.png", "recognition.json", "folds.csv"),
    "retrieval": ("retrieval.csv", "retrieval.json", "retrieval.png"),
    "transfer": (
        *("transfer.csv", "transfer.json", "trials.csv"),
        *("transfer_all.csv", "transfer_strong.csv", "transfer_by_expression.csv"),
    ),
}
"""The files of each verb; tests compare them with what the protocols write."""

_FORM = {"schema": int, "written": {"*": [str]}}
_EXPECTED = "expected a note of what mien evaluate wrote; remove it, or choose another folder"


def results_folder(path: Path, verb: str, at_end: Callable[[Callable[[], None]], object]) -> Path:
    """Return a folder that a verb may write its results into; when the verb ends, they are noted there.

    `at_end` is given what is to be called then.

    Raises InputError, before any work, where one of them would replace a file that this verb did not write.
    """
    check_folder(path)
    if os.path.lexists(path / NOTE):
        check_json(path / NOTE, "schema", "written")
    ours = _written(path).get(verb, [])
    for name in RESULTS[verb]:
        if os.path.lexists(path / name) and name not in ours and not _is_record(path / f"{verb}.json", verb):
            what = f"was not written by mien evaluate {verb}, and would be replaced"
            raise InputError(f"{path / name}: {what}; choose another folder, or move it")
    at_end(partial(_note, path, verb))
    return path


def _written(folder: Path) -> dict[str, list[str]]:
    place = folder / NOTE
    return dict(read_json(place, _EXPECTED, _FORM)["written"]) if place.is_file() else {}


def _is_record(path: Path, protocol: str) -> bool:
    """Whether a file is a protocol's record, which says so itself; the verb's other files are then its own too."""
    with contextlib.suppress(InputError):
        return bool(read_json(path, "", {"protocol": str})["protocol"] == protocol)
    return False


def _note(folder: Path, verb: str) -> None:
    """Note which of a verb's files are there, none of which was there before it or was its own."""
    there = sorted(name for name in RESULTS[verb] if (folder / name).is_file())
    with contextlib.suppress(InputError):  # a full disk: there is an error already
        before = _written(folder)
        if there and before.get(verb) != there:
            write_json(folder / NOTE, {"schema": 1, "written": {**before, verb: there}})
