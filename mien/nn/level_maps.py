"""The mean feature map of every action unit at every intensity level, as exemplars for editing."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LevelMaps(nn.Module):
    """Sums units' maps by level, older ones fading; `at` gives a unit's map at any intensity between the levels."""

    total: Tensor  # (M, L, D) float
    count: Tensor  # (M, L) float

    def __init__(self, units: int, levels: int, size: int):
        super().__init__()
        self.register_buffer("total", torch.zeros(units, levels, size))
        self.register_buffer("count", torch.zeros(units, levels))

    @torch.no_grad()
    def add(self, maps: Tensor, levels: Tensor, memory: float = 1.0) -> None:
        """Add maps (B, M, D) at their levels (B, M), whole numbers or NaN; what was there is multiplied by `memory`."""
        member = F.one_hot(levels.nan_to_num().long(), self.count.shape[1]).float() * ~levels.isnan()[..., None]
        self.total.mul_(memory).add_(torch.einsum("bml,bmd->mld", member, maps.float()))
        self.count.mul_(memory).add_(member.sum(0))

    def at(self, unit: int, value: float) -> Tensor:
        """Return a unit's map (D,) at `value`, between the nearest levels seen; beyond those, the outermost's map.

        Raises LookupError where training never showed the unit at any level.
        """
        seen = self.count[unit].nonzero()[:, 0].tolist()
        if not seen:
            raise LookupError(f"unit {unit} was never seen")
        below = max((k for k in seen if k <= value), default=seen[0])
        above = min((k for k in seen if k >= value), default=seen[-1])
        low, high = (self.total[unit, k] / self.count[unit, k] for k in (below, above))
        return low if below == above else low + (value - below) / (above - below) * (high - low)
