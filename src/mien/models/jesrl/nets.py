"""JESRL's discriminator and classifier."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mien.labels import CLASSES
from mien.models.jesrl.unet import Level
from mien.models.jesrl.vgg import Vgg19

N = len(CLASSES)
CODE_CHANNELS = 20  # Table I: the switch code takes 20·n channels


class Discriminator(nn.Module):
    """D_k of Table I at a side; the class is tiled over the image, an unknown one is all zeros."""

    def __init__(self, width: int, side: int):
        super().__init__()
        widths = [3 + N, width, 2 * width, 4 * width, 8 * width]
        self.levels = nn.Sequential(*(Level(a, b) for a, b in pairwise(widths)))
        self.linear = nn.Linear(8 * width * (side // 16) ** 2, 1)

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """(B, 3, side, side), (B,) -> logits (B, 1)."""
        plane = one_hot(label).to(image.dtype)[:, :, None, None].expand(-1, -1, *image.shape[2:])
        return self.linear(self.levels(torch.cat([image, plane], 1)).flatten(1))


class Classifier(nn.Module):
    """C of Table I: VGG-19 beside the representation, joined by FC(512) at every place, pooled, three layers."""

    def __init__(self, width: int, norm: bool, representation: int, pool: int):
        super().__init__()
        c = 8 * width
        self.representation = representation
        self.vgg = Vgg19(width, norm)
        self.join = nn.Conv2d(c + representation, c, 1)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(pool),
            nn.Flatten(),
            nn.Linear(c * pool * pool, 8 * c),
            nn.ReLU(),
            nn.Linear(8 * c, 8 * c),
            nn.ReLU(),
            nn.Linear(8 * c, N),
        )
        for name, parameter in (*self.join.named_parameters(), *self.head.named_parameters()):
            nn.init.zeros_(parameter) if name.endswith("bias") else nn.init.kaiming_normal_(parameter)

    def forward(self, image: Tensor, representation: Tensor | None) -> Tensor:
        """(B, 3, H, W), (B, R, H/32, W/32) -> logits (B, n); None stands for a representation of zeros."""
        seen = self.vgg(image)
        if representation is None:
            representation = seen.new_zeros(len(seen), self.representation, *seen.shape[2:])
        return self.head(self.join(torch.cat([seen, representation.to(seen.dtype)], 1)))


def one_hot(label: Tensor) -> Tensor:
    """Return labels (B,) one-hot: (B, n) bool, all False where the label is -100."""
    return label[:, None] == torch.arange(N, device=label.device)


def block_of(expression: str, device: torch.device) -> Tensor:
    """Return which block is a class's (1, n)."""
    return one_hot(torch.tensor([CLASSES.index(expression)], device=device))


def halves(maps: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Return the first and the second half of every tensor's rows: what is of I_a and what is of its partner."""
    both = [m.chunk(2) for m in maps]
    return [first for first, _ in both], [second for _, second in both]
