"""A training run from its words: the model, the data sets and the settings somebody typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mien.data.batch import Batch
from mien.data.dataset import Data
from mien.data.sampling.augment import Augmentation
from mien.data.sampling.cycled import CycledSampler
from mien.data.sampling.face_sampler import FaceSampler
from mien.data.sampling.geometry import read_geometry
from mien.data.sampling.sampler import NoPairs, PairSampler, Sampler
from mien.data.sampling.streamed import StreamedSampler
from mien.data.sets import Sets, training_data, training_shards
from mien.data.shards import Shards
from mien.errors import InputError
from mien.labels import CLASSES
from mien.media.sheet import save_sheet, sheet
from mien.models.build import outline
from mien.models.contract import Family, Transfers
from mien.models.presets import counted_steps, preset_config, typed_changes
from mien.models.registry import create, find_family, name_of
from mien.models.tensor_files import read_tensors
from mien.nn.images import to_pixels
from mien.nn.modes import evaluating
from mien.training.loop import train
from mien.training.origin import origin
from mien.training.plan import Planned, plan
from mien.training.settings import Progress, Settings
from mien.training.validation import split
from mien.weights.resolve import CHECKPOINT

WITHOUT_TRUTH = {"need_truth": "false", "truth": "0", "exact": "false"}
"""Settings, of the families that have them, for data in which nobody shows what another shows too."""


@dataclass(frozen=True)
class Training:
    """What to train, and how: a model from a preset with some settings changed, or from the weights of a run."""

    family: str
    preset: str = "small"
    changes: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    start: Path | None = None  # a run or a checkpoint to begin with

    def model(self, people: int) -> Family:
        """Return the model as it begins, for so many training people; its random numbers follow from the seed."""
        torch.manual_seed(self.settings.seed)
        family = create(self.family, self.preset, **{**self.changes, "subjects": people})
        if self.start:
            begin_with(family, self.start)
        return family


def train_to_end(
    training: Training,
    data: Data,
    run: Path,
    report: Callable[[Progress], None] = lambda _: None,
    sampler: Callable[[Family], Sampler] | None = None,
) -> Family:
    """Train a model on data, or go on with what `run` holds, and return it on the CPU, ready for use.

    Its batches are those of the model's recipe, or else what `sampler` makes. Raises InputError where training was
    stopped before its end, and for data from which it would learn nothing.
    """
    family = training.model(len(data.manifest.subjects))
    fed = sampler(family) if sampler else sampler_of(family, data, training.settings.seed)
    if not train(family, fed, run, training.settings, report):
        raise InputError(f"{run}: stopped before its end; call again to go on")
    return family.cpu().eval()


def begin(
    model: str,
    preset: str,
    changes: Mapping[str, str],
    sets: Sets,
    run: Path,
    settings: Settings,
    all_people: bool = False,
    start: Path | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    steps: int | None = None,
    validation: float = 0.0,
    announce: Callable[[list[Planned]], None] | None = None,
    follow: Callable[[Mapping[str, float], int], None] | None = None,
) -> bool:
    """Train a model by name on data folders, or go on with what `run` holds. Returns whether it is finished.

    `changes` are settings of the model as text. Rows marked test are left out unless `all_people`.
    `start` is a run or a checkpoint whose weights to begin with, to fine-tune them on other data. `steps` is the length
    of the whole recipe, its stages in proportion. `validation` is a share of the people whose losses are only watched.
    `announce` is told the plan before a training begins, `follow` all losses that are written.
    Raises InputError for any name, value, folder or data that does not fit.
    """
    typed = typed_changes(model, preset, changes)
    if steps is not None:
        typed |= stretched(model, preset, typed, steps)
    size = typed.get("image_size", preset_config(model, preset).image_size)
    data: Data | Shards = training_shards(sets, all_people) or training_data(sets, size, all_people)
    told = origin(sets, data) | {"preset": preset, "validation": validation}
    data, out = split(data, validation) if validation else (data, None)
    family = Training(model, preset, typed, settings, start).model(len(data.manifest.subjects))
    sampler = sampler_of(family, data, settings.seed)
    kept_out = sampler_of(family, out, settings.seed) if out else None
    example = sampler.batch(0)
    if announce and not (run / CHECKPOINT).exists():
        announce(plan(family, example, settings))

    def draw(family: Family, path: Path) -> None:
        draw_sheet(family, example, path)

    return train(family, sampler, run, settings, report, draw, told, kept_out, follow)


def stretched(model: str, preset: str, changes: Mapping[str, Any], steps: int) -> dict[str, int]:
    """Return the settings by which a recipe takes so many steps in all, its stages in their proportion.

    What is changed by name counts as a proportion. Raises InputError where there are too few for every stage.
    """
    config = replace(preset_config(model, preset), **changes)
    counted = counted_steps(model, config, steps)

    def total(with_steps: Mapping[str, int]) -> int:
        header = {"family": model, "config": asdict(replace(config, **with_steps))}
        return sum(stage.steps for stage in outline(header, Path(model)).stages())

    found = {name: max(1, round(n * steps / total({}))) for name, n in counted.items()}
    longest = max(found, key=lambda name: found[name])
    exact = found | {longest: max(1, found[longest] + steps - total(found))}  # what rounding left
    return exact if total(exact) == steps else found


def begin_with(family: Family, start: Path) -> list[str]:
    """Copy the weights of a run or checkpoint into `family`; returns the names that stay fresh.

    It may be another model's, all of whose deployed nets are among the family's own, as fields have the reader.

    What depends on the training people, as an identity classifier's last layer, has another shape and stays fresh.
    Raises InputError when the checkpoint is another model's or of other widths.
    """
    path = start / CHECKPOINT if start.is_dir() else start
    tensors, header = read_tensors(path)
    deployed = find_family(header["family"]).deployed
    if header["family"] != name_of(family) and not set(deployed) < set(family.deployed):
        raise InputError(f"{path}: holds a {header['family']}; begin with one of the same model")
    mine = family.state_dict()
    given = {name.removeprefix("model/"): t for name, t in tensors.items() if not name.startswith("optimizer/")}
    fits = {name: t for name, t in given.items() if name in mine and mine[name].shape == t.shape}
    needed = {name for name in mine if name.split(".")[0] in deployed}
    if wrong := sorted(needed - fits.keys()):
        raise InputError(f"{path}: its {wrong[0].split('.')[0]} has other sizes; begin with a run of the same widths")
    family.load_state_dict(fits, strict=False)
    return sorted(mine.keys() - fits.keys())


def sampler_of(family: Family, data: Data | Shards, seed: int, batch_size: int | None = None) -> Sampler:
    """Return the sampler that a family's recipe asks for, or one of other batches' size; shards are streamed.

    Raises InputError where the family would learn nothing. Where only the known answers are missing, and it has
    settings to learn without, the error names them.
    """
    check_labels(family, data)
    if isinstance(data, Shards):
        side, many = family.config.image_size, batch_size or family.config.batch_size
        return StreamedSampler(data, side, many, seed, lambda part: sampler_of(family, part, seed, batch_size))
    s = family.sampling()
    if s.balance:
        return FaceSampler(data, batch_size or family.config.batch_size, seed, **asdict(s.balance))
    augmentation = Augmentation(
        margin=s.margin, rotations=s.rotations, colour=s.colour, scale=s.scale, anywhere=s.anywhere
    )
    size = batch_size or family.config.batch_size
    if s.cycled:
        return CycledSampler(data, size, seed, s.least, augmentation)
    geometry = read_geometry(data) if s.motion else None

    def sampler(need_truth: bool) -> PairSampler:
        drawn = (s.same, need_truth, augmentation, s.independent, s.alike, geometry, s.neutral)
        return PairSampler(data, size, seed, *drawn)

    try:
        return sampler(s.need_truth)
    except NoPairs as error:
        others = [f"--set {name}={text}" for name, text in WITHOUT_TRUTH.items() if hasattr(family.config, name)]
        how = f"learn without known answers: {' '.join(others)}" if others else family.without_pairs
        if not (s.need_truth and how):
            raise
        sampler(need_truth=False)  # where that would not help either, its own error is the one to read
        raise InputError(f"{error}; or {how}") from error


def check_labels(family: Family, data: Data | Shards) -> None:
    """Raise InputError if the data lack a label without which a family learns nothing."""
    labels = data.manifest
    found = {
        "expression": ((labels.expression >= 0) & (labels.expression < len(CLASSES))).any(),
        "aus": (~np.isnan(labels.aus)).any(),
    }
    columns = {"expression": "a column expression (neutral, happiness …)", "aus": "columns AU01, AU02 … (0-5)"}
    for label in family.needs:
        if not found[label]:
            name = name_of(family)
            raise InputError(f"{labels.folder}: no image has what {name} learns from; expected {columns[label]}")


@torch.inference_mode()
def draw_sheet(model: Family, batch: Batch, path: Path, rows: int = 8) -> None:
    """Write how `model` transfers a batch's first pairs: example, face, result, truth."""
    if not isinstance(model, Transfers):
        return
    device = next(model.parameters()).device
    batch = batch.to(device)
    with evaluating(model):
        made = model.transfer(batch.target.image[:rows], batch.source.image[:rows])
    columns = [batch.source.image[:rows], batch.target.image[:rows], made, batch.truth[:rows]]
    pictures = [[to_pixels(column[k]) for column in columns] for k in range(len(made))]
    page = sheet(pictures, ["example", "face", "transfer", "truth"], size=max(96, made.shape[-1]))
    save_sheet(page, path)
