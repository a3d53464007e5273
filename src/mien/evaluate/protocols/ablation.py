"""Ablations: presets of one model, trained alike on the same people and measured on the same held-out ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from mien.data.dataset import Data, digest
from mien.editing.editor import Editor
from mien.evaluate.answers import BY_UNITS, MADE, TRIVIAL, TRUTH, answer_by_units, takes_sides
from mien.evaluate.batches import batches
from mien.evaluate.evaluators.base import Evaluator, signature, squares
from mien.evaluate.evaluators.independence import with_sources
from mien.evaluate.evaluators.networks import as_evaluator
from mien.evaluate.figures import error_figures, errors_frame, evaluator_figures, recognition_figures
from mien.evaluate.trials import Trials, trials
from mien.evaluate.written import write_csv
from mien.files import kept
from mien.models.contract import Family, Transfers
from mien.models.io import fingerprint, load
from mien.models.registry import able
from mien.models.residual import composite
from mien.nn.images import resized, to_pixels
from mien.training.settings import Progress
from mien.training.start import Training, train_to_end

GENERATED, COMPOSITED = MADE


@dataclass(frozen=True)
class Measurement:
    """The people whom every preset is measured on, and the evaluator."""

    test: Data
    evaluator: Evaluator

    def figures(self, model: Family) -> dict[str, float]:
        """Return all that `ablate` tells of a model."""
        figures = recognition_figures(model, self.test)
        if not isinstance(model, Transfers):
            return figures
        t, size = trials(self.test), int(model.config.image_size)
        made = transfer_all(model, self.test, t)
        at_its_size, small = replace(t, landmarks=t.landmarks * size / self.test.size), self.test.at_size(size)
        pictures = {answer: squares(list(some), self.evaluator.size) for answer, some in made.items()}
        seen = evaluator_figures(self.evaluator, self.test, t, pictures)[0]
        for answer, prefix in (COMPOSITED, ""), (GENERATED, "generated_"):
            found = error_figures(errors_frame(list(made[answer]), small, at_its_size)) | seen[answer]
            figures |= {f"{prefix}{name}": value for name, value in found.items()}
        if takes_sides(model):
            figures |= {f"units_{name}": value for name, value in self.figures_by_units(model, t).items()}
        return figures

    def figures_by_units(self, model: Family, t: Trials) -> dict[str, float]:
        """Return errors and the evaluator's figures of faces asked for the truth's own action units."""
        editor, images = Editor(model, aligned=True), self.test.images
        made = [answer_by_units(editor, self.test, t, trial) for trial in range(len(t.face))]
        sets = {("—", TRIVIAL[0]): list(images[t.face]), ("—", TRUTH): list(images[t.truth]), BY_UNITS: made}
        pictures = {key: squares(some, self.evaluator.size) for key, some in sets.items()}
        found, _ = evaluator_figures(self.evaluator, self.test, t, pictures)
        return error_figures(errors_frame(made, self.test, t)) | found[BY_UNITS]


def ablate(
    training: Training,
    presets: Sequence[str],
    data: Data,
    test: Data,
    evaluator: Evaluator | Family,
    folder: Path,
    seeds: Sequence[int] = (0,),
    report: Callable[[str, Progress], None] = lambda preset, p: None,
) -> pd.DataFrame:
    """Train every preset on `data` with the same seeds and changes, and measure it on `test`; resumes if killed.

    `training` says which family and how; of its preset and seed nothing is asked. Where it names a start, as a run
    whose reader alone was trained, all presets begin with those weights.

    Columns: preset, seed, those of `recognition_figures` (own recogniser, probe, leak); for models that transfer
    `error_figures` at the model's own size and the evaluator's icc, au_mse, expression, rank_1 and tar, of the face
    with the model's change and, with `generated_` before them, of the picture that it paints; for models that take
    units by side also, with `units_` before them, those of faces that were asked for the truth's own units, at the
    data's size, and slope and change_r. Writes ablation.csv.
    Raises InputError where `folder` keeps figures of other data or settings.
    """
    measurement, rows = Measurement(test, as_evaluator(evaluator)), []
    for seed in seeds:
        for preset in presets:
            chosen = replace(training, preset=preset, settings=replace(training.settings, seed=seed))
            place = folder / f"seed{seed}" / preset

            def learn(chosen: Training = chosen, place: Path = place) -> dict[str, float]:
                model = train_to_end(chosen, data, place, partial(report, chosen.preset))
                return measurement.figures(model)

            figures = kept(place.with_suffix(".json"), _dependencies(chosen, data, measurement), learn)
            rows.append({"preset": preset, "seed": seed} | figures)
    table = with_sources(pd.DataFrame(rows), measurement.evaluator, test.manifest)
    write_csv(table.round(4), folder / "ablation.csv", index=False)
    return table


def _dependencies(training: Training, data: Data, measurement: Measurement) -> dict[str, Any]:
    """Return all that a preset's figures depend on."""
    asked = {
        "family": training.family, "preset": training.preset, "seed": training.settings.seed,
        "changes": dict(training.changes), "precision": training.settings.precision,
        "rows": digest(data), "test": digest(measurement.test),
        "judge": signature(measurement.evaluator),  # as the folders of earlier versions have it
    }  # fmt: skip
    return asked | ({"start": fingerprint(load(str(training.start)))} if training.start else {})


def spread(table: pd.DataFrame) -> pd.DataFrame:
    """Return each preset's mean and standard deviation over seeds (n - 1), in columns <figure> and <figure>_sd.

    `table` may be the ablation.csv of an earlier version, whose column evaluator was named judge.
    """
    sources = ["seed", "labels", "evaluator", "judge"]
    found = table.drop(columns=sources, errors="ignore").groupby("preset", sort=False).agg(["mean", "std"])
    found.columns = [name if kind == "mean" else f"{name}_sd" for name, kind in found.columns]
    return found.reset_index()


@torch.inference_mode()
def transfer_all(model: Family, data: Data, t: Trials, batch: int = 32) -> dict[str, np.ndarray]:
    """Return the pictures of trials by MADE, the answer's name: uint8 (T, S, S, 3) at the model's size."""
    size, net = int(model.config.image_size), able(model, Transfers)
    made: dict[str, list[np.ndarray]] = {answer: [] for answer in MADE}
    for rows in batches(len(t.face), batch):
        face, example = (resized(data.images[some[rows]], size) for some in (t.face, t.example))
        painted = net.transfer(face, example)
        for answer, images in zip(MADE, (painted, composite(net, face, painted)), strict=True):
            made[answer] += [to_pixels(image) for image in images]
    return {answer: np.stack(some) for answer, some in made.items()}
