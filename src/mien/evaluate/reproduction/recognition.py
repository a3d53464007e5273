"""Measures of recognition: by folds of people, by pose and class, of ablations, with synthesised faces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mien.data.dataset import Data
from mien.data.manifest import Manifest
from mien.evaluate.predictions import protocol_rows
from mien.evaluate.protocols.augmentation import COUNTS, Schedule, by_augmentation
from mien.evaluate.protocols.recognition import Findings, Regime, by_folds, lessons
from mien.evaluate.protocols.recognition_record import Probed
from mien.evaluate.record import over_people
from mien.evaluate.reproduction.bench import Bench, Variant, most_folds
from mien.evaluate.reproduction.experiment import Found
from mien.labels import BASIC, CLASSES
from mien.metrics.bootstrap import DRAWS
from mien.training.pace import shortened
from mien.training.settings import Progress
from mien.training.start import Training

POSE_STEP = 15.0
"""Degrees of yaw to which poses are rounded, as Multi-PIE's cameras stand."""

Lengths = Callable[[Any, int], Mapping[str, Any]]
"""A config and how many pictures are trained on -> the lengths that the paper's epochs then have."""

LEAST = 0.5


@dataclass(frozen=True)
class Recognition:
    """`mien evaluate recognition`: who names more, the model or the CNN, among people who were not trained on.

    Figures, by net (baseline, stage 1, the family, each variant): accuracy; accuracy_<class>; accuracy_yaw_<degrees>,
    where heads turn; leak, how often a probe of the net's expression code names the person.
    """

    folds: int | None = 8  # None: the corpus' own split
    words: tuple[str, ...] = BASIC
    variants: tuple[Variant, ...] = ()
    lengths: Lengths | None = None  # of preset paper

    def run(self, bench: Bench) -> Found:
        """Return the figures over all pictures that are tested."""
        data = bench.everyone(bench.config().image_size)
        split = self.folds if self.folds is None else most_folds(data.manifest, self.folds)
        words = "-".join(word[:2] for word in self.words)
        place = bench.folder / "recognition" / f"{split or 'official'}_{words}"
        regime = Regime(
            split, bench.variants, bench.people, bench.seeds, self.words, LEAST, bench.minutes, bench.pretrain
        )
        own = self._fitted(bench, bench.training(), data, split)
        found = by_folds(data, place, own, regime, partial(_tell, bench, bench.family))
        frames = [found.predictions]
        for variant in self.variants:
            training = shortened(self._fitted(bench, bench.training(variant), data, split), found.factor)
            training = replace(training, start=found.training.start)
            frames.append(_guesses(bench, variant.name, training, data, found, place / variant.name))
        figures = accuracies(pd.concat(frames, ignore_index=True), found.data.manifest)
        return figures | leaks(found.probes)

    def _fitted(self, bench: Bench, training: Training, data: Data, split: int | None) -> Training:
        """Return a training whose lengths are the paper's on so many pictures as this corpus has."""
        if self.lengths is None or bench.preset != "paper":
            return training
        rows = protocol_rows(data, self.words, LEAST)
        images = (
            int(rows.sum()) * (split - 1) // split if split else int((rows & (data.manifest.split == "train")).sum())
        )
        given = {name: value for name, value in training.changes.items() if name in bench.changes}
        return replace(training, changes={**training.changes, **self.lengths(bench.config(), images), **given})


def _tell(bench: Bench, what: str, fold: str, progress: Progress) -> None:
    bench.tell_training(f"{what}, fold {fold},", progress)


def _guesses(bench: Bench, name: str, training: Training, data: Data, found: Findings, place: Path) -> pd.DataFrame:
    """Return what a variant says of every picture, trained on the folds that the paper's own model was trained on."""
    frames = []
    for seed in bench.seeds:
        seeded = replace(training, settings=replace(training.settings, seed=seed))
        for lesson in lessons(data, found.data, found.splits, seeded, found.regime):
            if lesson.net == training.family:
                run = place / f"seed{seed}" / f"fold_{lesson.fold}"
                guesses, _ = lesson.learnt(run, partial(_tell, bench, name, lesson.fold))
                frames.append(guesses.assign(model=name))
    return pd.concat(frames, ignore_index=True)


