"""How long a recipe takes here, and how much shorter it must be for the time that there is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from mien.data.dataset import Data
from mien.models.presets import preset_config
from mien.training.start import Training, sampler_of
from mien.training.trainer import Trainer

WARM, TIMED = 2, 8
"""Steps of each stage that are taken before the clock, and by it; more by it where a turn comes more seldom."""


def lengths(training: Training) -> dict[str, int]:
    """Return the settings that say for how many steps the stages go on, those that are not 0."""
    config = preset_config(training.family, training.preset)
    found = {name: getattr(config, name) for name in config.__dataclass_fields__ if name.endswith("steps")}
    found |= {name: value for name, value in training.changes.items() if name in found}
    return {name: value for name, value in found.items() if value}


def shortened(training: Training, factor: float) -> Training:
    """Return a training whose every stage has `factor` times the steps, at least one."""
    shorter = {name: max(1, round(value * factor)) for name, value in lengths(training).items()}
    return replace(training, changes={**training.changes, **shorter})


def seconds(training: Training, data: Data) -> float:
    """Return how long a training takes on this machine: a few steps of each stage are timed, and nothing is kept.

    On a CPU it is how long it takes where nobody else computes: what others do now says nothing about later.
    """
    people = len(data.manifest.subjects)
    whole = training.model(people)
    seldom = max(turn.every for stage in whole.stages() for turn in stage.turns)
    few: Mapping[str, Any] = dict.fromkeys(lengths(training), WARM + max(TIMED, seldom))
    model = replace(training, changes={**training.changes, **few}).model(people)
    trainer, sampler = Trainer(model, training.settings), sampler_of(model, data, training.settings.seed)
    spent: dict[str, list[float]] = {}

    def clock() -> float:
        alone = trainer.fabric.device.type == "cpu"
        return time.process_time() / torch.get_num_threads() if alone else time.perf_counter()

    begin = clock()
    while (result := trainer.advance(sampler.batch)) is not None:
        now = clock()
        spent.setdefault(result[0], []).append(now - begin)
        begin = now
    pace = {stage: sum(times[WARM:]) / len(times[WARM:]) for stage, times in spent.items()}
    return sum(stage.steps * pace[stage.name] for stage in whole.stages() if stage.steps)
