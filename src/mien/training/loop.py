"""The one training loop: stages in order, turns in cycle, checkpoints that resume exactly."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from mien.data.batch import Batch
from mien.data.sampling.sampler import Sampler, prefetch
from mien.models.contract import Family
from mien.models.io import describe
from mien.models.recipe import Stage, turn_steps
from mien.training.checkpoint import checkpoint, resume
from mien.training.settings import Progress, Settings
from mien.training.trainer import Trainer
from mien.weights.resolve import CHECKPOINT


@dataclass(frozen=True)
class _Share:
    """One process's batches of a sampler: of every `processes` in a row, the `rank`-th."""

    sampler: Sampler
    rank: int
    processes: int

    def batch(self, step: int) -> Batch:
        return self.sampler.batch(step * self.processes + self.rank)


def train(
    model: Family,
    sampler: Sampler,
    folder: Path,
    settings: Settings,
    report: Callable[[Progress], None] = lambda _: None,
    draw: Callable[[Family, Path], None] | None = None,
) -> bool:
    """Train `model` in `folder`, going on from its checkpoint if there is one. Returns whether the recipe is finished.

    The folder gets run.json (the resolved config, and each turn's share of the steps), TensorBoard events, sheets by
    `draw`, and one checkpoint, always whole: it is written beside and renamed. Ctrl-C writes a checkpoint before it
    goes on its way.
    Raises InputError when the folder's checkpoint is another model's, or cannot be written.
    """
    trainer = Trainer(model, settings)
    path = folder / CHECKPOINT
    if path.exists():
        resume(trainer, path)
        if trainer.stage >= len(trainer.stages):
            return True  # finished before: nothing to do, nothing to write
    if trainer.fabric.is_global_zero:
        folder.mkdir(parents=True, exist_ok=True)
        note = describe(model) | {"settings": asdict(settings), "turns": shares_of_turns(trainer.stages)}
        (folder / "run.json").write_text(json.dumps(note, indent=2) + "\n")
        for left in folder.glob(f".{CHECKPOINT}.*"):  # by a process killed while it wrote
            left.unlink()
    fabric = trainer.fabric
    share = _Share(sampler, fabric.global_rank, fabric.world_size)
    with closing(prefetch(share, trainer.done)) as batches, _Interruption() as interruption:
        return _run(trainer, batches, folder, report, draw, interruption)


def shares_of_turns(stages: Sequence[Stage]) -> dict[str, dict[str, float]]:
    """Return by turn in how many steps of the whole recipe it takes part, and which share of all that is."""
    total = sum(stage.steps for stage in stages)
    return {name: {"steps": n, "share": round(n / max(total, 1), 6)} for name, n in turn_steps(stages).items()}


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
) -> bool:
    from torch.utils.tensorboard import SummaryWriter

    settings, path, begin, first = trainer.settings, folder / CHECKPOINT, time.monotonic(), trainer.done
    total = sum(stage.steps for stage in trainer.stages)
    writer = SummaryWriter(str(folder), purge_step=first or None) if trainer.fabric.is_global_zero else None
    while (result := trainer.advance(lambda step: next(batches))) is not None:
        stage, losses = result
        done, spent = trainer.done, time.monotonic() - begin
        if done % settings.log_every == 0 or done == total:
            pace = spent / (done - first)
            report(Progress(stage, done, total, pace * (total - done), trainer.model.config.batch_size / pace, losses))
            for name, loss in losses.items():
                if writer:
                    writer.add_scalar(name, loss, done)
        if draw and writer and done % settings.sheet_every == 0:
            draw(trainer.model, folder / "sheets" / f"{done:07d}.png")
        stop = interruption.asked or (settings.stop_after is not None and spent > settings.stop_after)
        if stop or done % settings.checkpoint_every == 0:
            checkpoint(trainer, path)
        if stop:
            break
    else:
        checkpoint(trainer, path)
    if writer:
        writer.close()
    if interruption.asked:
        raise KeyboardInterrupt
    return trainer.stage >= len(trainer.stages)
