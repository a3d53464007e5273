"""The one training loop: stages in order, turns in cycle, checkpoints that resume exactly."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from mien.data.batch import Batch
from mien.data.sampling.sampler import Sampler, prefetch
from mien.errors import InputError
from mien.models.contract import Family
from mien.models.io import describe
from mien.models.recipe import Adam, Stage, Turn
from mien.models.tensors import read_tensors, write_tensors
from mien.nn.modes import channels_last, native_bf16
from mien.weights.resolve import CHECKPOINT

Precision = Literal["32-true", "bf16-mixed"]


@dataclass(frozen=True)
class _Share:
    """One process's batches of a sampler: of every `processes` in a row, the `rank`-th."""

    sampler: Sampler
    rank: int
    processes: int

    def batch(self, step: int) -> Batch:
        return self.sampler.batch(step * self.processes + self.rank)


@dataclass(frozen=True)
class Settings:
    """How to train; what to train is the model's recipe.

    `stop_after` (seconds) ends the run at a checkpoint from which it can go on; None trains to the recipe's end.
    """

    seed: int = 0
    precision: Precision = "bf16-mixed"
    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    checkpoint_every: int = 500
    log_every: int = 20
    sheet_every: int = 1000
    stop_after: float | None = None

    def __post_init__(self) -> None:
        for name in ("devices", "nodes", "checkpoint_every", "log_every", "sheet_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; expected 1 or more")
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}; expected 0 or more")


def best_precision(accelerator: str) -> Precision:
    """Return bf16-mixed where the processor computes in bf16, else 32-true."""
    if accelerator != "cpu" and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    return "bf16-mixed" if native_bf16() else "32-true"


@dataclass(frozen=True)
class Progress:
    """Where a training stands: `done` of `total` steps of all stages, seconds left, the last losses."""

    stage: str
    done: int
    total: int
    seconds_left: float
    faces_per_second: float
    losses: dict[str, float]


class _AsIs:
    """Carries a batch past Fabric, which would round its pixels and labels to bf16."""

    def __init__(self, batch: Batch):
        self.batch = batch


class _Objective(nn.Module):
    """What Fabric wraps: a model's losses of a carried batch."""

    def __init__(self, model: Family):
        super().__init__()
        self.model = model

    def forward(self, carried: _AsIs, turn: str) -> dict[str, Tensor]:
        return self.model(carried.batch, turn)


