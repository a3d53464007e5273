"""Colours that are the picture's own: what is painted has a brightness, and a share of the face's colour.

Black-and-white thus stays so, and sepia sepia, by construction.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mien.nn.modes import exactly

FACE = (0.3, 0.45, 0.7, 0.8)
"""Of the frame, as left, top, right, bottom: where the face's colour is taken from."""

SAME, VARIED = 0.1, 0.3  # by what share of itself colour varies beside brightness: in sepia, in photographs


@dataclass(frozen=True)
class Tint:
    """A face's colour, and whether it follows from brightness alone."""

    colour: Tensor  # (B, 3, 1, 1): by what share of its brightness a channel is above it, in the mean
    variety: Tensor  # (B, 1, 1, 1): 0 where all that is seen has that colour, as in sepia, to 1

    def painted(self, brightness: Tensor, redness: Tensor) -> Tensor:
        """Eq. 5b: return colours (B, 3, h, w) in [-1, 1] of brightness (B, 1, h, w) in 0-1.

        `redness` (B, 1, h, w) is the share of the face's colour: 0 grey, 1 as skin, more as lips and gums; or
        (B, 3, h, w), a channel's own.
        """
        share = 1 + self.variety * (redness - 1)
        return 2 * brightness * (1 + share * self.colour) - 1

    def along(self, off: Tensor) -> Tensor:
        """Return by what share of the face's colour something is off grey by (B, 3, h, w): (B, 1, h, w)."""
        return (off * self.colour).sum(1, keepdim=True) / self.colour.square().sum(1, keepdim=True).clamp(min=1e-4)

    def redness(self, light: Tensor, brightness: Tensor) -> Tensor:
        """Return the redness (B, 3, h, w) with which `painted` gives colours (B, 3, h, w) in 0-1 of that brightness."""
        colour = torch.where(self.colour.abs() < 0.01, 0.01, self.colour)
        share = (light / brightness - 1) / colour
        return 1 + ((share - 1) / self.variety.clamp(min=0.1)).clamp(-9, 9)


@exactly
def tint_of(view: Tensor) -> Tint:
    """Return the tint of frames (B, 3, V, V) in [-1, 1], whose black has no colour."""
    left, top, right, bottom = (round(edge * view.shape[-1]) for edge in FACE)
    light = (view[..., top:bottom, left:right] + 1) / 2
    grey = light.mean(1, keepdim=True)
    chroma, total = light - grey, grey.square().sum((2, 3), keepdim=True).clamp(min=1e-3)
    colour = (chroma * grey).sum((2, 3), keepdim=True) / total  # least squares
    left_over = (chroma - colour * grey).square().sum((1, 2, 3), keepdim=True) / total
    spread = (left_over / colour.square().sum(1, keepdim=True).clamp(min=1e-6)).sqrt()
    return Tint(colour, ((spread - SAME) / (VARIED - SAME)).clamp(0, 1))
