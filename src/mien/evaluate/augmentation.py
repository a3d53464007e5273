"""Synthesised training faces: make them with a model, and see what they bring to a recogniser (ExprGAN, Table 3)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from mien.about import VERSION
from mien.controls import Controls
from mien.data.cache import Data, concat, open_data
from mien.data.columns import METADATA
from mien.data.manifest import Manifest
from mien.errors import InputError
from mien.evaluate.kept import digest
from mien.evaluate.recognition import predict, protocol_rows
from mien.evaluate.record import column_means, data_facts, made_with, over_people, result_list, whose, write_record
from mien.files import claim, whole
from mien.labels import BASIC, CLASSES
from mien.media.photo import Photo, write_photo
from mien.media.provenance import Stamp
from mien.metrics.bootstrap import DRAWS, Interval
from mien.models.contract import Edits, Family, Generates, HasBaseline, Prediction
from mien.models.io import fingerprint
from mien.models.registry import able, create, name_of
from mien.nn.images import resized, to_pixels
from mien.run import sampler_of
from mien.train import Progress, Settings, train

COUNTS = (0, 500, 1000, 5000, 10000)
"""Synthesised faces a class in ExprGAN's Table 3."""

WEAKEST = 0.5  # intensity of synthesised faces is drawn from here to 1


@torch.inference_mode()
def synthesize(
    model: Family,
    data: Data | None,
    folder: Path,
    per_class: int,
    words: Sequence[str] = BASIC,
    seed: int = 0,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write `per_class` labelled faces of each class to `folder`, a data set like any other; resumes where it stopped.

    With `data`, its neutral people are edited: a row's person is theirs "(made)", a relative of the true one, so that
    folds and test sets keep both on one side. Without, the model invents people, each in all classes; how strongly
    they show them is not known. Pictures carry a stamp that says that they were made. Raises InputError where the model
    cannot, where the data shows nobody neutral, or where `folder` holds faces made otherwise.
    """
    faces = np.flatnonzero(data.manifest.expression == 0) if data is not None else np.zeros(1, np.int64)
    if data is not None and not len(faces):
        raise InputError(f"{data.manifest.folder}: nobody is neutral; expected neutral faces to edit")
    shown = "" if data is None else digest(data, faces)
    claim(folder, {"weights": fingerprint(model), "faces": shown, "seed": seed})
    rows: list[dict[str, str]] = []
    for k in range(per_class):  # all classes of one k, so that the first n of every class make a smaller set
        person = int(np.random.default_rng([seed, k]).integers(2**31))
        for word in words:
            rng = np.random.default_rng([seed, k, CLASSES.index(word)])
            intensity, row = WEAKEST + (1 - WEAKEST) * rng.random(), int(rng.choice(faces))
            file = folder / "images" / f"{k:05d}_{word}.png"
            labels = {"subject": f"new{k:05d}"} if data is None else labels_of(data, row, intensity)
            rows.append({"file_name": f"images/{file.name}", "expression": word, "kind": "made"} | labels)
            if not file.is_file():
                if data is None:
                    made = able(model, Generates).generate(1, word, seed=person)
                else:
                    face = resized(data.images[row : row + 1], model.config.image_size)
                    made = able(model, Edits).edit(face, Controls(word, intensity))
                write_made(made, file, name_of(model), f"synthesize: {word} {intensity:.2f}", labels["subject"])
        report(k + 1, per_class)
    with whole(folder / METADATA) as beside, beside.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_made(image: torch.Tensor, file: Path, model: str, told: str, subject: str) -> None:
    """Write one picture (1, 3, S, S) that a model made, with a stamp that says so."""
    file.parent.mkdir(parents=True, exist_ok=True)
    stamp = Stamp(f"mien {VERSION}", model, told, subject)
    write_photo(Photo(to_pixels(image[0]), None, False, None, None), file, stamp)


def labels_of(data: Data, row: int, intensity: float) -> dict[str, str]:
    """Return what is known of a face made from a row's: its person descends from the row's."""
    m = data.manifest
    person = m.subjects[m.subject[row]]
    fold = str(m.fold[row]) if m.fold[row] >= 0 else ""
    sides = {"test": str(int(m.test[row])), "fold": fold, "split": str(m.split[row])}
    return {"subject": f"{person} (made)", "parents": person, "intensity": f"{intensity:.3f}"} | sides


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
