"""Synthesised training faces: make them with a model, and see what they bring to a recogniser (ExprGAN, Table 1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from mien.data.dataset import Data, concat, digest, open_data
from mien.data.manifest import Manifest
from mien.errors import InputError
from mien.evaluate.predictions import predict, protocol_rows
from mien.evaluate.record import column_means, data_facts, made_with, over_people, result_list, whose, write_record
from mien.files import claim
from mien.labels import BASIC, CLASSES
from mien.metrics.bootstrap import DRAWS, Interval
from mien.models.contract import Family, HasBaseline, Prediction
from mien.models.registry import able, create
from mien.training.loop import train
from mien.training.settings import Progress, Settings
from mien.training.start import sampler_of
from mien.training.synthesis import synthesize

COUNTS = (0, 500, 1000, 5000, 10000)
"""Synthesised faces a class in ExprGAN's Table 1."""


def first_of_each_class(data: Data, count: int) -> Data:
    """Return the first `count` rows of every class."""
    kept = np.zeros(len(data), bool)
    for k in np.unique(data.manifest.expression):
        kept[np.flatnonzero(data.manifest.expression == k)[:count]] = True
    return data.select(kept)


def by_augmentation(
    model: Family,
    name: str,
    people: Data,
    strangers: Data,
    folder: Path,
    counts: Sequence[int] = COUNTS,
    steps: int = 1500,
    seeds: Sequence[int] = (0,),
    invented: bool = False,
    settings: Settings | None = None,
    report: Callable[[str, int, int], None] = lambda what, done, total: None,
    draws: int = DRAWS,
) -> tuple[pd.DataFrame, dict[tuple[str, str], dict[str, Interval]]]:
    """Return the table of `accuracy_by_synthetic` and, by faces a class, figures over strangers; write both.

    accuracy: of all strangers' pictures and by class, the mean over seeds; gain: beyond that of none synthesised, of
    the same pictures, where `counts` has 0. With `invented`, the model invents people in place of editing `people`.
    """

    def make(real: Data, place: Path, per_class: int) -> None:
        said = partial(report, "synthesising")
        synthesize(model, None if invented else real, place, per_class, seed=seeds[0], report=said)

    table, right = accuracy_by_synthetic(
        people, strangers, make, folder, counts, steps, seeds, settings=settings, report=report
    )
    found = _figures(right, strangers.select(protocol_rows(strangers)).manifest, draws)
    figures = {(name, f"{count} a class"): some for count, some in found.items()}
    write_record(
        folder / "augmentation.json",
        {
            "protocol": "augmentation", **made_with(strangers, None, {name: model}),
            "trained_on": data_facts(people)["data"],
            "settings": {"counts": list(counts), "steps": steps, "seeds": list(seeds), "invented": invented},
            "results": result_list(figures),
        },
    )  # fmt: skip
    return table, figures


def _figures(right: Mapping[int, np.ndarray], test: Manifest, draws: int) -> dict[int, dict[str, Interval]]:
    """Return accuracy, all and by class, and the gain, by faces a class; `right` (N,) of each picture tested."""
    of, words, figures = whose(test, np.arange(len(test))), [CLASSES[k] for k in test.expression], {}
    for count, hits in right.items():
        values = pd.DataFrame({"accuracy": hits})
        if 0 in right and count:
            values["gain"] = hits - right[0]
        figures[count] = over_people(column_means(values, words), of, draws)
    return figures


def accuracy_by_synthetic(
    people: Data,
    strangers: Data,
    make: Callable[[Data, Path, int], None],
    folder: Path,
    counts: Sequence[int] = COUNTS,
    steps: int = 1500,
    seeds: Sequence[int] = (0,),
    words: Sequence[str] = BASIC,
    settings: Settings | None = None,
    report: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> tuple[pd.DataFrame, dict[int, np.ndarray]]:
    """Return ExprGAN's plain recogniser's accuracy on strangers, trained on true faces and so many synthesised a class.

    `make(people, folder, per_class)` synthesises: the model it uses must not have seen the strangers. Every training
    takes `steps` batches, however many faces there are. Columns: seed, synthetic_per_class, training_images, accuracy.
    Beside it, by faces a class, the share of seeds (N,) that are right on each of the strangers' `protocol_rows`.
    """
    real, test = people.select(protocol_rows(people, words)), strangers.select(protocol_rows(strangers, words))
    if max(counts):
        make(people, folder / "faces", max(counts))
    rows, right = [], {count: np.zeros(len(test)) for count in counts}
    for seed in seeds:
        for count in counts:
            joined = real
            if count:
                joined = concat([real, first_of_each_class(open_data(folder / "faces", people.size), count)])
            said = partial(_tell, report, f"{count} a class")
            place = folder / f"seed{seed}" / f"recogniser{count}"
            net = recogniser(joined, place, steps, replace(settings or Settings(), seed=seed), said)
            hits = predict(net, test, words) == test.manifest.expression
            right[count] += hits / len(seeds)
            rows.append(
                {"seed": seed, "synthetic_per_class": count, "training_images": len(joined), "accuracy": hits.mean()}
            )
    table = pd.DataFrame(rows)
    table.round(4).to_csv(folder / "augmentation.csv", index=False)
    return table, right


def recogniser(
    data: Data, place: Path, steps: int, settings: Settings, report: Callable[[Progress], None]
) -> Callable[[torch.Tensor], Prediction]:
    """Return ExprGAN's recogniser (G_enc's layers and a class layer), trained on the data, or as `place` keeps it."""
    claim(place, {"rows": digest(data), "steps": steps})
    torch.manual_seed(settings.seed)
    changes: dict[str, Any] = {"image_size": data.size, "subjects": len(data.manifest.subjects)}
    net = create("expr_gan", supervised=True, pretrain_steps=steps, **changes)
    if not train(net, sampler_of(net, data, settings.seed), place, settings, report):
        raise InputError(f"{place}: stopped before its end; call again to go on")
    return able(net.cpu().eval(), HasBaseline).baseline


def _tell(report: Callable[[str, int, int], None], what: str, progress: Progress) -> None:
    report(what, progress.done, progress.total)
