"""Figures of recognition by folds: accuracy, macro-F1 and the model's lead, with intervals and tests over people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from mien.data.folds import FORM
from mien.evaluate.predictions import BASELINE
from mien.evaluate.record import over_people, write_record
from mien.labels import CLASSES, au_columns
from mien.metrics.bootstrap import DRAWS, Interval
from mien.metrics.confusion import confusion, macro_f1
from mien.metrics.icc import agreements
from mien.metrics.significance import by_person, mcnemar, sign_permutation
from mien.models.registry import create
from mien.reading import read_json
from mien.training.start import Training


def recognition_figures_of(found: pd.DataFrame, words: Sequence[str], draws: int = DRAWS) -> dict[str, Any]:
    """Return figures of the predictions that `by_folds` gives: by model, and of the model less its baseline.

    Folds are pooled, so that every picture counts once; seeds are averaged. models: name -> accuracy, macro_f1
    (Interval each) and confusion (rows as shown, columns as named, in the order of `words`, counts over all seeds);
    of a model that tells action units also icc, ICC(3,1), their mean, and of each as AU01 … (Interval each).
    difference: accuracy (Interval), permutation (p by person, of the mean over seeds), mcnemar (exact p by seed; it
    takes pictures as independent).
    """
    number = {CLASSES.index(word): k for k, word in enumerate(words)}
    truth, guesses, people = _by_picture(found.assign(truth=found.truth.map(number), guess=found.guess.map(number)))
    models = {}
    for name, guess in guesses.items():
        figures = over_people(partial(_accuracy_and_f1, truth, guess, len(words)), people, draws)
        pooled = sum(confusion(truth, each, len(words)) for each in guess.T)
        models[name] = {**figures, "confusion": {"classes": list(words), "counts": pooled}}
        models[name] |= unit_intervals(found[found.model == name], people, draws)
    (model,) = guesses.keys() - {BASELINE}
    right = {name: guess == truth[:, None] for name, guess in guesses.items()}
    apart = right[model].mean(1) - right[BASELINE].mean(1)
    seeds = sorted(set(found.seed))
    pairs = zip(seeds, right[model].T, right[BASELINE].T, strict=True)
    accuracy: Interval = over_people(lambda rows: {"it": float(apart[rows].mean())}, people, draws)["it"]
    return {
        "models": models,
        "difference": {
            "of": [model, BASELINE],
            "accuracy": accuracy,
            "permutation": sign_permutation(by_person(apart, people).round(12)),
            "mcnemar": {str(seed): mcnemar(first, second) for seed, first, second in pairs},
        },
    }


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

    def statistics(rows: np.ndarray) -> dict[str, float]:
        pairs = zip(labels, estimates, strict=True)
        icc = np.mean([agreements(label[rows], estimate[rows])[0] for label, estimate in pairs], axis=0)
        return {"icc": float(np.nanmean(icc))} | dict(zip(names, icc.tolist(), strict=True))

    return over_people(statistics, people, draws)


def write_recognition(
    found: pd.DataFrame,
    folder: Path,
    training: Training,
    words: Sequence[str],
    least: float,
    split: str,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Write recognition.json to `folder`, beside the folds and predictions that it is about; return the figures.

    `split` is the official split's hash; where it is "", folds.json tells. `about` is `data_facts`.
    """
    figures = recognition_figures_of(found, words)
    dealt = {} if split else read_json(folder / "folds.json", "expected a folds file; evaluate anew", FORM)
    write_record(
        folder / "recognition.json",
        {
            "protocol": "recognition", **about,
            "family": training.family, "preset": training.preset, "changes": training.changes,
            "precision": training.settings.precision,
            "classes": list(words), "least_intensity": least, "seeds": sorted(set(found.seed.tolist())),
            "split": {"folds": dealt.get("k", 1), "official": bool(split), "sha256": split or dealt["sha256"]},
            "steps": _steps(training) | {"rule": "fixed beforehand; the last step is tested, never the best"},
            "people": int(found.subject.nunique()), "pictures": int(found.file_name.nunique()),
            **figures,
        },
    )  # fmt: skip
    return figures


def figures_frame(figures: Mapping[str, Any]) -> pd.DataFrame:
    """Return a small table: accuracy, macro-F1 and, if known, ICC of units with their intervals, by model."""
    rows = [
        {"model": name} | {key: str(found.get(key, "")) for key in ("accuracy", "macro_f1", "icc")}
        for name, found in figures["models"].items()
    ]
    table = pd.DataFrame(rows)
    return table if (table.icc != "").any() else table.drop(columns="icc")


def difference_line(figures: Mapping[str, Any]) -> str:
    """Return the difference in words."""
    found = figures["difference"]
    by_seed = ", ".join(f"{p:.3g}" for p in found["mcnemar"].values())
    return (
        f"{found['of'][0]} less {found['of'][1]}: {found['accuracy']}, p = {found['permutation']:.3g} by person "
        f"(permutation), {by_seed} by picture (McNemar)"
    )


def _by_picture(found: pd.DataFrame) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Return truth (N,), each model's guesses (N, seeds) and whose picture each is (N,), names or file names."""
    table = found.pivot(index="file_name", columns=["model", "seed"], values="guess").sort_index(axis=1)
    first = found.drop_duplicates("file_name").set_index("file_name").loc[table.index]
    guesses = {name: table[name].to_numpy() for name in dict.fromkeys(found.model)}
    subject = first.subject.fillna("").to_numpy(str)
    return first.truth.to_numpy(), guesses, np.where(subject == "", first.index.to_numpy(str), subject)


def _accuracy_and_f1(truth: np.ndarray, guess: np.ndarray, count: int, rows: np.ndarray) -> dict[str, float]:
    """Return accuracy and macro-F1 of some rows, each the mean over seeds; guess (N, seeds)."""
    matrices = [confusion(truth[rows], each[rows], count) for each in guess.T]
    return {
        "accuracy": float(np.mean([np.trace(matrix) for matrix in matrices]) / len(rows)),
        "macro_f1": float(np.mean([macro_f1(matrix) for matrix in matrices])),
    }


def _steps(training: Training) -> dict[str, int]:
    """Return how many steps each of the two nets is trained for."""
    t = training
    with torch.device("meta"):
        nets = {
            name: create(t.family, t.preset, **{**t.changes, "supervised": name == BASELINE})
            for name in (BASELINE, t.family)
        }
    return {name: sum(stage.steps for stage in net.stages()) for name, net in nets.items()}
