"""VGG-19 (Simonyan & Zisserman 2014, configuration E): sixteen 3×3 convolutions in five pooled blocks."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from mien.errors import InputError
from mien.reading import opened

DEPTHS = (2, 2, 4, 4, 4)
"""Convolutions a block."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's RGB in [0, 1]


class Vgg19(nn.Module):
    """The convolutions of VGG-19: (B, 3, H, W) in [-1, 1] -> (B, 8·width, ⌊H/32⌋, ⌊W/32⌋).

    At width 64 the parameters have torchvision's names and shapes, so that its ImageNet weights fit: those of `vgg19`,
    or of `vgg19_bn` with `norm`, which has batch norm after every convolution. A narrow net needs that to learn at all.
    """

    mean: Tensor  # (1, 3, 1, 1)
    deviation: Tensor

    def __init__(self, width: int = 64, norm: bool = False):
        super().__init__()
        widths = [3, width, 2 * width, 4 * width, 8 * width, 8 * width]
        layers: list[nn.Module] = []
        self.firsts: list[int] = []  # index of every block's first activation
        for (inputs, outputs), depth in zip(pairwise(widths), DEPTHS, strict=True):
            self.firsts.append(len(layers) + (2 if norm else 1))
            for k in range(depth):
                convolution = nn.Conv2d(inputs if k == 0 else outputs, outputs, 3, padding=1)
                nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
                layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU()] if norm else [convolution, nn.ReLU()]
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.register_buffer("mean", torch.tensor(MEAN, device="cpu").view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION, device="cpu").view(1, 3, 1, 1), persistent=False)

    def maps(self, image: Tensor) -> list[Tensor]:
        """Return each block's first activation (relu1_1 … relu5_1), finest first."""
        x, maps = self._standard(image), []
        for k in range(self.firsts[-1] + 1):
            x = self.features[k](x)
            if k in self.firsts:
                maps.append(x)
        return maps

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1] -> (B, 8·width, ⌊H/32⌋, ⌊W/32⌋)."""
        return self.features(self._standard(image))

    def _standard(self, image: Tensor) -> Tensor:
        return (image * 0.5 + 0.5 - self.mean) / self.deviation


def load_vgg19(net: Vgg19, path: Path) -> None:
    """Copy ImageNet weights into `net`: safetensors, or a PyTorch state dict, with torchvision's names.

    Raises InputError when the file cannot be read or does not fit the net.
    """
    with opened(path, "expected VGG-19's weights as torchvision has them"):
        pass  # a pipe would be waited for
    try:
        given = load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=True)
    except Exception as error:  # torch.load raises what it likes
        raise InputError(f"{path}: no readable VGG-19 weights ({type(error).__name__})") from error
    mine = net.state_dict()
    for name, tensor in mine.items():
        there = given.get(name) if isinstance(given, dict) else None
        if not isinstance(there, Tensor) or there.shape != tensor.shape:
            found = tuple(there.shape) if isinstance(there, Tensor) else "missing"
            raise InputError(f"{path}: {name} is {found}; expected {tuple(tensor.shape)}, as torchvision's VGG-19 has")
        if not there.isfinite().all():
            raise InputError(f"{path}: {name} holds values that are no numbers; download it again")
    net.load_state_dict({name: given[name] for name in mine})
