"""A recogniser's trunk: halvings with residual convolutions between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from mien.nn.blocks import DownBlock


class Trunk(nn.Module):
    """A halving for every width, each but the first followed by a residual convolution.

    (B, 3, S, S) in [-1, 1] -> (B, widths[-1], S / 2^n, S / 2^n) for n widths.
    """

    def __init__(self, widths: Sequence[int]):
        super().__init__()
        self.halve = nn.ModuleList(DownBlock(a, b) for a, b in pairwise([3, *widths]))
        self.refine = nn.ModuleList(
            nn.Sequential(nn.Conv2d(w, w, 3, padding=1, bias=False), nn.BatchNorm2d(w)) for w in widths[1:]
        )

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, C, s, s)."""
        x = self.halve[0](image)
        for halve, refine in zip(list(self.halve)[1:], self.refine, strict=True):
            x = halve(x)
            x = F.leaky_relu(x + refine(x), 0.2)
        return x
