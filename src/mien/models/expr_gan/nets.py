"""Strided nets: 5×5 stride 2 convolutions down, nearest upsampling and 3×3 convolutions up; batch norm or none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.models.expr_gan.equations import K
from mien.nn.blocks import halvings
from mien.nn.resample import double_before


class StridedBlock(nn.Module):
    """5×5 stride 2 convolution, batch norm if wanted, leaky ReLU: (B, I, H, W) -> (B, O, ⌈H/2⌉, ⌈W/2⌉).

    `slope` 0 is a plain ReLU. Without batch norm the weights start by He's rule, so that deep stacks keep their scale.
    """

    def __init__(self, inputs: int, outputs: int, norm: bool = True, slope: float = 0.2):
        super().__init__()
        self.slope = slope
        self.convolution = nn.Conv2d(inputs, outputs, 5, stride=2, padding=2, bias=not norm)
        self.norm = nn.BatchNorm2d(outputs) if norm else None
        if not norm:
            _start_by_he(self.convolution)

    def forward(self, x: Tensor, shift: Tensor | None = None) -> Tensor:
        """(B, I, H, W) -> (B, O, ⌈H/2⌉, ⌈W/2⌉); `shift` (B, O) is added to the convolution everywhere."""
        x = self.convolution(x)
        if shift is not None:
            x = x + shift[:, :, None, None]
        return F.leaky_relu(x if self.norm is None else self.norm(x), self.slope)


class GrowBlock(nn.Module):
    """Nearest upsampling to a given side (or none), 3×3 convolution, batch norm if wanted, ReLU, or tanh if last."""

    def __init__(self, inputs: int, outputs: int, side: int, norm: bool = True, last: bool = False):
        super().__init__()
        self.side, self.last = side, last
        normed = norm and not last
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=not normed)
        self.norm = nn.BatchNorm2d(outputs) if normed else None
        if not norm and not last:
            _start_by_he(self.convolution)

    def forward(self, x: Tensor) -> Tensor:
        """(B, I, h, h) -> (B, O, side, side)."""
        if x.shape[-1] == self.side:
            x = self.convolution(x)
        else:
            x = double_before(x, self.convolution.weight, self.convolution.bias, self.side)
        if self.last:
            return x.tanh()
        return F.relu(x if self.norm is None else self.norm(x))


class StridedEncoder(nn.Module):
    """Strided blocks with ReLU and a linear code: (B, 3, size, size) -> (B, code)."""

    def __init__(self, size: int, channels: Sequence[int], code: int, norm: bool = True):
        super().__init__()
        self.blocks = nn.Sequential(*(StridedBlock(a, b, norm, slope=0.0) for a, b in pairwise([3, *channels])))
        self.linear = nn.Linear(channels[-1] * halvings(size, len(channels))[-1] ** 2, code)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, size, size) in [-1, 1] -> (B, code)."""
        return self.linear(self.blocks(image).flatten(1))


class GrowingDecoder(nn.Module):
    """A linear layer, `doublings` growing blocks, the rest at full size: (B, code) -> (B, 3, size, size) in [-1, 1].

    `seed` is the number of channels at the smallest side; the last of `channels` is the image's 3.
    """

    def __init__(self, size: int, code: int, seed: int, channels: Sequence[int], doublings: int, norm: bool = True):
        super().__init__()
        sides = halvings(size, doublings)[::-1]
        self.shape = (seed, sides[0], sides[0])
        self.linear = nn.Linear(code, seed * sides[0] ** 2)
        sides = sides[1:] + [size] * (len(channels) - doublings)
        last = len(channels) - 1
        self.blocks = nn.Sequential(
            *(
                GrowBlock(a, b, side, norm, last=k == last)
                for k, ((a, b), side) in enumerate(zip(pairwise([seed, *channels]), sides, strict=True))
            )
        )

    def forward(self, code: Tensor) -> Tensor:
        """(B, code) -> (B, 3, size, size)."""
        x = F.relu(self.linear(code)).unflatten(1, self.shape)
        return self.blocks(x.contiguous(memory_format=torch.channels_last))


def normed_perceptron(inputs: int, widths: Sequence[int]) -> nn.Sequential:
    """Return linear layers of the given widths with batch norm and leaky ReLU between."""
    layers: list[nn.Module] = []
    for a, b in pairwise([inputs, *widths[:-1]]):
        layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear([inputs, *widths][-2], widths[-1]))


def _start_by_he(convolution: nn.Conv2d) -> None:
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)


class ConditionedTrunk(nn.Module):
    """What D_img and Q share: four strided blocks and a linear layer on (x, y).

    y shifts the first convolution's channels, as K constant planes beside the image would, at no cost.
    """

    def __init__(self, size: int, width: int, outputs: int):
        super().__init__()
        channels = [3, *(width * 2**k for k in range(4))]
        self.blocks = nn.ModuleList(StridedBlock(a, b) for a, b in pairwise(channels))
        self.condition = nn.Linear(K, width, bias=False)
        self.linear = nn.Linear(channels[-1] * halvings(size, 4)[-1] ** 2, outputs, bias=False)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, image: Tensor, present: Tensor) -> Tensor:
        """(B, 3, size, size) and y (B, K) -> (B, outputs)."""
        x = self.blocks[0](image, self.condition(present))
        for block in self.blocks[1:]:
            x = block(x)
        return F.leaky_relu(self.norm(self.linear(x.flatten(1))), 0.2)


class Regressor(nn.Module):
    """Q's K branches, each FC 64 and d, on the trunk's numbers: the mean of a factored Gaussian."""

    def __init__(self, inputs: int, style: int):
        super().__init__()
        self.branches = nn.ModuleList(normed_perceptron(inputs, (64, style)) for _ in range(K))

    def forward(self, shared: Tensor) -> Tensor:
        """(B, inputs) -> c (B, K d), about in (-1, 1)."""
        return torch.cat([branch(shared) for branch in self.branches], 1)
