"""Whose pictures are read by whom: people who were never trained on, and folds of those who else were."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from mien.data.dataset import Data, digest
from mien.data.folds import GIVEN, splits
from mien.data.sets import Sets
from mien.errors import InputError
from mien.evaluate.evaluators.base import Evaluator
from mien.evaluate.evaluators.networks import NetEvaluator
from mien.evaluate.reading.seen import Share
from mien.files import claim
from mien.models.io import fingerprint, load
from mien.training.settings import Progress
from mien.training.start import Training, train_to_end


@dataclass(frozen=True)
class Fold:
    """People left out together: numbers of the data's rows to train on, and of theirs."""

    name: str
    train: np.ndarray
    test: np.ndarray


def unseen_rows(sets: Sets, data: Data, all_people: bool = False) -> np.ndarray:
    """Return the rows (N,) bool that no one is trained on: those marked test, all of a folder in which nobody is."""
    m = data.manifest
    if all_people:
        return np.ones(len(m), bool)
    unseen = m.test.copy()
    for folder in sets.folders:
        above = f"{folder.resolve()}{os.sep}"
        inside = np.array([f"{m.folder / file}".startswith(above) for file in m.files], bool)
        if not m.test[inside].any():
            unseen |= inside
    return unseen


def of_kind(data: Data, kind: str) -> np.ndarray:
    """Return the rows (N,) bool of a kind, real or rendered, or all. Raises InputError where there are none."""
    found = np.ones(len(data), bool) if kind == "all" else data.manifest.kind == kind
    if not found.any():
        raise InputError(f"--kind {kind}: no picture of {data.manifest.folder} has it in column kind; take --kind all")
    return found


def folds_of(data: Data, folds: int | str | Path, folder: Path, parts: int = 3) -> list[Fold]:
    """Return folds of people who are not marked test; their numbers are those of `data`.

    Of GIVEN folds, as the column has them, those whose numbers leave the same modulo `parts` are one. They are kept in
    `folder`/folds.json. Raises InputError as `mien.data.folds.splits` does.
    """
    m = data.manifest
    rows = np.flatnonzero(~m.test & (m.subject >= 0))
    known = data.select(rows)
    if folds == GIVEN:
        dealt = known.manifest.fold
        known = replace(known, manifest=replace(known.manifest, fold=np.where(dealt >= 0, dealt % parts, dealt)))
    return [Fold(s.name, rows[s.train], rows[s.test]) for s in splits(known, folds, 0, folder)]


def run_shares(folds: Sequence[Fold], runs: Mapping[str, str], measured: np.ndarray) -> list[Share]:
    """Return every fold's rows among `measured` (N,) bool, read by the run that was trained without it.

    Raises InputError where a fold has no run, or a run no fold.
    """
    names = [fold.name for fold in folds]
    if odd := sorted({*runs} ^ {*names}):
        raise InputError(f"--run-of-fold {odd[0]}=…: expected one for each of the folds {', '.join(names)}")
    nets = {name: NetEvaluator(load(run), run) for name, run in runs.items()}
    return [Share(fold.test[measured[fold.test]], nets[fold.name], fold.name) for fold in folds]


def trained_shares(
    data: Data,
    folds: Sequence[Fold],
    training: Training,
    folder: Path,
    measured: np.ndarray,
    report: Callable[[str, Progress], None] = lambda fold, p: None,
) -> list[Share]:
    """Return every fold's rows among `measured`, read by a model that is trained on its other rows in `folder`/fold_….

    `data` are at the size the model learns from. What is finished is not trained again. Raises InputError where a
    folder holds a training of other data or settings.
    """
    found, t = [], training
    start = fingerprint(load(str(t.start))) if t.start else None
    for fold in folds:
        place = folder / f"fold_{fold.name}"
        made_by = {
            "family": t.family, "preset": t.preset, "changes": dict(t.changes), "seed": t.settings.seed,
            "precision": t.settings.precision, "start": start, "rows": digest(data, fold.train),
        }  # fmt: skip
        claim(place, made_by)
        model = train_to_end(training, data.select(fold.train), place, partial(report, fold.name))
        found.append(Share(fold.test[measured[fold.test]], NetEvaluator(model, t.family), fold.name))
    return found


def unseen_share(data: Data, evaluator: Evaluator, unseen: np.ndarray, measured: np.ndarray) -> Share:
    """Return the rows, both (N,) bool, that are read by one evaluator. Raises InputError where there are none."""
    rows = np.flatnonzero(unseen & measured)
    if not len(rows):
        raise InputError(
            f"{data.manifest.folder}: nobody who is marked test has such pictures; take everybody with --all-people, "
            "or another --kind"
        )
    return Share(rows, evaluator)
