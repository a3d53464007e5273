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
INTERVALS = ("checkpoint_every", "log_every", "sheet_every")  # in steps


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
        for name, most in (("devices", 1024), ("nodes", 1024), *dict.fromkeys(INTERVALS, 10**9).items()):
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
