"""E: a small plain convolutional net, stride first, so that a face is read in a few milliseconds of one core."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.data.words import in_accord, prototype_scores
from mien.labels import CLASSES
from mien.models.reader.code import CODE, STRONGEST, UNITS, held, mirrored

GROWTH = (1, 2, 4, 7, 9)  # widths of the levels, times the first


SAY = 0.4  # of a word's score by the units that are read, beside its logit


class Reader(nn.Module):
    """Looks at `side` pixels: five levels, at the first a stride and a convolution, then a pool and two each."""

    def __init__(self, side: int, width: int, features: int = 160):
        super().__init__()
        self.side = side
        widths = [round(width * k) for k in GROWTH]
        first = [*_convolution(3, widths[0], stride=2), *_convolution(widths[0], widths[0])]
        levels = [
            layer
            for a, b in pairwise(widths)
            for layer in (nn.MaxPool2d(2, ceil_mode=True), *_convolution(a, b), *_convolution(b, b))
        ]
        left = side
        for _ in widths:
            left = -(-left // 2)
        self.trunk = nn.Sequential(*first, *levels)
        self.features = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.2), nn.Linear(widths[-1] * left**2, features), nn.LeakyReLU(0.2)
        )
        self.code, self.words = nn.Linear(features, CODE), nn.Linear(features, len(CLASSES))

    @property
    def batches(self) -> int:
        """How many it was trained with."""
        return int(self.get_buffer("trunk.1.num_batches_tracked"))

    def read(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """Return code (B, 46) and logits (B, 8) of faces (B, 3, S, S), each the mean over a face and its mirror image.

        The units that are read have a say in the words, and no word is sure that they deny (`in_accord`), so that both
        tell the same of a face.
        """
        code, words = self(torch.cat([face, face.flip(3)]))
        (a, b), (first, second) = code.unflatten(0, (2, -1)), words.unflatten(0, (2, -1))
        code = (a + mirrored(b)) / 2
        left, right = (STRONGEST * held(code)[:, : 2 * UNITS]).chunk(2, 1)
        words = (first + second) / 2 + SAY * prototype_scores(left, right)
        return code, in_accord(words.softmax(1), left, right).log()

    def forward(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, S, S) in [-1, 1] of any size -> code (B, 46) and logits of CLASSES (B, 8)."""
        features = self.features(self.trunk(seen(face, self.side)))
        return self.code(features).float(), self.words(features).float()


def seen(face: Tensor, side: int) -> Tensor:
    """Return faces at `side` pixels: halved by means while they are twice as large, then bilinear."""
    while face.shape[-1] >= 2 * side:
        face = F.avg_pool2d(face, 2)
    if face.shape[-1] == side:
        return face
    return F.interpolate(face, size=(side, side), mode="bilinear", align_corners=False)


def _convolution(a: int, b: int, stride: int = 1) -> tuple[nn.Module, nn.Module, nn.Module]:
    return nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True)
