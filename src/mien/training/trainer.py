"""Takes turns: one optimizer step each, on the nets that it names."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from mien.data.batch import Batch
from mien.errors import InputError
from mien.models.contract import Family
from mien.models.io import describe
from mien.models.recipe import Adam, Stage, Turn
from mien.models.registry import name_of
from mien.nn.modes import channels_last
from mien.training.recompute import recompute
from mien.training.settings import Settings


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
        from lightning.fabric import Fabric  # which who only measures may lack

        self.settings = settings
        try:
            self.fabric = Fabric(
                accelerator=settings.accelerator,
                devices=settings.devices,
                num_nodes=settings.nodes,
                precision=settings.precision,
                strategy="auto" if settings.processes == 1 else "ddp_find_unused_parameters_true",
            )
        except (ValueError, RuntimeError) as error:  # Fabric's own words: no such accelerator, or not so many
            raise InputError(f"cannot train on {settings.devices} × {settings.accelerator}: {error}") from error
        self.fabric.launch()
        self.model = channels_last(model)
        if settings.recompute:
            recompute(self.model)
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
        """Take one step, and return its stage's name and its losses; None when the recipe is finished.

        Raises InputError at a loss that is no finite number: the nets are spoilt by then.
        """
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
        if self.fabric.world_size > 1:  # as if one had seen the whole batch
            means = self.fabric.all_reduce(torch.stack(list(losses.values())), reduce_op="mean")
            losses = dict(zip(losses, means, strict=True))
        found = {name: loss.item() for name, loss in losses.items()}
        if wrong := [name for name, loss in found.items() if not math.isfinite(loss)]:
            raise self.astray(f"the loss {wrong[0]} is {found[wrong[0]]}")
        self.step += 1
        return found

    def astray(self, what: str) -> InputError:
        """Return the error of a training that can only get worse: what is no finite number, and what to lower."""
        rates = [name for name in asdict(self.model.config) if name.endswith("lr")]
        precision = "" if self.settings.precision == "32-true" else ", or train with --precision 32-true"
        stage = self.stages[min(self.stage, len(self.stages) - 1)].name
        return InputError(
            f"{name_of(self.model)}: in step {self.done + 1}, stage {stage}, {what}, no finite number; the last sound "
            f"checkpoint stays. Lower {' or '.join(rates)}{precision}, and begin in a new folder if it comes again"
        )

    def take(self, turn: Turn, batch: Batch, rate: float = 1.0) -> dict[str, Tensor]:
        """Do one turn: only `turn.nets` move, on the sum of weight times loss. Returns the unweighted losses.

        Raises ValueError when the model's loss names are not the turn's weight names.
        """
        optimizer = self._optimizer(turn)
        nets = self._nets(turn)
        self.model.requires_grad_(False)
        nets.requires_grad_(True)
        for group in optimizer.param_groups:
            group["lr"] = turn.optimizer.lr * rate * group["factor"]
        optimizer.zero_grad(set_to_none=True)
        parts, found = self.settings.accumulate, []
        for k in range(parts):
            with self.fabric.no_backward_sync(self.wrapped, enabled=k + 1 < parts):
                losses = self.wrapped(_AsIs(batch.part(k, parts)), turn.name)
                if losses.keys() != turn.weights.keys():
                    raise ValueError(f"turn {turn.name!r}: losses {sorted(losses)} but weights {sorted(turn.weights)}")
                weighted = torch.stack([turn.weights[name] * loss for name, loss in losses.items()]).sum()
                self.fabric.backward(weighted / parts)
            found.append({name: loss.detach() for name, loss in losses.items()})
        optimizer.step()
        self.model.requires_grad_(True)
        return {name: torch.stack([part[name] for part in found]).mean() for name in found[0]}

    def _nets(self, turn: Turn) -> nn.ModuleList:
        return nn.ModuleList(self.model.get_submodule(name) for name in turn.nets)

    def _optimizer(self, turn: Turn) -> Any:
        if turn.name not in self.optimizers:
            o = turn.optimizer
            parameters = [
                {"params": list(self.model.get_submodule(name).parameters()), "factor": turn.rates.get(name, 1.0)}
                for name in turn.nets
            ]
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
