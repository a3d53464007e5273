"""Convolution blocks and stacks that halve or restore an image's size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mien.nn.resample import double_before, halvable, halve_after, with_2x2


def halvings(size: int, times: int) -> list[int]:
    """Return the side lengths of `times` halvings with ceil, `size` first: 75 -> [75, 38, 19, 10, 5, 3]."""
    sides = [size]
    for _ in range(times):
        sides.append((sides[-1] + 1) // 2)
    return sides


class DownBlock(nn.Module):
    """3×3 stride 1 convolution, 2×2 pooling with ceil, batch norm, leaky ReLU: (B, I, H, W) -> (B, O, ⌈H/2⌉, ⌈W/2⌉).

    Pooling comes before norm and activation, so that it can be folded into the convolution; in use the norm is, too.
    """

    kernel: Tensor | None
    shift: Tensor | None

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.register_buffer("kernel", None, persistent=False)
        self.register_buffer("shift", None, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, I, H, W) -> (B, O, ⌈H/2⌉, ⌈W/2⌉)."""
        if self.kernel is not None and halvable(x):
            return F.leaky_relu(F.conv2d(x, self.kernel, self.shift, stride=2, padding=1), 0.2)
        return F.leaky_relu(self.norm(halve_after(x, self.convolution.weight)), 0.2)

    @torch.no_grad()
    def fold(self) -> None:
        """Multiply norm and pooling into the kernel, once instead of at every picture; training anew undoes it."""
        fused = fuse_conv_bn_eval(self.convolution, self.norm)
        self.kernel = (with_2x2(fused.weight) / 4).contiguous(memory_format=torch.channels_last)
        self.shift = fused.get_parameter("bias").detach()

    def train(self, mode: bool = True) -> DownBlock:
        """Set training or use; what is trained is not folded."""
        if mode:
            self.kernel = self.shift = None
        return super().train(mode)


def folded(net: nn.Module) -> None:
    """Make a net in evaluation mode quicker, with the same numbers (`DownBlock.fold`)."""
    for block in net.modules():
        if isinstance(block, DownBlock):
            block.fold()


class UpBlock(nn.Module):
    """Nearest upsampling to a given side, 3×3 stride 1 convolution, then batch norm and ReLU, or tanh if last."""

    def __init__(self, inputs: int, outputs: int, side: int, last: bool = False):
        super().__init__()
        self.side = side
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=last)
        self.norm = None if last else nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, I, h, h) -> (B, O, side, side)."""
        x = double_before(x, self.convolution.weight, self.convolution.bias, self.side)
        return x.tanh() if self.norm is None else F.relu(self.norm(x))


class Encoder(nn.Module):
    """A stack of down blocks and a linear code: (B, 3, size, size) -> (B, code).

    `maps` gives every block's output besides the code, as feature losses need them.
    """

    def __init__(self, size: int, channels: Sequence[int], code: int):
        super().__init__()
        widths = [3, *channels]
        self.blocks = nn.ModuleList(DownBlock(a, b) for a, b in pairwise(widths))
        side = halvings(size, len(channels))[-1]
        self.linear = nn.Linear(channels[-1] * side * side, code)

    def maps(self, image: Tensor) -> list[Tensor]:
        """Return every block's feature maps, finest first."""
        maps = []
        for block in self.blocks:
            image = block(image)
            maps.append(image)
        return maps

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, size, size) in [-1, 1] -> (B, code)."""
        return self.linear(self.maps(image)[-1].flatten(1))


class Decoder(nn.Module):
    """A linear layer and a stack of up blocks ending in tanh: (B, code) -> (B, 3, size, size) in [-1, 1].

    It mirrors the encoder's side lengths, so any size an encoder takes comes back exactly.
    `seed` is the number of channels at the smallest side; the last of `channels` is the image's 3.
    """

    def __init__(self, size: int, code: int, seed: int, channels: Sequence[int]):
        super().__init__()
        sides = halvings(size, len(channels))[::-1]  # smallest first
        self.shape = (seed, sides[0], sides[0])
        self.linear = nn.Linear(code, seed * sides[0] * sides[0])
        widths = [seed, *channels]
        last = len(channels) - 1
        self.blocks = nn.Sequential(
            *(UpBlock(widths[k], widths[k + 1], sides[k + 1], last=k == last) for k in range(len(channels)))
        )

    def forward(self, code: Tensor) -> Tensor:
        """(B, code) -> (B, 3, size, size)."""
        x = self.linear(code).unflatten(1, self.shape)
        return self.blocks(x.contiguous(memory_format=torch.channels_last))


def perceptron(inputs: int, widths: Sequence[int]) -> nn.Sequential:
    """Return linear layers of the given widths with leaky ReLU between."""
    layers: list[nn.Module] = []
    for k, width in enumerate(widths):
        layers.append(nn.Linear(inputs, width))
        if k + 1 < len(widths):
            layers.append(nn.LeakyReLU(0.2))
        inputs = width
    return nn.Sequential(*layers)
