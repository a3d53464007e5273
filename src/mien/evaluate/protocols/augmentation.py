"""Synthesised training faces: make them with a model, and see what they bring to a recogniser (ExprGAN, Table 1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mien.data.dataset import Data, digest, open_data
from mien.data.folds import make_folds
from mien.data.manifest import Manifest
from mien.data.relatives import parents_of
from mien.data.sampling.mixed import MixedSampler
from mien.data.sampling.sampler import Sampler
from mien.errors import InputError
from mien.evaluate.predictions import predict, protocol_rows
from mien.evaluate.record import Key, column_means, data_facts, made_with, over_people, people_of, write_protocol
from mien.files import claim
from mien.labels import BASIC, CLASSES
from mien.metrics.bootstrap import DRAWS, Interval
from mien.models.contract import Family, HasBaseline, Prediction
from mien.models.presets import preset_config
from mien.models.registry import able
from mien.training.settings import Progress, Settings
from mien.training.start import Training, sampler_of, train_to_end
from mien.training.synthesis import synthesize

Recogniser = Callable[[torch.Tensor], Prediction]

COUNTS = (0, 500, 1000, 5000, 10000)
"""Synthesised faces a class in ExprGAN's Table 1."""


def of_times(data: Data, times: Sequence[float]) -> list[int]:
    """Return faces a class that make so many times as many as the data's own (JESRL's Fig. 12: 0N … 6N)."""
    return [round(k * int(protocol_rows(data).sum()) / len(BASIC)) for k in times]


def first_of_each_class(data: Data, count: int) -> Data:
    """Return the first `count` rows of every class."""
    kept = np.zeros(len(data), bool)
    for k in np.unique(data.manifest.expression):
        kept[np.flatnonzero(data.manifest.expression == k)[:count]] = True
    return data.select(kept)


RISE = 0.005
"""By which accuracy on the people kept back must rise for a longer training to count as better."""

KEPT_BACK = 5
"""One in so many training people is kept back, to see when a training has converged."""


@dataclass(frozen=True)
class Schedule:
    """What recognisers are trained on, and how: each with so many synthesised faces a class, to convergence.

    A training takes `steps` batches, and twice as many while that still helps, up to `doublings` times. In each batch
    the share `real` shows true faces, however many synthesised ones there are.
    """

    counts: Sequence[int] = COUNTS
    steps: int = 1500
    seeds: Sequence[int] = (0,)
    settings: Settings = field(default_factory=Settings)
    real: float = 0.5
    doublings: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.real < 1:
            raise InputError(f"the share of true faces is {self.real:g}; expected more than 0 and less than 1")
        if self.steps < 1 or self.doublings < 0 or min(self.counts, default=0) < 0:
            raise InputError(
                f"steps {self.steps}, doublings {self.doublings}, counts {list(self.counts)}: "
                "expected at least 1, at least 0, at least 0"
            )


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
        synthesize(model, None if invented else real, place, per_class, seed=schedule.seeds[0], tell=tell, varied=True)

    table, right = accuracy_by_synthetic(people, held_out, make, folder, schedule, report)
    found = _figures(right, held_out.select(protocol_rows(held_out)).manifest, draws)
    figures = {(name, f"{count} a class"): some for count, some in found.items()}
    settings = {name: value for name, value in asdict(schedule).items() if name != "settings"}
    about = made_with(held_out, None, {name: model}) | {"trained_on": data_facts(people)["data"]}
    about["settings"] = settings | {
        "counts": list(schedule.counts),
        "seeds": list(schedule.seeds),
        "invented": invented,
    }
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

    `make(people, folder, per_class)` synthesises: its model must not have seen the held-out people. A part of `people`
    is kept back, to see when a training has converged. Columns: seed, synthetic_per_class, training_images, steps,
    passes (how often it saw each true face), accuracy. Beside it, by faces a class, the share of seeds (N,) that are
    right on each of the held-out `protocol_rows`.
    """
    test = held_out.select(protocol_rows(held_out))
    learnt, kept_back = _two_parts(people)
    real, check = learnt.select(protocol_rows(learnt)), kept_back.select(protocol_rows(kept_back))
    if max(schedule.counts):
        make(learnt, folder / "faces", max(schedule.counts))
    rows, right = [], {count: np.zeros(len(test)) for count in schedule.counts}
    for seed in schedule.seeds:
        for count in schedule.counts:
            made = first_of_each_class(open_data(folder / "faces", people.size), count) if count else None
            place, settings = folder / f"seed{seed}" / f"recogniser{count}", replace(schedule.settings, seed=seed)
            tell = partial(_tell, report, f"{count} a class")
            net, steps = converged(
                lambda steps: recogniser(real, made, place, steps, schedule.real, settings, tell),  # noqa: B023
                lambda net: float(np.mean(predict(net, check, BASIC) == check.manifest.expression)),
                schedule,
            )
            hits = predict(net, test, BASIC) == test.manifest.expression
            right[count] += hits / len(schedule.seeds)
            faces = len(real) + (len(made) if made else 0)
            passes = steps * true_faces(schedule.real, made) / len(real)
            columns = {"seed": seed, "synthetic_per_class": count, "training_images": faces, "steps": steps}
            rows.append(columns | {"passes": passes, "accuracy": hits.mean()})
    return pd.DataFrame(rows), right


def _two_parts(people: Data) -> tuple[Data, Data]:
    """Return the people to learn from, and those kept back, to whom none of the others is related."""
    alone = sum(not parents for parents in parents_of(people.manifest))
    learnt, kept_back = make_folds(people.manifest, min(KEPT_BACK, alone), 0).split(0)
    return people.select(learnt), people.select(kept_back)


def converged(
    learn: Callable[[int], Recogniser], score: Callable[[Recogniser], float], schedule: Schedule
) -> tuple[Recogniser, int]:
    """Return the recogniser that learnt for as many steps as help, and these steps."""
    steps = schedule.steps
    best = learn(steps)
    reached = score(best)
    for _ in range(schedule.doublings):
        longer = learn(2 * steps)
        if not (found := score(longer)) >= reached + RISE:
            break
        best, steps, reached = longer, 2 * steps, found
    return best, steps


def recogniser(
    real: Data,
    made: Data | None,
    place: Path,
    steps: int,
    share: float,
    settings: Settings,
    report: Callable[[Progress], None],
) -> Recogniser:
    """Return ExprGAN's recogniser (G_enc's layers and a class layer), trained on the data, or as `place` keeps it."""
    place = place / f"steps{steps}"
    claim(place, {"real": digest(real), "made": digest(made) if made else "", "steps": steps, "share": share})
    changes = {"image_size": real.size, "supervised": True, "exact": False, "pretrain_steps": steps}

    def mixed(family: Family) -> Sampler:
        if made is None:
            return sampler_of(family, real, settings.seed)
        first = true_faces(share, made)
        sizes = ((real, first), (made, batch_size() - first))
        return MixedSampler([sampler_of(family, data, settings.seed, size) for data, size in sizes])

    net = train_to_end(Training("expr_gan", "small", changes, settings), real, place, report, mixed)
    return able(net, HasBaseline).baseline


def true_faces(share: float, made: Data | None) -> int:
    """Return how many of a recogniser's batch are true faces."""
    batch = batch_size()
    return batch if made is None else min(max(round(batch * share), 1), batch - 1)


def batch_size() -> int:
    """Return how many faces a recogniser sees a step."""
    return int(preset_config("expr_gan", "small").batch_size)


def _tell(report: Callable[[str, int, int], None], what: str, progress: Progress) -> None:
    report(what, progress.done, progress.total)
