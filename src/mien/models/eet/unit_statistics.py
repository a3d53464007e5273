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


RIDGE = 0.01  # as a share of the faces seen: units that hardly vary get short directions, not wild ones


class UnitDirections(nn.Module):
    """Sums what least squares needs; `direction` is the feature's change a level of one unit, the others held still.

    A mean over faces that show a unit would bring along what usually comes with it: the regression takes that apart.
    """

    gram: Tensor  # (M + 1, M + 1) float, of the intensities and a constant 1
    cross: Tensor  # (M + 1, D) float, of those with the features

    def __init__(self, units: int, size: int):
        super().__init__()
        self.register_buffer("gram", torch.zeros(units + 1, units + 1))
        self.register_buffer("cross", torch.zeros(units + 1, size))

    @torch.no_grad()
    def add(self, feature: Tensor, intensities: Tensor, memory: float = 1.0) -> None:
        """Add features (B, D) with intensities (B, M); what was there is multiplied by `memory`.

        Faces without any known intensity (NaN) are left out; single unknown ones count as absent.
        """
        known = ~intensities.isnan().all(1, keepdim=True)
        rows = torch.cat([intensities.nan_to_num(), torch.ones_like(intensities[:, :1])], 1) * known
        rows, feature = rows.to(self.gram), feature.to(self.gram)
        with torch.autocast(rows.device.type, enabled=False):
            self.gram.mul_(memory).add_(rows.T @ rows)
            self.cross.mul_(memory).add_(rows.T @ feature)

    def direction(self, unit: int) -> Tensor:
        """Return the feature's change (D,) for one more level of a unit. Raises LookupError if it was never shown."""
        if not self.gram[unit, unit] > 0:
            raise LookupError(f"unit {unit} was never shown")
        gram = self.gram.double()
        ridge = RIDGE * gram[-1, -1] * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        ridge[-1, -1] = 0  # the constant is free
        return torch.linalg.solve(gram + ridge, self.cross.double())[unit].float()
