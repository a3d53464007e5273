"""Pictures of how faces are read: what is taken for what, how honest probabilities are, and the robustness curves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

from mien.evaluate.protocols.recognition_tables import draw_matrix
from mien.evaluate.reading.figures import Pictures, answered, tempered_across
from mien.evaluate.reading.robustness import CURVES
from mien.evaluate.written import write_figure
from mien.labels import CLASSES
from mien.metrics.calibration import BINS, calibration_error, reliability
from mien.metrics.confusion import confusion

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def confusion_of(pictures: Pictures) -> np.ndarray:
    """Return (8, 9) counts: how often each class was named each, and, the last, how often no face was seen."""
    truth, guess = pictures.manifest.expression[pictures.named], np.asarray(pictures.reading.classes)[pictures.named]
    return confusion(truth, answered(guess), len(CLASSES) + 1)[: len(CLASSES)]


def draw_confusions(groups: Mapping[str, Pictures], path: Path) -> None:
    """Draw a row-normalised confusion matrix a group that shows classes; nothing where none does."""
    shown = {name: confusion_of(pictures) for name, pictures in groups.items() if pictures.named.any()}
    if not shown:
        return
    figure, axes = plt.subplots(1, len(shown), figsize=(6 * len(shown), 5.4), layout="constrained", squeeze=False)
    for axis, (name, counts) in zip(axes[0], shown.items(), strict=True):
        rows = np.flatnonzero(counts.sum(1))
        words = [CLASSES[k] for k in rows] if len(rows) else list(CLASSES)
        columns = [*CLASSES] if not counts[:, -1].any() else [*CLASSES, "no face"]
        shares = (counts / np.maximum(counts.sum(1, keepdims=True), 1))[rows][:, : len(columns)]
        draw_matrix(axis, shares, words, columns)
        axis.set_title(f"{name}: {np.trace(counts[:, :-1]) / counts.sum():.3f} of {counts.sum()}")
        axis.set_xlabel("read")
    write_figure(figure, path)


def draw_reliability(groups: Mapping[str, Pictures], path: Path) -> None:
    """Draw accuracy against confidence in bins, as is and tempered, a panel a group; nothing without probabilities."""
    shown = {name: pictures for name, pictures in groups.items() if pictures.calibrated.any()}
    if not shown:
        return
    figure, axes = plt.subplots(1, len(shown), figsize=(5 * len(shown), 4.8), layout="constrained", squeeze=False)
    for axis, (name, pictures) in zip(axes[0], shown.items(), strict=True):
        sure, truth = pictures.calibrated, pictures.manifest.expression
        curves = {"as read": np.asarray(pictures.reading.probabilities)}
        if len(np.unique(pictures.people[sure])) > 1:
            curves["tempered"] = tempered_across(pictures)
        for label, given in curves.items():
            confidence, right = given[sure].max(1), given[sure].argmax(1) == truth[sure]
            found = reliability(confidence, right)
            error = calibration_error(confidence, right)
            axis.plot(found.confidence, found.accuracy, "o-", ms=4, label=f"{label}: ECE {error:.3f}")
        count = reliability(np.asarray(pictures.reading.probabilities)[sure].max(1), np.zeros(sure.sum())).count
        axis.bar((np.arange(BINS) + 0.5) / BINS, count / count.sum(), 1 / BINS, color="lightgrey", zorder=0)
        axis.plot([0, 1], [0, 1], color="black", lw=0.8, ls=":")
        axis.set_title(name)
        axis.set_xlabel("confidence (bars: share of pictures)")
        axis.set_ylabel("accuracy")
        axis.legend(fontsize=8)
    write_figure(figure, path)


def draw_robustness(table: pd.DataFrame, path: Path) -> None:
    """Draw accuracy and ICC against every level: a panel a curve, a line a group and figure, with its interval."""
    units = {curve.name: curve.unit for curve in CURVES} | {"yaw": "degrees to a side"}
    names = [name for name in units if name in set(table.curve)]
    if not names:
        return
    groups = list(dict.fromkeys(table.pictures))
    figure, axes = plt.subplots(2, -(-len(names) // 2), figsize=(16, 7), layout="constrained", squeeze=False)
    for axis, name in zip(axes.flat, names, strict=False):
        mine = table[(table.curve == name) & table.figure.isin(["accuracy", "icc"])]
        levels = sorted(mine.level.dropna().unique())
        for (group, what), line in mine.groupby(["pictures", "figure"], sort=False):
            colour = f"C{groups.index(group)}"
            at = [len(levels) if np.isnan(level) else levels.index(level) for level in line.level]
            style = "-" if what == "accuracy" else "--"
            axis.plot(at, line.value, style, color=colour, marker="o", ms=3, label=f"{group}: {what}")
            axis.fill_between(at, line.low, line.high, color=colour, alpha=0.1)
        labels = [f"{level:.3g}" if level <= 100 else "none" for level in levels] + ["native"] * int(
            mine.level.isna().any()
        )
        axis.set_xticks(range(len(labels)), labels)
        axis.set_ylim(0, 1.02)
        axis.set_title(name)
        axis.set_xlabel(units[name])
    for axis in axes.flat[len(names) :]:
        axis.axis("off")
    axes.flat[0].legend(fontsize=8)
    write_figure(figure, path)
