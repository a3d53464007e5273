"""Does an edit go as far as it is asked to? Asked-for against measured intensity, by class."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr

from mien.controls import Controls
from mien.data.dataset import Data
from mien.data.neutral import neutral_faces
from mien.errors import InputError
from mien.evaluate.answers import MADE
from mien.evaluate.evaluators.base import Evaluator, all_read, must_measure
from mien.evaluate.evaluators.independence import with_sources
from mien.evaluate.evaluators.networks import as_evaluator
from mien.evaluate.record import column_means, made_with, over_people, write_protocol
from mien.evaluate.written import write_figure
from mien.labels import CLASSES
from mien.metrics.bootstrap import DRAWS, Interval
from mien.models.contract import Edits, Family, Transfers
from mien.models.registry import able
from mien.models.residual import composite
from mien.nn.images import at_size, resized

matplotlib.use("Agg")
from matplotlib import pyplot as plt

STEPS = np.linspace(0, 1, 9)

COMPOSITED = MADE[1]


def class_directions(data: Data) -> dict[str, np.ndarray]:
    """Return each class's mean AU vector (21,) where it is strongest, from the data's labels; its neutral is zero.

    An AU that is not labelled counts as not moving. Raises InputError where no class has AUs.
    """
    manifest = data.manifest
    found = {}
    for k, word in enumerate(CLASSES):
        intensity = np.nan_to_num(manifest.intensity, nan=1.0)
        rows = np.flatnonzero((manifest.expression == k) & ~np.isnan(manifest.aus).all(1))
        if k and len(rows):
            strongest = rows[intensity[rows] >= intensity[rows].max()]
            found[word] = np.nan_to_num(manifest.aus[strongest]).mean(0)
    if not found:
        raise InputError(f"{manifest.folder}: no expression has labelled AUs; needed to measure by")
    return found


def measured_intensity(aus: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return how far AU estimates (N, 21) go towards a class: 0 neutral, 1 the class's mean full expression.

    The scalar projection on the class's AU vector, in units of its length, over the units the evaluator knows; NaN for
    a picture of which it knows none that the class moves.
    """
    known = ~np.isnan(aus)
    length = known @ np.square(direction)
    along = np.nan_to_num(aus) @ direction
    return np.divide(along, length, out=np.full(len(aus), np.nan), where=length > 0)


@torch.inference_mode()
def sweep(
    model: Family, evaluator: Evaluator | Family, data: Data, steps: np.ndarray = STEPS, answer: str = COMPOSITED
) -> pd.DataFrame:
    """Edit everybody's neutral face to every class at every intensity, and return what the evaluator measures.

    It measures the picture that the model generates or, composited, the face plus the change, as the Editor gives it.
    Columns: subject, expression, asked (0-1), measured (1 is the class's mean full expression).
    """
    manifest = data.manifest
    rows = np.array([mine[0] for mine in neutral_faces(manifest).values()], np.int64)
    if not len(rows):
        raise InputError(f"{manifest.folder}: nobody is neutral; expected neutral faces to edit")
    face = resized(data.images[rows], model.config.image_size)
    evaluator, directions = as_evaluator(evaluator), class_directions(data)
    must_measure(evaluator, "aus")
    asked, pictures = [(word, float(level)) for word in directions for level in steps], []
    for word, level in asked:
        made = able(model, Edits).edit(face, Controls(word, level))
        if answer == COMPOSITED:
            made = composite(able(model, Transfers), face, made)
        pictures.append(at_size(made, evaluator.size))
    aus = np.asarray(evaluator.read(np.concatenate(pictures)).aus).reshape(len(asked), len(rows), -1)
    found = []
    for (word, level), estimates in zip(asked, aus, strict=True):
        columns = {"subject": manifest.subject[rows], "expression": word, "asked": level}
        found.append(pd.DataFrame(columns | {"measured": measured_intensity(estimates, directions[word])}))
    return pd.concat(found, ignore_index=True)


