"""What a training is going to do, before it does it: its stages, and how long each will take."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass

import torch

from mien.data.batch import Batch
from mien.models.contract import Family
from mien.training.settings import Settings
from mien.training.trainer import Trainer


@dataclass(frozen=True)
class Planned:
    """A stage: its name, its steps, its turns in words, and the seconds that it should take."""

    stage: str
    steps: int
    turns: str
    seconds: float


def plan(model: Family, batch: Batch, settings: Settings) -> list[Planned]:
    """Return a training's stages, each timed by a step of a copy of the model; the first step of all is not counted.

    On several processes times are those of one alone.
    """
    alone = Settings(settings.seed, settings.precision, settings.accelerator)
    random = torch.get_rng_state()
    trainer = Trainer(copy.deepcopy(model), alone)
    found = []
    warm = False
    for stage in trainer.stages:
        if not stage.steps:
            continue
        trainer.model.enter(stage.name)
        trainer.optimizers.clear()
        trainer.model.train()
        moved = batch.to(trainer.fabric.device)
        spent = 0.0
        for turn in stage.turns:
            if not warm:
                trainer.take(turn, moved)
                warm = True
            begin = time.monotonic()
            trainer.take(turn, moved)
            spent += (time.monotonic() - begin) / turn.every
        turns = ", ".join(turn.name if turn.every == 1 else f"{turn.name} in 1 of {turn.every}" for turn in stage.turns)
        found.append(Planned(stage.name, stage.steps, turns, spent * stage.steps))
    torch.set_rng_state(random)
    return found
