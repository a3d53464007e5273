"""Recognition by folds in tables, words and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from mien.evaluate.written import write_figure
from mien.labels import CLASSES

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes


def fold_table(found: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy and macro-F1 by seed, fold and model, with the numbers of people and images."""
    rows = []
    for (seed, fold, model), mine in found.groupby(["seed", "fold", "model"], sort=False):
        truth, guess, counts = mine.truth, mine.guess, {"images": len(mine), "people": mine.subject.nunique()}
        macro = f1_score(truth, guess, average="macro", labels=np.unique(truth), zero_division=0)
        figures = {"accuracy": accuracy_score(truth, guess), "macro_f1": macro}
        rows.append({"seed": seed, "fold": fold, "model": model} | figures | counts)
    return pd.DataFrame(rows)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation (over folds and seeds, n - 1) of the accuracy by model."""
    return table.groupby("model", sort=False).accuracy.agg(["mean", "std", "count"])


def draw_confusions(guesses: pd.DataFrame, words: Sequence[str], path: Path) -> None:
    """Draw a row-normalised confusion matrix a model."""
    numbers = [CLASSES.index(word) for word in words]
    models = list(dict.fromkeys(guesses.model))
    figure, axes = plt.subplots(1, len(models), figsize=(6 * len(models), 5.4), layout="constrained", squeeze=False)
    for axis, name in zip(axes[0], models, strict=True):
        mine = guesses[guesses.model == name]
        matrix = confusion_matrix(mine.truth, mine.guess, labels=numbers, normalize="true")
        draw_matrix(axis, matrix, words, words)
        axis.set_title(f"{name}: {accuracy_score(mine.truth, mine.guess):.3f}")
        axis.set_xlabel("recognised")
    write_figure(figure, path)


def draw_matrix(axis: Axes, shares: np.ndarray, shown: Sequence[str], called: Sequence[str]) -> None:
    """Draw what share (R, C), 0-1, of each row's pictures is called what."""
    axis.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for (i, j), value in np.ndenumerate(shares):
        axis.text(j, i, f"{value:.2f}", ha="center", va="center", color="white" if value > 0.5 else "black")
    axis.set_xticks(range(len(called)), called, rotation=45, ha="right")
    axis.set_yticks(range(len(shown)), shown)
    axis.set_ylabel("shown")


def figures_frame(figures: Mapping[str, Any]) -> pd.DataFrame:
    """Return a small table by model: accuracy, macro-F1, probes of f(e) and ICC of units, whichever are known.

    `probe` is the expression that a linear probe reads from f(e), `leak` the person; all with their intervals.
    """
    known = ("accuracy", "macro_f1", "probe", "leak", "icc")
    rows = [
        {"model": name} | {key: str(found.get(key, "")) for key in known} for name, found in figures["models"].items()
    ]
    table = pd.DataFrame(rows)
    return table.drop(columns=[key for key in known if (table[key] == "").all()])


def difference_lines(figures: Mapping[str, Any]) -> list[str]:
    """Return the model's lead over each of the other nets in words."""
    return [_difference_line(figures[key]) for key in ("difference", "difference_stage_1") if key in figures]


def _difference_line(found: Mapping[str, Any]) -> str:
    by_seed = ", ".join(f"{p:.3g}" for p in found["mcnemar"].values())
    leak = f"; leak {found['leak']}" if "leak" in found else ""
    return (
        f"{found['of'][0]} less {found['of'][1]}: {found['accuracy']}, p = {found['permutation']:.3g} by person "
        f"(permutation), {by_seed} by picture (McNemar){leak}"
    )
