"""A reader fitted to a corpus of one's own in minutes, with the figures that say what it brought."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from mien.data.dataset import Data
from mien.data.sets import Sets, training_data
from mien.errors import InputError
from mien.labels import CLASSES
from mien.metrics.confusion import confusion, recalls
from mien.metrics.icc import agreements
from mien.models.contract import Family
from mien.models.evaluator.model import Evaluator
from mien.models.fields.model import FieldModel
from mien.models.io import load, save_model
from mien.models.reader.code import STRONGEST, UNITS
from mien.models.reader.model import ReaderModel
from mien.models.reader.nets import Reader
from mien.models.registry import create, name_of
from mien.nn.images import to_tensor
from mien.training.loop import train
from mien.training.origin import origin
from mien.training.settings import Progress, Settings
from mien.training.start import begin_with, sampler_of
from mien.training.validation import split
from mien.weights.resolve import SUFFIX, resolve

SIDE = 128  # pixels at which a reader's pictures are kept
SHARE = 0.2  # of the people, on whom it is measured
STEPS = 300
RATE = 2e-4  # a fifth of the reader's own: what it knows shall stay


@dataclass(frozen=True)
class Figures:
    """What a reader makes of people kept out; NaN where the corpus has no such labels."""

    accuracy: float
    balanced: float  # mean recall of the classes that there are
    icc: float  # ICC(3,1), mean of the action units whose labels vary

    def __str__(self) -> str:
        found = {"accuracy": self.accuracy, "balanced": self.balanced, "ICC of units": self.icc}
        return ", ".join(f"{name} {value:.3f}" for name, value in found.items() if not math.isnan(value))


@dataclass(frozen=True)
class Adapted:
    """The weights, and what they read before and after on so many pictures of so many people kept out."""

    weights: Path
    before: Figures
    after: Figures
    pictures: int
    people: int


def adapt(
    start: str,
    sets: Sets,
    run: Path,
    settings: Settings,
    steps: int = STEPS,
    all_people: bool = False,
    report: Callable[[Progress], None] = lambda _: None,
) -> Adapted:
    """Fit what weights read to data folders, and write `<model>.safetensors` into the run's folder.

    Of the people, a fifth is kept out and measured before and after. Labels that the corpus lacks are taken from the
    reading before, so that who has words alone does not lose the units. Raises InputError for weights of a model that
    is no reader, and as a training does.
    """
    before = load(start)
    if not isinstance(before, FieldModel | ReaderModel | Evaluator):
        raise InputError(f"{start}: is a {name_of(before)}; fields, reader and evaluator can be adapted")
    size = before.config.image_size if isinstance(before, Evaluator) else SIDE
    data, out = split(training_data(sets, size, all_people), SHARE)
    learner = _learner(start, before, steps, data)
    told = origin(sets, data) | {"adapted": start}
    if not train(learner, sampler_of(learner, filled(data, before), settings.seed), run, settings, report, told=told):
        raise InputError(f"{run}: stopped before its end; call again to go on")
    learner = learner.cpu().eval()
    after: Family = learner
    if isinstance(before, FieldModel | ReaderModel):
        after = copy.deepcopy(before)
        _reader(after).load_state_dict(_reader(learner).state_dict())
    path = run / f"{name_of(before)}{SUFFIX}"
    save_model(after, path)
    return Adapted(path, figures(before, out), figures(after, out), len(out), len(out.manifest.subjects))


def _learner(start: str, before: FieldModel | ReaderModel | Evaluator, steps: int, data: Data) -> Family:
    """Return the model that is trained: the reader inside fields, or an evaluator, with the weights that it has."""
    if isinstance(before, Evaluator):
        changes = {"steps": steps, "lr": RATE, "subjects": len(data.manifest.subjects)}
        learner = create("evaluator", **asdict(before.config) | changes)
        begin_with(learner, resolve(start))
        return learner
    c = asdict(before.config)
    side, width = (c["reader_side"], c["reader_width"]) if "reader_side" in c else (c["side"], c["width"])
    small = ReaderModel.PRESETS["small"]
    reader = ReaderModel(replace(small, side=side, width=width, begin_steps=0, steps=steps, lr=RATE))
    for net in (reader.learner, reader.reader):
        net.load_state_dict(before.reader.state_dict())
    return reader


def _reader(model: Family) -> Reader:
    """Return the net inside fields, or a reader, that reads."""
    assert isinstance(model, FieldModel | ReaderModel)
    return model.reader


@torch.inference_mode()
def read(model: Family, data: Data, batch: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Return action units by side (N, 2, 21), 0-5, and class probabilities (N, C) that a reader gives for pictures."""
    units, words = [], []
    for first in range(0, len(data), batch):
        faces = to_tensor(data.images[np.arange(first, min(first + batch, len(data)))])
        if isinstance(model, Evaluator):
            both = model.estimate_aus(faces)
            units.append(torch.stack([both, both], 1))
            words.append(model.recognize(faces).probabilities)
            continue
        code, logits = _reader(model).read(faces)
        units.append(STRONGEST * code[:, : 2 * UNITS].clamp(0, 1).unflatten(1, (2, UNITS)))
        words.append(logits.softmax(1))
    return torch.cat(units).float().numpy(), torch.cat(words).float().numpy()


def filled(data: Data, model: Family) -> Data:
    """Return data whose pictures without any action unit have those that a model reads."""
    m = data.manifest
    bare = np.isnan(m.aus).all(1)
    if not bare.any():
        return data
    units, _ = read(model, data)
    left, right, both = (np.array(x) for x in (m.left, m.right, m.aus))
    left[bare], right[bare], both[bare] = units[bare, 0], units[bare, 1], units[bare].max(1)
    return replace(data, manifest=replace(m, left=left, right=right, aus=both))


def figures(model: Family, data: Data) -> Figures:
    """Return how well a model reads labelled pictures."""
    m = data.manifest
    units, words = read(model, data)
    known = (m.expression >= 0) & (m.expression < len(CLASSES))
    nothing = float("nan")
    accuracy = balanced = icc = nothing
    if known.any():
        told = words[known].argmax(1)
        accuracy = float((told == m.expression[known]).mean())
        balanced = float(np.nanmean(recalls(confusion(m.expression[known], told, len(CLASSES)))))
    labelled = ~np.isnan(m.aus).all(0)
    varied = labelled & (np.nan_to_num(m.aus, nan=-np.inf).max(0) > np.nan_to_num(m.aus, nan=np.inf).min(0))
    if varied.any():
        icc = float(np.nanmean(agreements(m.aus[:, varied], units[:, :, varied].max(1))[0]))
    return Figures(accuracy, balanced, icc)
