"""Noise that nets are fed."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform(
    rows: int, columns: int, device: torch.device | str = "cpu", generator: torch.Generator | None = None
) -> Tensor:
    """Return noise ~ U(-1, 1) (rows, columns), from torch's global generator or a given one."""
    return torch.rand(rows, columns, device=device, generator=generator) * 2 - 1
