"""The one training loop: stages in order, turns in cycle, checkpoints that resume exactly."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mien.data.batch import Batch
from mien.data.sampling.sampler import Sampler, prefetch
from mien.errors import InputError
from mien.files import alone, check_json, check_place, make_folder, write_json
from mien.models.contract import Family
from mien.models.io import describe
from mien.models.recipe import Stage, turn_steps
from mien.training.checkpoint import checkpoint, resume, write_state
from mien.training.curves import Curves
from mien.training.origin import check_same_data
from mien.training.settings import Progress, Settings
from mien.training.trainer import Trainer
from mien.training.validation import validated
from mien.weights.resolve import CHECKPOINT

NOTE = "run.json"


@dataclass(frozen=True)
class _Share:
    """One process's part of a sampler's batches, the `rank`-th of `processes`."""

    sampler: Sampler
    rank: int
    processes: int

    def batch(self, step: int) -> Batch:
        return self.sampler.batch(step).part(self.rank, self.processes)


def train(
    model: Family,
    sampler: Sampler,
    folder: Path,
    settings: Settings,
    report: Callable[[Progress], None] = lambda _: None,
    draw: Callable[[Family, Path], None] | None = None,
    told: Mapping[str, Any] | None = None,
    kept_out: Sampler | None = None,
    follow: Callable[[Mapping[str, float], int], None] | None = None,
) -> bool:
    """Train `model` in `folder`, going on from its checkpoint if there is one. Returns whether the recipe is finished.

    The folder gets run.json (the resolved config, each turn's share of the steps, and what is `told` of the data, as
    `mien.training.origin` has it), TensorBoard events, sheets by `draw`, and one checkpoint, always whole: it is
    written beside and renamed. Ctrl-C writes a checkpoint before it goes on its way. As often as sheets are drawn, the
    losses of batches `kept_out` of training are written with the others; `follow` is given all that is.
    Raises InputError when the folder's checkpoint is another model's, of other data, or cannot be written; when another
    process trains in the folder; and at a loss that is no finite number: the last sound checkpoint stays.
    """
    settings.check_batch(model.config.batch_size)
    trainer = Trainer(model, settings)
    path, fabric = folder / CHECKPOINT, trainer.fabric
    with ExitStack() as held:
        if fabric.is_global_zero:
            make_folder(folder)
            held.enter_context(alone(folder))
            check_place(path)
            check_json(folder / NOTE, "family")
        if path.exists():
            check_same_data(folder / NOTE, dict(told or {}))
            resume(trainer, path)
            if trainer.stage >= len(trainer.stages):
                return True  # finished before: nothing to do, nothing to write
        if fabric.is_global_zero:
            note = describe(model) | {"settings": asdict(settings), "turns": shares_of_turns(trainer.stages)}
            write_json(folder / NOTE, note | dict(told or {}))
            for left in folder.glob(f".{CHECKPOINT}.*"):  # by a process killed while it wrote
                left.unlink()
        share = _Share(sampler, fabric.global_rank, fabric.world_size)
        batches = held.enter_context(closing(prefetch(share, trainer.done)))
        interruption = held.enter_context(_Interruption())
        watched = _Validation(kept_out, settings.seed) if kept_out and fabric.is_global_zero else None
        return _run(trainer, batches, folder, report, draw, interruption, watched, follow)


def shares_of_turns(stages: Sequence[Stage]) -> dict[str, dict[str, float]]:
    """Return by turn in how many steps of the whole recipe it takes part, and which share of all that is."""
    total = sum(stage.steps for stage in stages)
    return {name: {"steps": n, "share": round(n / max(total, 1), 6)} for name, n in turn_steps(stages).items()}


class _Validation:
    """The same few batches of people kept out, as often as it is asked."""

    def __init__(self, sampler: Sampler, seed: int, batches: int = 4):
        self.batches, self.seed = [sampler.batch(k) for k in range(batches)], seed

    def __call__(self, trainer: Trainer) -> dict[str, float]:
        stage = trainer.stages[min(trainer.stage, len(trainer.stages) - 1)]
        return validated(trainer.model, stage, self.batches, self.seed)


class _Interruption:
    """Holds Ctrl-C back until a step is whole: a checkpoint of half a step would not resume exactly."""

    asked = False

    def __enter__(self) -> _Interruption:
        self.main = threading.current_thread() is threading.main_thread()
        if self.main:
            self.before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self.main:
            signal.signal(signal.SIGINT, self.before)

    def _ask(self, *_: object) -> None:
        self.asked = True


def _run(
    trainer: Trainer,
    batches: Iterator[Batch],
    folder: Path,
    report: Callable[[Progress], None],
    draw: Callable[[Family, Path], None] | None,
    interruption: _Interruption,
    watched: _Validation | None,
    follow: Callable[[Mapping[str, float], int], None] | None,
) -> bool:
    settings, path, begin, first = trainer.settings, folder / CHECKPOINT, time.monotonic(), trainer.done
    total = sum(stage.steps for stage in trainer.stages)
    curves = Curves(folder, first) if trainer.fabric.is_global_zero else None
    while (result := trainer.advance(lambda step: next(batches))) is not None:
        stage, losses = result
        done, spent, shown = trainer.done, time.monotonic() - begin, {}
        if done % settings.log_every == 0 or done == total:
            pace = spent / (done - first)
            report(Progress(stage, done, total, pace * (total - done), trainer.model.config.batch_size / pace, losses))
            shown = dict(losses)
        if watched and (done % settings.sheet_every == 0 or done == total):
            shown |= watched(trainer)
        if shown and curves:
            curves.add(shown, done)
        if shown and follow and trainer.fabric.is_global_zero:
            follow(shown, done)
        if curves and curves.lost:  # a full disk? Better known now than at the end
            write_state(trainer, path)
            curves = None
        if draw and trainer.fabric.is_global_zero and done % settings.sheet_every == 0:
            try:
                draw(trainer.model, folder / "sheets" / f"{done:07d}.png")
            except InputError as error:  # as curves, sheets are a luxury
                logging.getLogger("mien").warning("%s; training goes on without sheets", error)
                draw = None
        stop = interruption.asked or (settings.stop_after is not None and spent > settings.stop_after)
        if stop or done % settings.checkpoint_every == 0:
            checkpoint(trainer, path)
        if stop:
            break
    else:
        checkpoint(trainer, path)
    if curves:
        curves.close()
    if interruption.asked:
        raise KeyboardInterrupt
    return trainer.stage >= len(trainer.stages)
