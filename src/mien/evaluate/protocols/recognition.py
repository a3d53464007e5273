"""Recognition by subject folds: a model's detached expression encoder against the CNN baseline on the same folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from mien.data.dataset import Data, digest
from mien.data.folds import official_split, splits
from mien.evaluate.predictions import BASELINE, estimate_aus, predict, protocol_rows
from mien.evaluate.written import write_csv, write_figure
from mien.files import kept
from mien.labels import BASIC, CLASSES, au_columns
from mien.models.contract import EstimatesAus, HasBaseline, Recognizes
from mien.models.registry import able, create
from mien.training.settings import Progress
from mien.training.start import Training, train_to_end
from mien.weights.resolve import CHECKPOINT

matplotlib.use("Agg")
from matplotlib import pyplot as plt


@dataclass(frozen=True)
class Lesson:
    """One net to be trained on a fold's training people and tested on the others."""

    net: str  # BASELINE or the family
    training: Training
    fold: str
    train: Data
    test: Data
    rows: str  # digest of who is on which side
    words: Sequence[str]

    def guesses(self, place: Path, report: Callable[[Progress], None]) -> pd.DataFrame:
        """Return what the net says of the test rows, from `place`.json if it is there, else trained in `place`."""
        t = self.training
        made_by = {
            "family": t.family, "preset": t.preset, "seed": t.settings.seed, "changes": dict(t.changes),
            "fold": self.fold, "precision": t.settings.precision, "rows": self.rows,
        }  # fmt: skip
        found, m = kept(place.with_suffix(".json"), made_by, partial(self._learn, place, report)), self.test.manifest
        columns = {
            "seed": t.settings.seed, "fold": self.fold, "model": self.net, "truth": m.expression,
            "guess": found["classes"], "subject": [m.subjects[s] if s >= 0 else "" for s in m.subject],
            "file_name": m.files,
        }  # fmt: skip
        return pd.DataFrame(columns | unit_columns(found["aus"], m.aus))

    def _learn(self, place: Path, report: Callable[[Progress], None]) -> dict[str, Any]:
        changes = {**self.training.changes, "supervised": self.net == BASELINE}
        model = train_to_end(replace(self.training, changes=changes), self.train, place, report)
        net = able(model, HasBaseline).baseline if self.net == BASELINE else able(model, Recognizes).recognize
        classes = predict(net, self.test, self.words).tolist()
        estimates = self.net != BASELINE and isinstance(model, EstimatesAus)
        units = estimate_aus(able(model, EstimatesAus), self.test).tolist() if estimates else None
        (place / CHECKPOINT).unlink()
        return {"classes": classes, "aus": units}


def by_folds(
    data: Data,
    folder: Path,
    training: Training,
    k: int | None = 8,
    seeds: Sequence[int] = (0,),
    words: Sequence[str] = BASIC,
    least: float = 0.5,
    report: Callable[[str, Progress], None] = lambda fold, p: None,
) -> pd.DataFrame:
    """Train the model and its CNN baseline on every fold and with every seed, and return what they say of each picture.

    The baseline is the paper's: the same recogniser, trained supervised for as many steps as the model's. Training is
    the rows of the people outside the fold (and nobody related to them), of `words` alone; both nets see the same
    rows, for a number of steps fixed beforehand. Without `k`, the data's own `split` is the one fold. Folds are dealt
    by the first seed and written to `folder`/folds.json; what is finished is kept. Columns: seed, fold, model, subject,
    file_name, truth, guess (class numbers), and of a model that tells action units AU01 … and, from the labels,
    AU01_true …, 0-5. Raises InputError where a kept part was made otherwise, or where the model has no baseline.
    """
    with torch.device("meta"):
        untrained = create(training.family, training.preset, **training.changes)
    able(untrained, HasBaseline), able(untrained, Recognizes)
    chosen, frames = data.select(protocol_rows(data, words, least)), []
    for seed in seeds:
        seeded = replace(training, settings=replace(training.settings, seed=seed))
        for lesson in lessons(chosen, folder, seeded, k, seeds[0], words):
            place = folder / f"seed{seed}" / f"fold_{lesson.fold}" / lesson.net
            frames.append(lesson.guesses(place, partial(report, lesson.fold)))
    found = pd.concat(frames, ignore_index=True)
    write_csv(found, folder / "predictions.csv", index=False)
    draw_confusions(found, words, folder / "confusion.png")
    return found


def lessons(
    data: Data, folder: Path, training: Training, k: int | None, dealt_by: int, words: Sequence[str]
) -> Iterator[Lesson]:
    """Yield, fold by fold, the baseline's lesson and the model's; the folds are dealt by the seed `dealt_by`."""
    for fold in splits(data, k, dealt_by, folder):
        train, test, rows = data.select(fold.train), data.select(fold.test), digest(data, fold.train, fold.test)
        for net in (BASELINE, training.family):
            yield Lesson(net, training, fold.name, train, test, rows, words)


def unit_columns(estimates: list[list[float]] | None, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return columns of action units (N, 21) as a model estimates and as the labels have them; none without them."""
    if estimates is None:
        return {}
    mine, names = np.array(estimates, np.float64), au_columns()
    estimated = {name: mine[:, k] for k, name in enumerate(names)}
    return estimated | {f"{name}_true": labels[:, k] for k, name in enumerate(names)}


def official_hash(data: Data, words: Sequence[str] = BASIC, least: float = 0.5) -> str:
    """Return a hash of who is on which side of the data's own split, as folds.json has one of the folds."""
    chosen = data.select(protocol_rows(data, words, least))
    split = official_split(chosen.manifest)
    return digest(chosen, split.train, split.test)


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
        axis.imshow(matrix, vmin=0, vmax=1, cmap="Blues")
        for (i, j), value in np.ndenumerate(matrix):
            axis.text(j, i, f"{value:.2f}", ha="center", va="center", color="white" if value > 0.5 else "black")
        axis.set_xticks(range(len(words)), words, rotation=45, ha="right")
        axis.set_yticks(range(len(words)), words)
        axis.set_title(f"{name}: {accuracy_score(mine.truth, mine.guess):.3f}")
        axis.set_ylabel("shown")
        axis.set_xlabel("recognised")
    write_figure(figure, path)
