"""Recognition by subject folds: a model's detached expression encoder against the CNN baseline on the same folds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from mien.data.dataset import Data, digest
from mien.data.folds import official_split
from mien.errors import InputError
from mien.files import kept
from mien.labels import AUS, CLASSES
from mien.models.contract import EstimatesAus, HasBaseline, Recognizes
from mien.models.registry import able, create
from mien.training.loop import train
from mien.training.settings import Progress, Settings
from mien.training.start import sampler_of
from mien.weights.resolve import CHECKPOINT

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from mien.data.folds import splits
from mien.evaluate.predictions import estimated, predict, protocol_rows
from mien.labels import BASIC


def by_folds(
    data: Data,
    folder: Path,
    family: str = "ter_gan",
    preset: str = "small",
    k: int | None = 8,
    seeds: Sequence[int] = (0,),
    settings: Settings | None = None,
    changes: Mapping[str, float | int] | None = None,
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
    AU01_true …, 0-5. Raises InputError where a kept part was made otherwise, or where the model
    has no baseline.
    """
    with torch.device("meta"):
        untrained = create(family, preset, **(changes or {}))
    able(untrained, HasBaseline), able(untrained, Recognizes)
    chosen = data.select(protocol_rows(data, words, least))
    frames = []
    for seed in seeds:
        for fold in splits(chosen, k, seeds[0], folder):
            train_data, test = chosen.select(fold.train), chosen.select(fold.test)
            made_by = {
                "family": family, "preset": preset, "seed": seed, "changes": dict(changes or {}), "fold": fold.name,
                "precision": (settings or Settings()).precision, "rows": digest(chosen, fold.train, fold.test),
            }  # fmt: skip
            for name in ("baseline", family):
                place = folder / f"seed{seed}" / f"fold_{fold.name}" / name
                learn = partial(
                    _guesses, name, made_by, train_data, test, place, replace(settings or Settings(), seed=seed), words,
                    partial(report, fold.name),
                )  # fmt: skip
                m, said = test.manifest, kept(place.with_suffix(".json"), made_by, learn)
                about = {
                    "seed": seed, "fold": fold.name, "model": name, "truth": m.expression, "guess": said["classes"],
                    "subject": [m.subjects[s] if s >= 0 else "" for s in m.subject], "file_name": m.files,
                }  # fmt: skip
                frames.append(pd.DataFrame(about | unit_columns(said["aus"], m.aus)))
    found = pd.concat(frames, ignore_index=True)
    found.to_csv(folder / "predictions.csv", index=False)
    draw_confusions(found, words, folder / "confusion.png")
    return found


def unit_columns(said: list[list[float]] | None, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return columns of action units (N, 21) as a model said them and as the labels have them; none without them."""
    if said is None:
        return {}
    mine = np.array(said, np.float64)
    return {f"AU{au:02d}": mine[:, k] for k, au in enumerate(AUS)} | {
        f"AU{au:02d}_true": labels[:, k] for k, au in enumerate(AUS)
    }


def official_hash(data: Data, words: Sequence[str] = BASIC, least: float = 0.5) -> str:
    """Return a hash of who is on which side of the data's own split, as folds.json has one of the folds."""
    chosen = data.select(protocol_rows(data, words, least))
    split = official_split(chosen.manifest)
    return digest(chosen, split.train, split.test)


def _guesses(
    name: str,
    made_by: Mapping[str, Any],
    train_data: Data,
    test: Data,
    place: Path,
    settings: Settings,
    words: Sequence[str],
    report: Callable[[Progress], None],
) -> dict[str, Any]:
    """Return one net's class numbers and, if it tells them, action units of the test rows, trained in `place`."""
    torch.manual_seed(settings.seed)
    changes = {**made_by["changes"], "subjects": len(train_data.manifest.subjects), "supervised": name == "baseline"}
    model = create(made_by["family"], made_by["preset"], **changes)
    if not train(model, sampler_of(model, train_data, settings.seed), place, settings, report):
        raise InputError(f"{place}: stopped before its end; call again to go on")
    model.cpu().eval()
    net = able(model, HasBaseline).baseline if name == "baseline" else able(model, Recognizes).recognize
    classes = predict(net, test, words)
    units = estimated(model, test).tolist() if name != "baseline" and isinstance(model, EstimatesAus) else None
    (place / CHECKPOINT).unlink()
    return {"classes": classes.tolist(), "aus": units}


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
    figure.savefig(path, dpi=80)
    plt.close(figure)
