"""Residual blocks steered by a condition (Perez et al. 2018, FiLM), without any norm."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class FilmBlock(nn.Module):
    """x + C2(a((1 + γ) C1(a(x)) + β)), γ and β linear in the condition; without a condition plain.

    The second convolution begins at zero: a new block changes nothing.
    """

    def __init__(self, width: int, condition: int = 0):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.steer = nn.Linear(condition, 2 * width) if condition else None
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.get_parameter("bias"))

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """(B, C, H, W) and (B, condition) -> (B, C, H, W)."""
        inner = self.first(F.leaky_relu(x, 0.2))
        if self.steer is not None and condition is not None:
            scale, shift = self.steer(condition)[:, :, None, None].chunk(2, 1)
            inner = torch.addcmul(inner + shift, inner, scale)
        return x + self.second(F.leaky_relu(inner, 0.2))