class Trainer:
    """Takes turns. `state` is all that a later `restore` needs to go on as if nothing had happened.

    Randomness is a function of seed and step: nothing else has to be kept for an exact resume.
    """

    def __init__(self, model: Family, settings: Settings):
        self.settings = settings
        alone = settings.devices * settings.nodes == 1
        try:
            self.fabric = Fabric(
                accelerator=settings.accelerator,
                devices=settings.devices,
                num_nodes=settings.nodes,
                precision=settings.precision,
                strategy="auto" if alone else "ddp_find_unused_parameters_true",
            )
        except (ValueError, RuntimeError) as error:  # Fabric's own words: no such accelerator, or not so many
            raise InputError(f"cannot train on {settings.devices} × {settings.accelerator}: {error}") from error
        self.fabric.launch()
        self.model = channels_last(model)
        self.wrapped = self.fabric.setup_module(_Objective(self.model))
        self.stage, self.step = 0, -1  # -1: the stage has not been entered
        self.optimizers: dict[str, Any] = {}

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The model's recipe."""
        return self.model.stages()

    @property
    def done(self) -> int:
        """Steps taken over all stages."""
        return sum(s.steps for s in self.stages[: self.stage]) + max(self.step, 0)

    def advance(self, batch_of: Callable[[int], Batch]) -> tuple[str, dict[str, float]] | None:
        """Take one step, and return its stage's name and its losses; None when the recipe is finished."""
        while self.stage < len(self.stages):
            stage = self.stages[self.stage]
            if self.step < 0:
                self.model.enter(stage.name)
                self.optimizers.clear()  # a stage starts with fresh moments
                self.step = 0
            if self.step < stage.steps:
                return stage.name, self._step(stage, batch_of(self.done))
            self.stage, self.step = self.stage + 1, -1
        return None

    def _step(self, stage: Stage, batch: Batch) -> dict[str, float]:
        torch.manual_seed(hash((self.settings.seed, self.done, self.fabric.global_rank)) % 2**63)
        batch = batch.to(self.fabric.device)
        self.model.train()
        losses: dict[str, Tensor] = {}
        for turn in stage.turns:
            if self.step % turn.every == 0:
                losses |= {f"{turn.name}/{k}": v for k, v in self.take(turn, batch, _rate(stage, self.step)).items()}
        self.step += 1
        return {name: loss.item() for name, loss in losses.items()}

    def take(self, turn: Turn, batch: Batch, rate: float = 1.0) -> dict[str, Tensor]:
        """Do one turn: only `turn.nets` move, on the sum of weight times loss. Returns the unweighted losses.

        Raises ValueError when the model's loss names are not the turn's weight names.
        """
        optimizer = self._optimizer(turn)
        nets = self._nets(turn)
        self.model.requires_grad_(False)
        nets.requires_grad_(True)
        losses = self.wrapped(_AsIs(batch), turn.name)
        if losses.keys() != turn.weights.keys():
            raise ValueError(f"turn {turn.name!r}: losses {sorted(losses)} but weights {sorted(turn.weights)}")
        for group in optimizer.param_groups:
            group["lr"] = turn.optimizer.lr * rate
        optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(torch.stack([turn.weights[name] * loss for name, loss in losses.items()]).sum())
        optimizer.step()
        self.model.requires_grad_(True)
        return {name: loss.detach() for name, loss in losses.items()}

    def _nets(self, turn: Turn) -> nn.ModuleList:
        return nn.ModuleList(self.model.get_submodule(name) for name in turn.nets)

    def _optimizer(self, turn: Turn) -> Any:
        if turn.name not in self.optimizers:
            o, parameters = turn.optimizer, self._nets(turn).parameters()
            plain: torch.optim.Optimizer
            if isinstance(o, Adam):
                plain = torch.optim.Adam(parameters, o.lr, o.betas, weight_decay=o.weight_decay, fused=True)
            else:
                plain = torch.optim.SGD(parameters, o.lr, o.momentum, weight_decay=o.weight_decay)
            self.optimizers[turn.name] = self.fabric.setup_optimizers(plain)
        return self.optimizers[turn.name]

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and a header that `restore` takes."""
        tensors = {f"model/{name}": t for name, t in self.model.state_dict().items()}
        for turn, optimizer in self.optimizers.items():
            for index, moments in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer/{turn}/{index}/{k}": t for k, t in moments.items() if t is not None}
        header = describe(self.model) | {"stage": self.stage, "step": self.step, "settings": asdict(self.settings)}
        return tensors, header

    def restore(self, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
        """Go back to a state. The model must be of the same family and config."""
        self.model.load_state_dict({k.removeprefix("model/"): t for k, t in tensors.items() if k.startswith("model/")})
        self.stage, self.step = header["stage"], header["step"]
        moments: dict[str, dict[int, dict[str, Tensor]]] = {}
        for key, t in tensors.items():
            if key.startswith("optimizer/"):
                _, turn, index, name = key.split("/")
                moments.setdefault(turn, {}).setdefault(int(index), {})[name] = t
        self.optimizers.clear()
        if self.stage >= len(self.stages):
            return
        for turn_ in self.stages[self.stage].turns:
            if turn_.name in moments:
                optimizer = self._optimizer(turn_)
                for number, parameter in enumerate(self._nets(turn_).parameters()):
                    mine = moments[turn_.name].get(number, {})
                    # Fused Adam walks memory: moments must lie as parameters do.
                    alike = {
                        k: torch.empty_like(parameter).copy_(t) for k, t in mine.items() if t.shape == parameter.shape
                    }
                    mine |= {k: t.detach() for k, t in alike.items()}
                groups = optimizer.state_dict()["param_groups"]
                optimizer.load_state_dict({"state": moments[turn_.name], "param_groups": groups})


def _rate(stage: Stage, step: int) -> float:
    """Return the learning rate's factor: 1, then linearly down over the stage's last `decay` share."""
    if not stage.decay:
        return 1.0
    return min(1.0, (1 - step / stage.steps) / stage.decay)


def train(
    model: Family,
    sampler: Sampler,
    folder: Path,
    settings: Settings,
    report: Callable[[Progress], None] = lambda _: None,
    draw: Callable[[Family, Path], None] | None = None,
) -> bool:
    """Train `model` in `folder`, going on from its checkpoint if there is one. Returns whether the recipe is finished.

    The folder gets run.json (the resolved config), TensorBoard events, sheets by `draw`, and one checkpoint, always
    whole: it is written beside and renamed. Ctrl-C writes a checkpoint before it goes on its way.
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
        note = describe(model) | {"settings": asdict(settings)}
        (folder / "run.json").write_text(json.dumps(note, indent=2) + "\n")
        for left in folder.glob(f".{CHECKPOINT}.*"):  # by a process killed while it wrote
            left.unlink()
    fabric = trainer.fabric
    share = _Share(sampler, fabric.global_rank, fabric.world_size)
    with closing(prefetch(share, trainer.done)) as batches, _Interruption() as interruption:
        return _run(trainer, batches, folder, report, draw, interruption)


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


def checkpoint(trainer: Trainer, path: Path) -> None:
    """Write the trainer's state; the file at `path` is whole at any moment."""
    if trainer.fabric.is_global_zero:
        write_tensors(path, *trainer.state())
    trainer.fabric.barrier()


def resume(trainer: Trainer, path: Path) -> None:
    """Bring `trainer` to the state at `path`. Raises InputError if that is another model, config or seed."""
    tensors, header = read_tensors(path)
    if "stage" not in header:
        raise InputError(f"{path}: holds finished weights, not a checkpoint; give the folder of a training run")
    mine = describe(trainer.model)
    if header["family"] != mine["family"]:
        raise InputError(f"{path}: is a checkpoint of {header['family']}, not {mine['family']}; choose another folder")
    for name, value in header["config"].items():
        if name not in mine["config"] or list_to_tuple(value) != mine["config"][name]:
            what = "data of as many people" if name == "subjects" else "the same settings"
            raise InputError(
                f"{path}: was begun with {name}={value}, not {mine['config'].get(name)}; "
                f"resume with {what} or choose another folder"
            )
    for name in ("seed", "precision", "devices", "nodes"):
        begun, now = header["settings"][name], getattr(trainer.settings, name)
        if begun != now:
            raise InputError(f"{path}: was begun with {name} {begun}, not {now}; resume with --{name} {begun}")
    trainer.restore(tensors, header)


def list_to_tuple(value: Any) -> Any:
    """Return JSON's lists as the tuples they were."""
    return tuple(value) if isinstance(value, list) else value
