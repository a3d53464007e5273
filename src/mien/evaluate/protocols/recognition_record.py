"""Figures of recognition by folds: accuracy, macro-F1 and the model's lead, with intervals and tests over people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from mien.data.dataset import Data, digest
from mien.data.folds import FORM
from mien.evaluate.predictions import BASELINE, STAGE_1
from mien.evaluate.protocols.recognition import Findings, Regime, by_folds, nets_of, recipe_of
from mien.evaluate.record import data_facts, over_people, write_record
from mien.labels import CLASSES, au_columns
from mien.metrics.bootstrap import DRAWS, LEVEL, Interval
from mien.metrics.confusion import confusion, macro_f1
from mien.metrics.icc import agreements
from mien.metrics.significance import by_person, mcnemar, sign_permutation
from mien.models.io import fingerprint, load
from mien.models.registry import create
from mien.reading import read_json
from mien.training.settings import Progress
from mien.training.start import Training

QUESTIONS = ("expression", "person")


def by_recognition(
    data: Data,
    folder: Path,
    training: Training,
    regime: Regime | None = None,
    report: Callable[[str, Progress], None] = lambda fold, p: None,
) -> tuple[Findings, dict[str, Any]]:
    """Return what `by_folds` finds, and its figures; write recognition.json beside the folds and predictions."""
    findings = by_folds(data, folder, training, regime, report)
    return findings, write_recognition(findings, folder, data_facts(data))


def recognition_figures_of(
    found: pd.DataFrame, words: Sequence[str], draws: int = DRAWS, probes: pd.DataFrame | None = None
) -> dict[str, Any]:
    """Return figures of the predictions that `by_folds` gives: by model, and of the model less the other nets.

    Folds are pooled, so that every picture counts once; seeds are averaged; intervals are over people and seeds.
    models: name -> accuracy, macro_f1 (Interval each) and confusion (rows as shown, columns as named, in the order of
    `words`, counts over all seeds); with `probes` (`Findings`) of f(e) also probe, the expression, and leak, the
    person, as they name it; of a model that tells action units icc, ICC(3,1), their mean, and of each as AU01 …
    difference (from BASELINE), difference_stage_1: accuracy (Interval), permutation (p by person, of the mean over
    seeds), mcnemar (exact p by seed; it takes pictures as independent), leak (Interval). chance: of both probes.
    """
    number = {CLASSES.index(word): k for k, word in enumerate(words)}
    truth, guesses, people = _by_picture(found.assign(truth=found.truth.map(number), guess=found.guess.map(number)))
    seeds, named = sorted(set(found.seed)), Probed(probes, draws) if probes is not None and len(probes) else None
    models = {}
    for name, guess in guesses.items():
        figures = over_people(partial(_accuracy_and_f1, truth, guess, len(words)), people, draws, len(seeds))
        pooled = sum(confusion(truth, each, len(words)) for each in guess.T)
        models[name] = {**figures, "confusion": {"classes": list(words), "counts": pooled}}
        models[name] |= unit_intervals(found[found.model == name], people, draws)
        if named and name in named.people:
            models[name] |= {"probe": named.share("expression", name), "leak": named.share("person", name)}
    (model,) = guesses.keys() - {BASELINE, STAGE_1}
    right = {name: guess == truth[:, None] for name, guess in guesses.items()}

    def lead(other: str) -> dict[str, Any]:
        apart = right[model].astype(float) - right[other]
        pairs = zip(seeds, right[model].T, right[other].T, strict=True)
        found = over_people(lambda rows, runs: {"it": float(apart[rows][:, runs].mean())}, people, draws, len(seeds))
        leaks = {"leak": named.share("person", model, other)} if named and {model, other} <= named.people.keys() else {}
        return {
            "of": [model, other],
            "accuracy": found["it"],
            "permutation": sign_permutation(by_person(apart.mean(1), people).round(12)),
            "mcnemar": {str(seed): mcnemar(first, second) for seed, first, second in pairs},
        } | leaks

    leads = {"difference": lead(BASELINE)} | ({"difference_stage_1": lead(STAGE_1)} if STAGE_1 in right else {})
    return {"models": models, **leads} | ({"chance": named.chance()} if named else {})


class Probed:
    """What probes of f(e) name: one number a picture and seed, and weights by which all probes' folds count alike."""

    def __init__(self, probes: pd.DataFrame, draws: int):
        self.probes, self.draws, self.seeds = probes, draws, probes.seed.nunique()
        self.hits: dict[tuple[str, str], np.ndarray] = {}
        self.people: dict[str, np.ndarray] = {}
        for name, mine in probes.groupby("model", sort=False):
            for what in QUESTIONS:
                self.hits[what, str(name)] = self._pivoted(mine, what).astype(float)
            self.people[str(name)] = self._pivoted(mine, "subject")[:, 0].astype(str)

    def _pivoted(self, mine: pd.DataFrame, column: str) -> np.ndarray:
        return mine.pivot(index="file_name", columns="seed", values=column).sort_index(axis=1).to_numpy()

    def share(self, what: str, name: str, less: str = "") -> Interval:
        """Return how much of f(e) is named right, or by how much more than `less`'s."""
        mine = self.probes[self.probes.model == name]
        weight = self._pivoted(mine, f"{what}_weight")[:, 0].astype(float)
        right = self.hits[what, name] - (self.hits[what, less] if less else 0.0)

        def statistics(rows: np.ndarray, runs: np.ndarray) -> dict[str, float]:
            return {"it": float(np.average(right[rows][:, runs].mean(1), weights=weight[rows]))}

        return over_people(statistics, self.people[name], self.draws, self.seeds)["it"]

    def chance(self) -> dict[str, float]:
        """Return by question the share of the commonest answer, the mean over folds."""
        of = {"expression": "label", "person": "subject"}
        folds = [fold for _, fold in self.probes.groupby(["seed", "fold", "model"])]
        return {what: float(np.mean([f[of[what]].value_counts(normalize=True).max() for f in folds])) for what in of}


