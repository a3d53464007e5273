"""Spectral normalisation (Miyato et al. 2018) of convolutions, also of several that lie in one grouped convolution."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

Convolution = TypeVar("Convolution", nn.Conv2d, nn.ConvTranspose2d)


class SpectralNorm(nn.Module):
    """Divides a weight by its largest singular value, estimated by one step of power iteration a pass in training.

    With `parts` the output channels are that many independent convolutions, each divided by its own value: PyTorch's
    own parametrization knows only one. Inside `parametrize.cached()` a weight is normalised once, however often used.
    """

    left: Tensor  # (parts, outputs a part), unit length
    right: Tensor  # (parts, inputs × kernel), unit length

    def __init__(self, weight: Tensor, parts: int = 1, transposed: bool = False, steps: int = 15):
        super().__init__()
        self.parts, self.transposed = parts, transposed
        matrix = self._matrix(weight.detach())
        outline = weight.is_meta  # of a model, whose values a file has
        drawn = torch.empty if outline else torch.randn
        self.register_buffer("left", drawn(matrix.shape[:2]))
        self.register_buffer("right", drawn(matrix.shape[::2]))
        if not outline:
            self.left, self.right = F.normalize(self.left, dim=1), F.normalize(self.right, dim=1)
            for _ in range(steps):
                self._iterate(matrix)

    def _matrix(self, weight: Tensor) -> Tensor:
        rows = weight.transpose(0, 1) if self.transposed else weight  # a transposed convolution's order is (I, O, k, k)
        return rows.permute(0, 2, 3, 1).reshape(self.parts, rows.shape[0] // self.parts, -1)

    @torch.no_grad()
    def _iterate(self, matrix: Tensor) -> None:
        # New tensors, not in place: autograd may still hold the old ones from an earlier pass.
        self.right = F.normalize(torch.einsum("pok,po->pk", matrix, self.left), dim=1)
        self.left = F.normalize(torch.einsum("pok,pk->po", matrix, self.right), dim=1)

    def forward(self, weight: Tensor) -> Tensor:
        """Return `weight` (of any convolution's shape) with every part's largest singular value near 1."""
        with torch.autocast(weight.device.type, enabled=False):
            matrix = self._matrix(weight)
            if self.training:
                self._iterate(matrix.detach())
            value = torch.einsum("po,pok,pk->p", self.left, matrix, self.right)
            per_output = value.repeat_interleave(matrix.shape[1])
            return weight / per_output.view((1, -1, 1, 1) if self.transposed else (-1, 1, 1, 1))


def spectral(convolution: Convolution, parts: int = 1) -> Convolution:
    """Give a (transposed) convolution spectral normalisation, and return it."""
    transposed = isinstance(convolution, nn.ConvTranspose2d)
    norm = SpectralNorm(convolution.weight, parts, transposed)
    parametrize.register_parametrization(convolution, "weight", norm, unsafe=True)  # unsafe: spare a trial pass
    return convolution
