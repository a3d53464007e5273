"""Generators of the shapes that were published, with untrained weights: what they compute, not what they show.

StarGAN (Choi et al. 2018, Table 4), GANimation (Pumarola et al. 2018, Sec. 4), StarGAN v2 (Choi et al. 2020, Table 5).
Written from the papers, for benchmarks alone.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def convolution(inputs: int, outputs: int, kernel: int, stride: int, pad: int) -> nn.Sequential:
    norm = nn.InstanceNorm2d(outputs, affine=True, track_running_stats=True)
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, pad, bias=False), norm, nn.ReLU())


class Residual(nn.Module):
    """Two convolutions beside a short way."""

    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = convolution(width, width, 3, 1, 1), convolution(width, width, 3, 1, 1)[:2]

    def forward(self, x: Tensor) -> Tensor:
        """Return what comes out."""
        return x + self.second(self.first(x))


def up(inputs: int, outputs: int) -> nn.Sequential:
    norm = nn.InstanceNorm2d(outputs, affine=True, track_running_stats=True)
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), norm, nn.ReLU())


class StarGan(nn.Module):
    """A face (B, 3, 128, 128) and a label -> a face; GANimation has action units as label, and a mask besides."""

    def __init__(self, label: int, mask: bool = False):
        super().__init__()
        down = [convolution(3 + label, 64, 7, 1, 3), convolution(64, 128, 4, 2, 1), convolution(128, 256, 4, 2, 1)]
        self.body = nn.Sequential(*down, *(Residual(256) for _ in range(6)), up(256, 128), up(128, 64))
        self.colour = nn.Conv2d(64, 3, 7, 1, 3, bias=False)
        self.mask = nn.Conv2d(64, 1, 7, 1, 3, bias=False) if mask else None

    def forward(self, face: Tensor, label: Tensor) -> Tensor:
        """Return what comes out."""
        spread = label[:, :, None, None].expand(-1, -1, *face.shape[2:])
        features = self.body(torch.cat([face, spread], 1))
        colour = self.colour(features).tanh()
        return colour if self.mask is None else torch.lerp(colour, face, self.mask(features).sigmoid())


class Down(nn.Module):
    """StarGAN v2's block of the way down."""

    def __init__(self, inputs: int, outputs: int, halve: bool):
        super().__init__()
        self.first, self.second = nn.Conv2d(inputs, inputs, 3, 1, 1), nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.norms = nn.ModuleList(nn.InstanceNorm2d(inputs, affine=True) for _ in range(2))
        self.short, self.halve = (
            nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity(),
            halve,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return what comes out."""
        short, x = self.short(x), self.first(F.leaky_relu(self.norms[0](x), 0.2))
        if self.halve:
            short, x = F.avg_pool2d(short, 2), F.avg_pool2d(x, 2)
        return (short + self.second(F.leaky_relu(self.norms[1](x), 0.2))) / 2**0.5


class Styled(nn.Module):
    """StarGAN v2's block of the way up, whose norms follow a style."""

    def __init__(self, inputs: int, outputs: int, style: int, double: bool):
        super().__init__()
        self.first, self.second = nn.Conv2d(inputs, outputs, 3, 1, 1), nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.styles = nn.ModuleList(nn.Linear(style, 2 * width) for width in (inputs, outputs))
        self.short = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()
        self.double = double

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Return what comes out."""
        short = F.interpolate(x, scale_factor=2) if self.double else x
        x = self._styled(x, style, 0)
        x = self.first(F.interpolate(x, scale_factor=2) if self.double else x)
        return (self.short(short) + self.second(self._styled(x, style, 1))) / 2**0.5

    def _styled(self, x: Tensor, style: Tensor, which: int) -> Tensor:
        gain, bias = self.styles[which](style)[:, :, None, None].chunk(2, 1)
        return F.leaky_relu((1 + gain) * F.instance_norm(x) + bias, 0.2)


class StarGanV2(nn.Module):
    """A face (B, 3, 256, 256) and a style (B, 64) -> a face."""

    def __init__(self, style: int = 64):
        super().__init__()
        widths = (64, 128, 256, 512, 512)
        pairs = list(pairwise(widths))
        self.begin = nn.Conv2d(3, 64, 3, 1, 1)
        self.down = nn.Sequential(*(Down(a, b, True) for a, b in pairs), *(Down(512, 512, False) for _ in range(2)))
        up = [Styled(512, 512, style, False) for _ in range(2)]
        self.up = nn.ModuleList([*up, *(Styled(b, a, style, True) for a, b in reversed(pairs))])
        self.end = nn.Sequential(nn.InstanceNorm2d(64, affine=True), nn.LeakyReLU(0.2), nn.Conv2d(64, 3, 1))

    def forward(self, face: Tensor, style: Tensor) -> Tensor:
        """Return what comes out."""
        x = self.down(self.begin(face))
        for block in self.up:
            x = block(x, style)
        return self.end(x)


SHAPES = {
    "StarGAN": (StarGan, (8,), 128, 8),
    "GANimation": (StarGan, (17, True), 128, 17),
    "StarGAN v2": (StarGanV2, (), 256, 64),
}
"""By name: the net, what it is made with, its faces' side, and the length of what is asked."""