def accuracies(predictions: pd.DataFrame, manifest: Manifest) -> Found:
    """Return accuracy by net, all and by class and pose, seeds averaged; intervals over tested people and over seeds.

    `predictions` has columns model, seed, subject, file_name, truth, guess.
    """
    right = predictions.assign(right=(predictions.truth == predictions.guess).astype(float))
    table = right.pivot(index="file_name", columns=["model", "seed"], values="right").sort_index(axis=0)
    first = predictions.drop_duplicates("file_name").set_index("file_name").loc[table.index]
    subject = first.subject.fillna("").to_numpy(str)
    people = np.where(subject == "", table.index.to_numpy(str), subject)
    yaw = dict(zip(manifest.files, manifest.yaw.astype(float).tolist(), strict=True))
    poses = POSE_STEP * np.round(np.array([yaw[name] for name in table.index]) / POSE_STEP)
    groups = {"accuracy": np.ones(len(table), bool)}
    groups |= {f"accuracy_{CLASSES[k]}": (first.truth == k).to_numpy() for k in np.unique(first.truth)}
    if len(angles := np.unique(poses[~np.isnan(poses)])) > 1:
        groups |= {f"accuracy_yaw_{a + 0.0:+.0f}": poses == a for a in angles}
    hits = {model: table[model].to_numpy() for model in dict.fromkeys(predictions.model)}  # (N, seeds)

    def means(rows: np.ndarray, runs: np.ndarray) -> dict[str, float]:
        found = {}
        for model, of in hits.items():
            each = of[rows][:, runs].mean(1)
            for name, group in groups.items():
                some = each[group[rows]]
                found[f"{model}/{name}"] = float(some.mean()) if len(some) else float("nan")
        return found

    return over_people(means, people, runs=predictions.seed.nunique())


def leaks(probes: pd.DataFrame) -> Found:
    """Return by net how often probes of its expression code name the person (leak), and the expression (probe)."""
    if probes.empty:
        return {}
    probed, names = Probed(probes, DRAWS), {"person": "leak", "expression": "probe"}
    return {f"{net}/{name}": probed.share(what, net) for net in probed.people for what, name in names.items()}


@dataclass(frozen=True)
class Augmentation:
    """`mien evaluate augmentation`: what synthesised faces bring to a plain CNN (ExprGAN, Table 1).

    The CNN learns for as many steps as the chosen preset's own classifier, which is the same net: weights that began
    with others' may have had a single one.
    """

    counts: tuple[int, ...] = COUNTS
    invented: bool = True  # new identities from noise, as the paper's

    def run(self, bench: Bench) -> Found:
        """Return accuracy and gain by faces a class, as 500/accuracy."""
        model = bench.model()
        size, place = model.config.image_size, bench.folder / "augmentation"
        schedule = Schedule(self.counts, bench.config().pretrain_steps, bench.seeds, bench.settings)
        _, figures = by_augmentation(
            model, bench.family, bench.known(size), bench.tested(size), place, schedule,
            self.invented, lambda what, done, total: bench.tell(done, total, what),
        )  # fmt: skip
        return {f"{key[1].split()[0]}/{name}": it for key, found in figures.items() for name, it in found.items()}


def classes(*words: str) -> tuple[str, ...]:
    """Return words in the order of the labels."""
    return tuple(word for word in CLASSES if word in words)


SEVEN_WITH_NEUTRAL = classes(*BASIC, "neutral")
SEVEN_WITH_CONTEMPT = classes(*BASIC, "contempt")
SIX_OF_MULTI_PIE = classes("neutral", "happiness", "surprise", "anger", "disgust", "fear")
"""Of Multi-PIE imported with --stand-ins: squint is anger, scream is fear, smile is happiness."""
