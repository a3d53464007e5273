"""Stacks of convolutions with spectral and instance normalisation: encoders, a generator, discriminators."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.models.eet.instance import InstanceNorm, PReLU
from mien.nn.spectral import spectral


def halving(inputs: int, widths: Sequence[int], branches: int = 1) -> nn.Sequential:
    """Return Conv(w,3,2,1)-IN-PReLU for every width; as many independent branches of it, one beside the other."""
    layers: list[nn.Module] = []
    for k, width in enumerate(widths):
        groups = branches if k else 1  # every branch begins at the same features
        convolution = nn.Conv2d(inputs, branches * width, 3, 2, 1, groups=groups, bias=False)
        layers += [spectral(convolution, branches), InstanceNorm(), PReLU()]
        inputs = branches * width
    return nn.Sequential(*layers)


class UnitEncoder(nn.Module):
    """E_r: independent branches, each with a map and the intensity of its AU; one branch for all AUs if asked."""

    def __init__(self, inputs: int, widths: Sequence[int], branches: int, units: int):
        super().__init__()
        self.branches = branches
        self.stack = halving(inputs, widths, branches)
        self.read = nn.Conv1d(branches * widths[-1], units, 1, groups=branches)  # FC(1) a branch, or FC(m)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, I, H, W) -> f_ri (B, branches, C, h, w) and û (B, m) in [0, 1]."""
        maps = self.stack(features)
        estimates = self.read(maps.mean((2, 3))[:, :, None])[..., 0].sigmoid()
        return maps.unflatten(1, (self.branches, -1)), estimates


def generator(inputs: int, width: int, doublings: int, first: int = 0, gain: float = 1.0) -> nn.Sequential:
    """Return G: UpRes-IN-PReLU, each half as wide as the one before, then DeConv(3,1,1) and tanh.

    The initial weights of the `first` input channels are multiplied by `gain`.
    """
    layers: list[nn.Module] = []
    for k in range(doublings):
        outputs = max(1, width // 2**k)
        block = UpRes(inputs, outputs)
        if k == 0:
            block.amplify(first, gain)
        layers += [block, InstanceNorm(), PReLU()]
        inputs = outputs
    return nn.Sequential(*layers, spectral(nn.Conv2d(inputs, 3, 1)), nn.Tanh())


def feature_discriminator(inputs: int, widths: Sequence[int], outputs: int) -> nn.Sequential:
    """Return D_u or D_d: 3×3 convolutions of stride 1 on a feature map, global pooling, a linear layer."""
    layers: list[nn.Module] = []
    for width in widths[:-1]:
        layers += [spectral(nn.Conv2d(inputs, width, 3, 1, 1, bias=False)), InstanceNorm(), PReLU()]
        inputs = width
    layers += [spectral(nn.Conv2d(inputs, widths[-1], 3, 1, 1)), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


def image_discriminator(size: int, width: int) -> nn.Sequential:
    """Return D_sc or D_g: halvings down to 4 pixels (256: six), a 4×4 convolution, a score (B, 1, 1, 1)."""
    layers: list[nn.Module] = []
    inputs = 3
    while size >= 8:
        layers += [spectral(nn.Conv2d(inputs, width, 4, 2, 1, bias=False)), InstanceNorm(), PReLU()]
        inputs, width, size = width, 2 * width, size // 2
    return nn.Sequential(
        *layers, spectral(nn.Conv2d(inputs, width, 4, 2, 0)), PReLU(), spectral(nn.Conv2d(width, 1, 1))
    )


class UpRes(nn.Module):
    """UpRes(x) of EET's Table I: DeConv(x,3,1,1,0)-IN-PReLU-DeConv(x,3,2,1,1) plus a shortcut DeConv(x,3,2,1,1).

    (B, I, H, W) -> (B, O, 2H, 2W). No biases: the norm that follows every one of them would take them out again.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.straight = spectral(nn.ConvTranspose2d(inputs, outputs, 3, 1, 1, bias=False))
        self.norm, self.activation = InstanceNorm(), PReLU()
        self.doubled = spectral(nn.ConvTranspose2d(outputs, outputs, 3, 2, 1, 1, bias=False))
        self.shortcut = spectral(nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, 1, bias=False))

    @torch.no_grad()
    def amplify(self, inputs: int, gain: float) -> None:
        """Multiply the weights of the first `inputs` channels, so that they count more beside the others."""
        for layer in (self.straight, self.shortcut):
            layer.get_parameter("parametrizations.weight.original")[:inputs] *= gain

    def forward(self, x: Tensor) -> Tensor:
        """(B, I, H, W) -> (B, O, 2H, 2W)."""
        inner = self.activation(self.norm(self.straight(x)))
        # The sum of two convolutions is one over both inputs: the large map is written once.
        weight = torch.cat([self.doubled.weight, self.shortcut.weight])
        return F.conv_transpose2d(torch.cat([inner, x], 1), weight, None, 2, 1, 1)


def progression(width: int) -> list[int]:
    """Return Table I's widths of a stack of four: w, 2w, 4w, 8w."""
    return [width, 2 * width, 4 * width, 8 * width]


def encoder(width: int, pooled: int) -> nn.Sequential:
    """Return E: two pairs of 3×3 convolutions with batch norm and PReLU, the first `pooled` of them with a pool."""
    layers: list[nn.Module] = []
    for k, (inputs, outputs) in enumerate(pairwise((3, width, width, 2 * width, 2 * width))):
        layers += [nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), PReLU()]
        layers += [nn.AvgPool2d(2)] * (k % 2 == 1 and k // 2 < pooled)
    return nn.Sequential(*layers)


class Attributes(nn.Module):
    """C: who is shown, and in which pose: (B, I, H, W) -> logits (B, n) and (B, v)."""

    def __init__(self, inputs: int, widths: Sequence[int], people: int, poses: int):
        super().__init__()
        layers: list[nn.Module] = []
        for width in widths[:-1]:
            layers += [nn.Conv2d(inputs, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), PReLU()]
            inputs = width
        self.stack = nn.Sequential(*layers, nn.Conv2d(inputs, widths[-1], 3, 2, 1))
        self.identity = nn.Linear(widths[-1], people)
        self.pose = nn.Linear(widths[-1], poses)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, I, H, W) -> (B, n), (B, v)."""
        pooled = self.stack(features).mean((2, 3))
        return self.identity(pooled), self.pose(pooled)
