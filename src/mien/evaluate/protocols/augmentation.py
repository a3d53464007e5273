"""Synthesised training faces: make them with a model, and see what they bring to a recogniser (ExprGAN, Table 1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mien.data.dataset import Data, concat, digest, open_data
from mien.data.manifest import Manifest
from mien.evaluate.predictions import predict, protocol_rows
from mien.evaluate.record import Key, column_means, data_facts, made_with, over_people, people_of, write_protocol
from mien.files import claim
from mien.labels import BASIC, CLASSES
from mien.metrics.bootstrap import DRAWS, Interval
from mien.models.contract import Family, HasBaseline, Prediction
from mien.models.registry import able
from mien.training.settings import Progress, Settings
from mien.training.start import Training, train_to_end
from mien.training.synthesis import synthesize

COUNTS = (0, 500, 1000, 5000, 10000)
"""Synthesised faces a class in ExprGAN's Table 1."""


def first_of_each_class(data: Data, count: int) -> Data:
    """Return the first `count` rows of every class."""
    kept = np.zeros(len(data), bool)
    for k in np.unique(data.manifest.expression):
        kept[np.flatnonzero(data.manifest.expression == k)[:count]] = True
    return data.select(kept)


@dataclass(frozen=True)
class Schedule:
    """What recognisers are trained on, and how: each with so many synthesised faces a class, for `steps` batches."""

    counts: Sequence[int] = COUNTS
    steps: int = 1500
    seeds: Sequence[int] = (0,)
    settings: Settings = field(default_factory=Settings)


def by_augmentation(
    model: Family,
    name: str,
    people: Data,
    held_out: Data,
    folder: Path,
    schedule: Schedule,
    invented: bool = False,
    report: Callable[[str, int, int], None] = lambda what, done, total: None,
    draws: int = DRAWS,
) -> tuple[pd.DataFrame, dict[Key, dict[str, Interval]]]:
    """Return the table of `accuracy_by_synthetic` and, by faces a class, figures over held-out people; write both.

    accuracy: of all their pictures and by class, the mean over seeds; gain: beyond that of none synthesised, of the
    same pictures, where the counts have 0. With `invented`, the model invents people in place of editing `people`.
    """

    def make(real: Data, place: Path, per_class: int) -> None:
        tell = partial(report, "synthesising")
        synthesize(model, None if invented else real, place, per_class, seed=schedule.seeds[0], tell=tell)

    table, right = accuracy_by_synthetic(people, held_out, make, folder, schedule, report)
    found = _figures(right, held_out.select(protocol_rows(held_out)).manifest, draws)
    figures = {(name, f"{count} a class"): some for count, some in found.items()}
    settings = {"counts": list(schedule.counts), "steps": schedule.steps, "seeds": list(schedule.seeds)}
    about = made_with(held_out, None, {name: model}) | {"trained_on": data_facts(people)["data"]}
    about["settings"] = settings | {"invented": invented}
    write_protocol(folder, "augmentation", about, figures, table)
    return table, figures


def _figures(right: Mapping[int, np.ndarray], test: Manifest, draws: int) -> dict[int, dict[str, Interval]]:
    """Return accuracy, all and by class, and the gain, by faces a class; `right` (N,) of each picture tested."""
    people, words, figures = people_of(test, np.arange(len(test))), [CLASSES[k] for k in test.expression], {}
    for count, hits in right.items():
        values = pd.DataFrame({"accuracy": hits})
        if 0 in right and count:
            values["gain"] = hits - right[0]
        figures[count] = over_people(column_means(values, words), people, draws)
    return figures


def accuracy_by_synthetic(
    people: Data,
    held_out: Data,
    make: Callable[[Data, Path, int], None],
    folder: Path,
    schedule: Schedule,
    report: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> tuple[pd.DataFrame, dict[int, np.ndarray]]:
    """Return the accuracy of ExprGAN's plain recogniser, trained on true faces of `people` and on synthesised ones.

    `make(people, folder, per_class)` synthesises: its model must not have seen the held-out people. Every training
    takes as many steps, however many faces there are. Columns: seed, synthetic_per_class, training_images, accuracy.
    Beside it, by faces a class, the share of seeds (N,) that are right on each of the held-out `protocol_rows`.
    """
    real, test = people.select(protocol_rows(people)), held_out.select(protocol_rows(held_out))
    if max(schedule.counts):
        make(people, folder / "faces", max(schedule.counts))
    rows, right = [], {count: np.zeros(len(test)) for count in schedule.counts}
    for seed in schedule.seeds:
        for count in schedule.counts:
            known = real
            if count:
                known = concat([real, first_of_each_class(open_data(folder / "faces", people.size), count)])
            place, settings = folder / f"seed{seed}" / f"recogniser{count}", replace(schedule.settings, seed=seed)
            net = recogniser(known, place, schedule.steps, settings, partial(_tell, report, f"{count} a class"))
            hits = predict(net, test, BASIC) == test.manifest.expression
            right[count] += hits / len(schedule.seeds)
            columns = {"seed": seed, "synthetic_per_class": count, "training_images": len(known)}
            rows.append(columns | {"accuracy": hits.mean()})
    return pd.DataFrame(rows), right


def recogniser(
    data: Data, place: Path, steps: int, settings: Settings, report: Callable[[Progress], None]
) -> Callable[[torch.Tensor], Prediction]:
    """Return ExprGAN's recogniser (G_enc's layers and a class layer), trained on the data, or as `place` keeps it."""
    claim(place, {"rows": digest(data), "steps": steps})
    changes = {"image_size": data.size, "supervised": True, "pretrain_steps": steps}
    net = train_to_end(Training("expr_gan", "small", changes, settings), data, place, report)
    return able(net, HasBaseline).baseline


def _tell(report: Callable[[str, int, int], None], what: str, progress: Progress) -> None:
    report(what, progress.done, progress.total)
