"""A U-Net of strided convolutions: an encoder that keeps its finer maps, a decoder that adds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F


class Level(nn.Module):
    """3×3 convolution (or, `up`, deconvolution) of stride 2, l2 norm over the channels or batch norm, leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, up: bool = False, batch_norm: bool = False):
        super().__init__()
        self.convolution: nn.Module = (
            nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1)
            if up
            else nn.Conv2d(inputs, outputs, 3, 2, padding=1)
        )
        self.norm = nn.BatchNorm2d(outputs) if batch_norm else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, I, H, W) -> (B, O, ⌈H/2⌉, ⌈W/2⌉), or twice the sides."""
        x = self.convolution(x)
        return F.leaky_relu(self.norm(x) if self.norm else l2_normal(x), 0.2)


def l2_normal(x: Tensor) -> Tensor:
    """Return x with a mean square of 1 over the channels of every place: (B, C, H, W)."""
    return F.rms_norm(x.permute(0, 2, 3, 1), x.shape[1:2], eps=1e-8).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Encoded:
    """What an encoder makes of images: the deepest map, and the finer ones as `skips`, finest first."""

    image: Tensor
    representation: Tensor
    skips: list[Tensor]


class UNetEncoder(nn.Module):
    """Levels of the given widths, the image's 3 first."""

    def __init__(self, widths: Sequence[int], batch_norm: bool = False):
        super().__init__()
        self.levels = nn.ModuleList(Level(a, b, batch_norm=batch_norm) for a, b in pairwise(widths))

    def forward(self, image: Tensor) -> Encoded:
        """(B, 3, H, W) -> every level's map."""
        maps = [image]
        for level in self.levels:
            maps.append(level(maps[-1]))
        return Encoded(image, maps[-1], maps[1:-1])


class UNetDecoder(nn.Module):
    """Levels of the given widths, the code's channels first; a deconvolution to 3 channels and tanh come last."""

    def __init__(self, widths: Sequence[int], batch_norm: bool = False):
        super().__init__()
        self.levels = nn.ModuleList(Level(a, b, up=True, batch_norm=batch_norm) for a, b in pairwise(widths))
        self.last = nn.ConvTranspose2d(widths[-1], 3, 3, 2, padding=1, output_padding=1)

    def forward(self, code: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """(K·B, C, h, w) and the maps of B images, which repeat -> (K·B, 3, H, W) in [-1, 1]."""
        for level, skip in zip(self.levels, reversed(skips), strict=True):
            code = level(code).unflatten(0, (-1, skip.shape[0])).add(skip).flatten(0, 1)
        return self.last(code).tanh()
