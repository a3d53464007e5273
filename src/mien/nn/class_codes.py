"""The mean code of every expression class, gathered over a training set."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import InputError
from mien.labels import CLASSES


class ClassCodes(nn.Module):
    """Sums the codes of faces that show a class fully; `mean` gives the class's code, for editing by class."""

    total: Tensor  # (8, D) float
    count: Tensor  # (8,) float

    def __init__(self, code: int):
        super().__init__()
        self.register_buffer("total", torch.zeros(len(CLASSES), code))
        self.register_buffer("count", torch.zeros(len(CLASSES)))

    @torch.no_grad()
    def add(self, code: Tensor, label: Tensor, intensity: Tensor) -> None:
        """Add the codes (B, D) of the faces that are neutral, or show a class at 0.9 or more (or of unknown degree).

        `label` (B,) is an index into CLASSES, below 0 for no class; `intensity` (B,) in [0, 1], NaN where unknown.
        """
        full = (label == 0) | ((label > 0) & ~(intensity < 0.9))
        member = F.one_hot(label.clamp(min=0), len(CLASSES)).float() * full[:, None]  # (B, 8)
        self.total += member.T @ code.float()
        self.count += member.sum(0)

    def reset(self) -> None:
        """Forget all codes."""
        self.total.zero_()
        self.count.zero_()

    def has(self, expression: str) -> bool:
        """Say whether training showed the class."""
        return bool(self.count[CLASSES.index(expression)] > 0)

    def mean(self, expression: str) -> Tensor:
        """Return a class's mean code (1, D). Raises InputError where training never showed the class."""
        k = CLASSES.index(expression)
        if not self.has(expression):
            raise InputError(f"this model never saw {expression!r} in training, or its last stage was not run")
        return (self.total[k] / self.count[k])[None]

    def fade(self, code: Tensor, intensity: float) -> Tensor:
        """Return a code (B, …) of D numbers on its way from neutral's mean (intensity 0) to itself (1).

        The whole expression needs no neutral: there are data sets without. Raises InputError as `mean` does.
        """
        if intensity == 1:
            return code
        neutral = self.mean("neutral").view(1, *code.shape[1:])
        return neutral + intensity * (code - neutral)
