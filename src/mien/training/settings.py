"""How to train, and how far a training is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from mien.devices import best_device
from mien.errors import InputError

Precision = Literal["32-true", "bf16-mixed"]
ACCELERATORS = ("auto", "cpu", "cuda", "gpu", "mps")
SPARE = 8  # processes that any processor may be asked for, as to try what runs on several
SHARES = ("devices", "nodes", "accumulate")  # of a batch
INTERVALS = ("checkpoint_every", "log_every", "sheet_every")  # in steps


@dataclass(frozen=True)
class Settings:
    """How to train; what to train is the model's recipe.

    A batch is as large as the recipe says, however many share it: `devices` × `nodes` processes take a part each, and
    do it in `accumulate` parts one after the other, whose gradients are added up before a step. With `recompute`, what
    blocks of layers compute is not kept for the gradients but computed again: less memory, a third more time.
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
    accumulate: int = 1
    recompute: bool = False

    @property
    def processes(self) -> int:
        """How many train together."""
        return self.devices * self.nodes

    def check_batch(self, size: int) -> None:
        """Raise InputError where a batch of `size` cannot be shared evenly."""
        parts = self.processes * self.accumulate
        if size % parts:
            shared = f"{self.processes} processes × {self.accumulate} parts"
            told = f"a batch of {size} cannot be shared by {shared}"
            raise InputError(f"{told}; --set batch_size to a multiple of {parts}")

    def __post_init__(self) -> None:
        bounds = dict.fromkeys(SHARES, 1024) | dict.fromkeys(INTERVALS, 10**9)
        for name, most in bounds.items():
            if not 1 <= getattr(self, name) <= most:
                raise InputError(f"{name} is {getattr(self, name)}; expected 1 or more, at most {most}")
        cores = max(SPARE, os.cpu_count() or 1)
        if self.devices > cores and (self.accelerator == "cpu" or best_device() != "cuda"):
            raise InputError(f"devices is {self.devices}; expected at most {cores} processes on this processor")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed is {self.seed}; expected 0 or more, at most {2**63 - 1}")
        if self.accelerator not in ACCELERATORS:
            raise InputError(f"device is {self.accelerator}; expected one of {', '.join(ACCELERATORS)}")
        if self.stop_after is not None and not self.stop_after >= 0:
            raise InputError(f"stop_after is {self.stop_after}; expected seconds, 0 or more")


def best_precision(accelerator: str) -> Precision:
    """Return bf16-mixed where the processor computes in bf16, else 32-true."""
    import torch

    from mien.nn.modes import native_bf16

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