def by_intensity(
    models: Mapping[str, Family], evaluator: Evaluator | Family, data: Data, folder: Path, draws: int = DRAWS
) -> tuple[pd.DataFrame, dict[tuple[str, str], dict[str, Interval]]]:
    """Return `intensity_table` by model and answer, and figures: the means of `of_each_person`, all and by class.

    Writes intensity.csv, intensity.json and a picture of the curves of each answer.
    """
    evaluator, keys = as_evaluator(evaluator), list(product(models, MADE))
    work = {(name, answer): partial(sweep, models[name], evaluator, data, answer=answer) for name, answer in keys}
    swept = all_read(work)
    tables = pd.concat({key: intensity_table(frame) for key, frame in swept.items()}, names=["model", "answer"])
    tables, figures = with_sources(tables, evaluator, data.manifest), {}
    for key in keys:
        each = of_each_person(swept[key])
        means = column_means(each[["spearman", "gain"]], each.expression.tolist())
        figures[key] = over_people(means, each.subject.to_numpy(), draws)
    about = made_with(data, evaluator, models) | {"settings": {"asked": STEPS}}
    write_protocol(folder, "intensity", about, figures, tables)
    for answer in MADE:
        draw_intensity({n: f for (n, a), f in swept.items() if a == answer}, folder / f"intensity_{answer}.png")
    return tables, figures


def of_each_person(swept: pd.DataFrame) -> pd.DataFrame:
    """Return a row a class and person: Spearman's correlation of asked and measured, and the gain.

    `gain` is what is measured at the most asked for less what is measured at the least, the true full expression being
    1. Columns: expression, subject, spearman, gain.
    """
    rows = []
    for (word, subject), mine in swept.groupby(["expression", "subject"], sort=False):
        one = mine.sort_values("asked")
        gain = one.measured.iloc[-1] - one.measured.iloc[0]
        rows.append((word, subject, rank_correlation(one.asked, one.measured), gain))
    return pd.DataFrame(rows, columns=["expression", "subject", "spearman", "gain"])


def intensity_table(swept: pd.DataFrame) -> pd.DataFrame:
    """Return by class: spearman and gain (means of `of_each_person`), the lowest, and spearman of the mean curve."""
    rows = []
    for word, each in of_each_person(swept).groupby("expression", sort=False):
        curve = swept[swept.expression == word].groupby("asked").measured.mean()
        rows.append(
            {
                "expression": word,
                "spearman": float(each.spearman.mean()),
                "lowest": float(each.spearman.min()),
                "spearman_of_mean": rank_correlation(curve.index, curve),
                "gain": float(each.gain.mean()),
            }
        )
    return pd.DataFrame(rows)


def rank_correlation(asked: Any, measured: Any) -> float:
    """Return Spearman's correlation over what could be measured; 0 where nothing was measured to change."""
    asked, measured = np.asarray(asked, float), np.asarray(measured, float)
    known = ~np.isnan(measured)
    changed = known.any() and np.ptp(measured[known]) > 0
    return float(spearmanr(asked[known], measured[known]).statistic) if changed else 0.0


def draw_intensity(swept: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Draw asked against measured intensity: a panel a class, a line a model with the spread over people."""
    words = list(dict.fromkeys(word for frame in swept.values() for word in frame.expression))
    figure, axes = plt.subplots(2, (len(words) + 1) // 2, figsize=(14, 6.5), layout="constrained", squeeze=False)
    for axis, word in zip(axes.flat, words, strict=False):
        for name, frame in swept.items():
            of_word = frame[frame.expression == word].groupby("asked").measured
            mean, spread = of_word.mean(), of_word.std()
            axis.plot(mean.index, mean, label=name)
            axis.fill_between(mean.index, mean - spread, mean + spread, alpha=0.12)
        axis.plot([0, 1], [0, 1], color="black", lw=0.8, ls=":")
        axis.set_title(word)
        axis.set_xlabel("asked")
        axis.set_ylabel("measured by the evaluator")
    for axis in axes.flat[len(words) :]:
        axis.axis("off")
    axes.flat[0].legend(fontsize=8)
    write_figure(figure, path)
