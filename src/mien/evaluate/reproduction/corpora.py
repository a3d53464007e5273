"""Which corpus a data folder is, and what data can show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mien.data.importing import RECORD
from mien.data.manifest import Manifest
from mien.data.same_people import read_declaration
from mien.data.sets import Sets
from mien.errors import InputError
from mien.evaluate.reproduction.experiment import CORPORA, Experiment
from mien.metrics.gaze import side_of
from mien.reading import read_json

FRONTAL = 10.0
"""Degrees of yaw up to which a face counts as seen from the front."""


ALSO = {"ck+": ("ck48",)}
"""A corpus -> others that hold the same pictures."""


def corpus_of(folder: Path) -> str:
    """Return the importer's name of the corpus that a folder was imported from, "" where it was not."""
    try:
        record = read_json(folder / RECORD, "expected an import's record", {"order": {"corpus": str}})
        return str(record["order"]["corpus"])
    except InputError:
        return ""


def regime_of(folders: Sequence[Path]) -> str:
    """Return what data are called in a row: corpora by their names, others by their people's word or folder's name."""
    words = []
    for folder in folders:
        corpus = corpus_of(folder)
        words.append(CORPORA.get(corpus) or read_declaration(folder)[0] or folder.resolve().name)
    return " + ".join(dict.fromkeys(words))


def chosen(experiment: Experiment, sets: Sets) -> tuple[Sets, bool]:
    """Return the data of an experiment: the folders of its corpus, else all; and whether they are the corpus."""
    names = {experiment.corpus, *ALSO.get(experiment.corpus, ())} - {""}
    own = tuple(folder for folder in sets.folders if corpus_of(folder) in names)
    return (replace(sets, folders=own), True) if own else (sets, not experiment.corpus)


def _varied(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    return bool(len(known)) and bool(np.ptp(known) > 0)


NEEDS: dict[str, tuple[str, Callable[[Manifest], bool]]] = {
    "aus": ("action units", lambda m: any(_varied(of) for of in m.aus.T)),
    "gaze": ("averted gaze", lambda m: {0, 2} <= set(side_of(m.gaze_x).tolist())),
    "poses": ("turned heads", lambda m: bool((np.abs(np.nan_to_num(m.yaw)) > FRONTAL).any())),
    "split": ("a split of its own", lambda m: bool((m.split == "train").any())),
}
"""What data may have to show: in words, and whether a manifest does."""


def lacking(experiment: Experiment, manifest: Manifest) -> list[str]:
    """Return in words what an experiment needs and data do not show."""
    return [NEEDS[need][0] for need in experiment.needs if not NEEDS[need][1](manifest)]
