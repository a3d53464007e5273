"""Recognition by subject folds: a model's detached expression encoder against the CNN baseline on the same folds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import accuracy_score, confusion_matrix

from mien.data.cache import Data, to_tensor
from mien.data.folds import make_folds, write_folds
from mien.errors import InputError
from mien.labels import CLASSES
from mien.models import HasBaseline, Prediction, Recognizes, able, create
from mien.run import sampler_of
from mien.train import Progress, Settings, train
from mien.weights import CHECKPOINT

matplotlib.use("Agg")
from matplotlib import pyplot as plt

BASIC = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
"""The six classes of the paper's protocol."""


def protocol_rows(data: Data, words: Sequence[str] = BASIC, least: float = 0.5) -> np.ndarray:
    """Return (N,) bool: rows that show one of `words` at `least` intensity (a sequence's last three frames) or more."""
    numbers = [CLASSES.index(word) for word in words]
    return np.isin(data.manifest.expression, numbers) & ~(data.manifest.intensity < least)


@torch.inference_mode()
def predict(
    recognize: Callable[[torch.Tensor], Prediction], data: Data, words: Sequence[str], batch: int = 256
) -> np.ndarray:
    """Return (N,) class numbers: the likeliest among `words`."""
    numbers = torch.tensor([CLASSES.index(word) for word in words])
    best = []
    for k in range(0, len(data), batch):
        rows = np.arange(k, min(k + batch, len(data)))
        best.append(numbers[recognize(to_tensor(data.images[rows])).probabilities[:, numbers].argmax(1)])
    return torch.cat(best).numpy()


def by_folds(
    data: Data,
    folder: Path,
    family: str = "ter_gan",
    preset: str = "small",
    k: int = 8,
    seed: int = 0,
    settings: Settings | None = None,
    changes: Mapping[str, float | int] | None = None,
    words: Sequence[str] = BASIC,
    report: Callable[[int, Progress], None] = lambda f, p: None,
) -> pd.DataFrame:
    """Train the model and its CNN baseline on every fold, and return each fold's accuracy.

    The baseline is the paper's: the same encoder and its class layer, trained supervised for as many steps as the
    model's encoder is. Training is the rows of the people outside the fold (and nobody related to them), of `words`
    alone; both nets see the same rows. Folds are written to `folder`/folds.json; what is finished is kept, if it was
    made with these rows, folds and settings. Raises InputError if it was not.
    """
    settings = settings or Settings(seed=seed)
    chosen = data.select(protocol_rows(data, words))
    folds = make_folds(chosen.manifest, k, seed)
    folder.mkdir(parents=True, exist_ok=True)
    write_folds(folds, folder / "folds.json")
    rows, guesses = [], []
    for fold in range(k):
        train_mask, test_mask = folds.split(fold)
        place, test = folder / f"fold{fold}", chosen.select(test_mask)
        made_by = {
            "family": family, "preset": preset, "seed": seed, "changes": dict(changes or {}), "fold": fold,
            "precision": settings.precision, "rows": digest(chosen, train_mask, test_mask),
        }  # fmt: skip
        say = partial(report, fold)
        train_data = chosen.select(train_mask)
        found = {
            name: _predictions(name, made_by, train_data, test, place, settings, words, say)
            for name in ("baseline", family)
        }
        truth = test.manifest.expression
        for name, guess in found.items():
            rows.append(
                {
                    "fold": fold,
                    "model": name,
                    "accuracy": accuracy_score(truth, guess),
                    "images": len(test),
                    "people": len(test.manifest.subjects),
                }
            )
            guesses.append(pd.DataFrame({"model": name, "truth": truth, "guess": guess}))
    table = pd.DataFrame(rows)
    table.round(4).to_csv(folder / "folds.csv", index=False)
    draw_confusions(pd.concat(guesses), words, folder / "confusion.png")
    return table


def digest(data: Data, *masks: np.ndarray) -> str:
    """Return a hash of the files, their people and expressions, and of the masks."""
    m = data.manifest
    text = json.dumps([m.files, m.subject.tolist(), m.expression.tolist(), [mask.tolist() for mask in masks]])
    return hashlib.sha256(text.encode()).hexdigest()


def _predictions(
    name: str,
    made_by: Mapping[str, Any],
    train_data: Data,
    test: Data,
    place: Path,
    settings: Settings,
    words: Sequence[str],
    report: Callable[[Progress], None],
) -> np.ndarray:
    """Return one net's class numbers for the test rows, trained in `place` or kept from before."""
    kept = place / f"{name}.json"
    if kept.is_file():
        note = json.loads(kept.read_text())
        if note["made_by"] != made_by:
            raise InputError(f"{kept}: was made with other data or settings; choose another output folder")
        return np.array(note["classes"])
    torch.manual_seed(settings.seed)
    changes = {**made_by["changes"], "subjects": len(train_data.manifest.subjects), "supervised": name == "baseline"}
    model = create(made_by["family"], made_by["preset"], **changes)
    if not train(model, sampler_of(model, train_data, settings.seed), place / name, settings, report):
        raise InputError(f"{place}: stopped before its end; call again to go on")
    model.cpu().eval()
    net = able(model, HasBaseline).baseline if name == "baseline" else able(model, Recognizes).recognize
    classes = predict(net, test, words)
    beside = kept.with_suffix(".part")
    beside.write_text(json.dumps({"made_by": made_by, "classes": classes.tolist()}))
    beside.replace(kept)
    (place / name / CHECKPOINT).unlink()
    return classes


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation (over folds, n - 1) of the accuracy by model."""
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
