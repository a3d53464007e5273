"""What experiments run on: the data, who is trained on and who is tested, and trainings that are done once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from mien.data.dataset import Data, digest
from mien.data.folds import make_folds
from mien.data.manifest import Manifest
from mien.data.relatives import parents_of
from mien.data.sets import Sets
from mien.errors import InputError
from mien.evaluate.evaluators.base import Evaluator
from mien.files import claim
from mien.models.contract import Family
from mien.models.io import load
from mien.models.presets import preset_config, typed_changes
from mien.models.registry import name_of
from mien.progress import Tell, untold
from mien.training.settings import Progress, Settings
from mien.training.start import Training, train_to_end

TENTH = 10
"""Where nobody is marked test, one in so many people is tested, as ExprGAN's and EET's papers split."""

SIZE = 128
"""Pixels at which pictures are compared."""


def most_folds(manifest: Manifest, asked: int) -> int:
    """Return how many folds people can be dealt into, at most `asked`. Raises InputError for fewer than two people."""
    people = sum(not parents for parents in parents_of(manifest))
    if people < 2:
        raise InputError(f"{manifest.folder}: shows {people} person; expected some to train on and others to test")
    return min(asked, people)


def _as_it_is(config: Any) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Variant:
    """A model to be trained: the paper's, or one that differs from it in something."""

    name: str  # in figures
    ablation: str = ""  # a preset beside the chosen one, as no_interpolation
    changes: Callable[[Any], Mapping[str, Any]] = _as_it_is  # of the preset's config
    family: str = ""  # another paper's


@dataclass(frozen=True)
class Bench:
    """One paper on one set of data: everything an experiment asks for."""

    family: str
    preset: str
    sets: Sets
    folder: Path
    evaluator: Evaluator
    settings: Settings = field(default_factory=Settings)
    seeds: Sequence[int] = (0,)
    changes: Mapping[str, str] = field(default_factory=dict)  # as typed; of another family with its name: eet.steps
    people: int | None = None  # train on at most so many, and test at most so many; by folds, so many in all
    weights: Sequence[str] = ()  # measured in place of trainings of the models that they are of, each of another
    start: Path | None = None  # weights that the paper's own model begins with
    variants: bool = False  # by folds, test on animations that nobody was trained on
    minutes: float | None = None  # of a fold
    pretrain: bool = False  # by folds, train first on the people who are left out
    tell: Tell = untold

    def everyone(self, size: int) -> Data:
        """Return all pictures of known people."""
        data = self.sets.open(size)
        return data.select(data.manifest.subject >= 0)

    def known(self, size: int) -> Data:
        """Return the pictures to train on."""
        return self._few(self._sides(size)[0])

    def tested(self, size: int = SIZE) -> Data:
        """Return the pictures of people whom nobody is trained on: those marked test, or else a tenth of all."""
        return self._few(self._sides(size)[1])

    def _sides(self, size: int) -> tuple[Data, Data]:
        data = self.sets.open(size)
        m = data.manifest
        if m.test.any():
            return data.select((m.subject >= 0) & ~m.test), data.select((m.subject >= 0) & m.test)
        train, test = make_folds(m, most_folds(m, TENTH), 0).split(0)
        return data.select(train), data.select(test)

    def _few(self, data: Data) -> Data:
        return data if self.people is None else data.select(data.manifest.subject < self.people)

    def given(self, variant: Variant | None = None) -> str | None:
        """Return the weights that are measured in place of a variant's training, if any; by default the paper's own.

        Raises InputError where two of them are of the same model.
        """
        named: dict[str, str] = {}
        for name in self.weights:
            family = name_of(load(name))
            if family in named:
                raise InputError(f"--model {name}: is {family}, as is {named[family]}; expected one of each")
            named[family] = name
        v = variant or Variant(self.family)
        family = v.family or self.family
        return named.get(family) if v in (Variant(self.family), Variant(family, family=family)) else None

    def training(self, variant: Variant | None = None) -> Training:
        """Return how a variant is trained: the chosen preset, or its ablation, with the changes that were asked for."""
        v = variant or Variant("")
        family = v.family or self.family
        preset = self.preset
        if v.ablation:
            preset = v.ablation if preset == "small" else f"{preset}_{v.ablation}"
        config = preset_config(family, preset)
        named = {key: text for key, text in self.changes.items() if "." in key}
        own = {key: text for key, text in self.changes.items() if "." not in key and family == self.family}
        own |= {key.partition(".")[2]: text for key, text in named.items() if key.partition(".")[0] == family}
        typed = typed_changes(family, preset, own)
        changes = {**typed, **v.changes(replace(config, **typed))}
        return Training(family, preset, changes, self.settings, self.start if family == self.family else None)

    def config(self) -> Any:
        """Return the paper's own model's config, as it is trained."""
        t = self.training()
        return replace(preset_config(t.family, t.preset), **t.changes)

    def model(self, variant: Variant | None = None, seed: int | None = None) -> Family:
        """Return a variant trained on `known`, once and for all; by default the paper's own, or the given weights."""
        if given := self.given(variant):
            return load(given).eval()
        v, t = variant or Variant(self.family), self.training(variant)
        seed = self.seeds[0] if seed is None else seed
        t = replace(t, settings=replace(t.settings, seed=seed))
        data = self.known(replace(preset_config(t.family, t.preset), **t.changes).image_size)
        run = self.folder / "runs" / f"{v.name or t.family}_seed{seed}"
        made_by = {"preset": t.preset, "changes": dict(t.changes), "rows": digest(data), "start": str(t.start or "")}
        claim(run, made_by)
        return train_to_end(t, data, run, partial(self.tell_training, v.name or t.family))

    def tell_training(self, what: str, progress: Progress) -> None:
        """Say how far a training is."""
        self.tell(progress.done, progress.total, f"{what} {progress.stage}")
