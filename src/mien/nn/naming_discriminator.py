"""A discriminator that names: expression or fake in one branch, the person in the other (TER-GAN, REL-GAN)."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from mien.nn.blocks import DownBlock, halvings, perceptron


class NamingDiscriminator(nn.Module):
    """D: four shared blocks and FC 1024, then FC 512, 256 for expression (n + fake) and the same for identity.

    Widths are the papers' at width 16, and in proportion otherwise.
    """

    def __init__(self, size: int, width: int, expressions: int, subjects: int):
        super().__init__()
        channels = [3, width, 2 * width, 4 * width, 8 * width]
        side = halvings(size, 4)[-1]
        self.trunk = nn.Sequential(
            *(DownBlock(a, b) for a, b in pairwise(channels)),
            nn.Flatten(),
            nn.Linear(channels[-1] * side * side, 64 * width),
            nn.LeakyReLU(0.2),
        )
        self.expression = perceptron(64 * width, (32 * width, 16 * width, expressions + 1))
        self.identity = perceptron(64 * width, (32 * width, 16 * width, subjects))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, size, size) -> logits (B, n + 1), of which the last is "fake", and (B, subjects)."""
        shared = self.trunk(image)
        return self.expression(shared), self.identity(shared)
