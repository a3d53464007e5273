"""The mean code of every expression class, gathered over a training set."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.controls import Controls
from mien.errors import InputError
from mien.labels import CLASSES


class ClassCodes(nn.Module):
    """Sums the codes of faces that show a class fully; `mean` gives the class's code, for editing by class."""

    total: Tensor  # (8, D) float
    count: Tensor  # (8,) float

    def __init__(self, *shape: int):
        super().__init__()
        self.shape = shape  # of a code: D numbers
        self.register_buffer("total", torch.zeros(len(CLASSES), prod(shape)))
        self.register_buffer("count", torch.zeros(len(CLASSES)))

    @torch.no_grad()
    def add(self, code: Tensor, label: Tensor, intensity: Tensor, memory: float = 1.0) -> None:
        """Add the codes (B, …) of the faces that are neutral, or show a class at 0.9 or more (or of unknown degree).

        `label` (B,) is an index into CLASSES, below 0 for no class; `intensity` (B,) in [0, 1], NaN where unknown. What
        was there is multiplied by `memory`.
        """
        full = (label == 0) | ((label > 0) & ~(intensity < 0.9))
        member = F.one_hot(label.clamp(min=0), len(CLASSES)).float() * full[:, None]  # (B, 8)
        self.total.mul_(memory).add_(member.T @ code.float().flatten(1))
        self.count.mul_(memory).add_(member.sum(0))

    def reset(self) -> None:
        """Forget all codes."""
        self.total.zero_()
        self.count.zero_()

    def has(self, expression: str) -> bool:
        """Say whether training showed the class."""
        return bool(self.count[CLASSES.index(expression)] > 0)

    def mean(self, expression: str) -> Tensor:
        """Return a class's mean code (1, …). Raises InputError where training never showed the class."""
        k = CLASSES.index(expression)
        if not self.has(expression):
            raise InputError(f"this model never saw {expression!r} in training, or its last stage was not run")
        return (self.total[k] / self.count[k]).view(1, *self.shape)

    def asked(self, controls: Controls, encode: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the code (B, …) that a class or another face asks for, `encode` giving a face's; faded to its degree.

        Raises InputError as `mean` does.
        """
        code = self.mean(controls.word) if controls.word else encode(controls.like)
        return self.fade(code, controls.intensity)

    def fade(self, code: Tensor, intensity: float) -> Tensor:
        """Return a code (B, …) on its way from neutral's mean (intensity 0) to itself (1).

        The whole expression needs no neutral: there are data sets without. Raises InputError as `mean` does.
        """
        if intensity == 1:
            return code
        neutral = self.mean("neutral")
        return neutral + intensity * (code - neutral)