def unit_intervals(found: pd.DataFrame, people: np.ndarray, draws: int = DRAWS) -> dict[str, Interval]:
    """Return ICC(3,1) of the action units that a model estimates, averaged over seeds, and their mean, if it does.

    `people` says whose the pictures are, in the order of their file names. A unit whose labels do not vary in these
    pictures has none.
    """
    names = [name for name in au_columns() if name in found and found[f"{name}_true"].nunique() > 1]
    if not names or found[names].isna().all(axis=None):
        return {}
    parts = [some.sort_values("file_name") for _, some in found.groupby("seed")]
    estimates = np.stack([part[names].to_numpy(float) for part in parts])
    labels = np.stack([part[[f"{name}_true" for name in names]].to_numpy(float) for part in parts])

    def statistics(rows: np.ndarray, runs: np.ndarray) -> dict[str, float]:
        pairs = zip(labels[runs], estimates[runs], strict=True)
        icc = np.mean([agreements(label[rows], estimate[rows])[0] for label, estimate in pairs], axis=0)
        return {"icc": float(np.nanmean(icc))} | dict(zip(names, icc.tolist(), strict=True))

    return over_people(statistics, people, draws, len(parts))


def write_recognition(findings: Findings, folder: Path, about: Mapping[str, Any], draws: int = DRAWS) -> dict[str, Any]:
    """Write recognition.json to `folder`, beside the folds and predictions that it is about; return the figures.

    `about` is `data_facts`.
    """
    f, regime, training = findings, findings.regime, findings.training
    figures = recognition_figures_of(f.predictions, regime.words, draws, f.probes)
    dealt: dict[str, Any] = {}
    if regime.folds is not None:
        dealt = read_json(folder / "folds.json", "expected a folds file; evaluate anew", FORM)
    split = {
        "folds": dealt.get("k", 1), "official": regime.folds is None,
        "sha256": dealt.get("sha256") or digest(f.data, f.splits[0].train, f.splits[0].test),
    }  # fmt: skip
    if f.variants:
        split["variants"] = {"train": f.variants.train, "test": f.variants.test}
    start = fingerprint(load(str(training.start))) if training.start else None
    steps: dict[str, Any] = {"rule": "fixed beforehand; the last step is tested, never the best"}
    if regime.minutes:
        steps |= {"minutes_a_fold": regime.minutes, "of_the_asked": f.factor}
    write_record(
        folder / "recognition.json",
        {
            "protocol": "recognition", **about,
            "family": training.family, "preset": training.preset, "changes": training.changes,
            "precision": training.settings.precision,
            "start": {"sha256": start, "trained_on_others": regime.pretrain} if start else None,
            "classes": list(regime.words), "least_intensity": regime.least, "seeds": list(regime.seeds),
            "split": split, "steps": steps_of(training) | steps, "people_at_most": regime.people,
            "people": int(f.predictions.subject.nunique()), "pictures": int(f.predictions.file_name.nunique()),
            "interval": f"{LEVEL:.0%} percentile bootstrap over people and seeds",
            **figures,
        },
    )  # fmt: skip
    return figures


def _by_picture(found: pd.DataFrame) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Return truth (N,), each model's guesses (N, seeds) and whose picture each is (N,), names or file names."""
    table = found.pivot(index="file_name", columns=["model", "seed"], values="guess").sort_index(axis=1)
    first = found.drop_duplicates("file_name").set_index("file_name").loc[table.index]
    guesses = {name: table[name].to_numpy() for name in dict.fromkeys(found.model)}
    subject = first.subject.fillna("").to_numpy(str)
    return first.truth.to_numpy(), guesses, np.where(subject == "", first.index.to_numpy(str), subject)


def _accuracy_and_f1(
    truth: np.ndarray, guess: np.ndarray, count: int, rows: np.ndarray, runs: np.ndarray
) -> dict[str, float]:
    """Return accuracy and macro-F1 of some rows, each the mean over some runs; guess (N, seeds)."""
    matrices = [confusion(truth[rows], each, count) for each in guess[rows][:, runs].T]
    return {
        "accuracy": float(np.mean([np.trace(matrix) for matrix in matrices]) / len(rows)),
        "macro_f1": float(np.mean([macro_f1(matrix) for matrix in matrices])),
    }


def steps_of(training: Training) -> dict[str, int]:
    """Return how many steps each of the compared nets is trained for."""
    found = {}
    for name in nets_of(training):
        recipe = recipe_of(name, training)
        with torch.device("meta"):
            net = create(recipe.family, recipe.preset, **recipe.changes)
        found[name] = sum(stage.steps for stage in net.stages())
    return found
