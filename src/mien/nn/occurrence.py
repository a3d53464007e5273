"""How often each action unit occurs, counted while training."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Occurrence(nn.Module):
    """Counts how often each unit's label is known, and how often it then is above a threshold."""

    known: Tensor  # (M,) float
    occurred: Tensor  # (M,) float

    def __init__(self, units: int, threshold: float):
        super().__init__()
        self.threshold = threshold
        self.register_buffer("known", torch.zeros(units))
        self.register_buffer("occurred", torch.zeros(units))

    def add(self, intensities: Tensor) -> None:
        """Count intensities (B, M), NaN where unknown."""
        self.known += (~intensities.isnan()).sum(0)
        self.occurred += (intensities > self.threshold).sum(0)

    def rates(self) -> Tensor:
        """Return the share of known labels that occurred (M,), 1/2 where nothing was counted yet."""
        return (self.occurred + 1) / (self.known + 2)
