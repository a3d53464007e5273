"""Teeth that are fetched, not drawn: one dentition for all, in coordinates of the dental arch.

A net that draws teeth draws their mean, a bar. Where on the arch a pixel lies is smooth, so coarse features can tell it
to a fraction of a pixel; gaps and edges are the texture's, and sharp at any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from math import log

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.nn.resample import sampled
from mien.nn.windows import fitted, resized

CENTRE, REACH = (0.0, 0.05), (0.85, 0.42)
"""What part of the arch the texture shows: angle (to the picture's right), and height above the bite at rest."""

AT_REST = ((2.8, 0.0), (0.0, -1.22))
"""Angle and height as they grow across and down a mouth's window, at first: the mean of photofaces."""

COARSE = 16
"""Cells a side in which a window is told where its teeth are: finer, it would follow stubble and shadows."""

BITE = -0.6  # of a window's height, from its middle to where the height is 0


@dataclass(frozen=True)
class Teeth:
    """Where the dentition lies in a window, and what stands before it."""

    arch: Tensor  # (B, 2, h, h) angle, height
    light: Tensor  # (B, 1, h, h) brightness 0-1 of a tooth there
    clear: Tensor  # (B, 1, w, w) logit of that nothing stands before it
    texture: Tensor  # (1, 2, V, U): log of a factor on brightness, and logit of a tooth
    redness: Tensor  # (1,): see `Tint`

    def laid_over(self, brightness: Tensor, redness: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Eq. 5a: return brightness and redness (B, 1, w, w) of a mouth with its teeth, and the share of teeth."""
        size = brightness.shape[-1]
        arch = resized(self.arch.float(), size)
        grid = (arch - arch.new_tensor(CENTRE)[:, None, None]) / arch.new_tensor(REACH)[:, None, None]
        texture = self.texture.float().expand(arch.shape[0], -1, -1, -1)
        grain, tooth = sampled(texture, grid.permute(0, 2, 3, 1)).split(1, 1)
        share = (fitted(self.clear.float(), size) + tooth).sigmoid()
        shown = (resized(self.light.float(), size) * grain.exp()).clamp(max=1)
        return torch.lerp(brightness, shown, share), torch.lerp(redness, self.redness.expand_as(redness), share), share


def measured_texture() -> Tensor:
    """Return the dentition that comes with mien (benchmarks/measure_dentition.py made it), (1, 2, 96, 200) float32."""
    with (files("mien.nn") / "dentition.npz").open("rb") as file:
        return torch.from_numpy(np.load(file)["texture"].astype(np.float32))[None]


class Dentition(nn.Module):
    """Lays teeth into a window by features of it."""

    texture: Tensor  # (1, 2, V, U)

    def __init__(self, features: int):
        super().__init__()
        # Measured and not learnt: where the lie is off by the width of a gap, any loss would smooth the gaps away.
        self.register_buffer("texture", measured_texture())
        self.redness = nn.Parameter(torch.tensor([0.3]))
        self.around = nn.Conv2d(features + 2, 64, 3, padding=1)
        self.inner = nn.Conv2d(64, 64, 3, padding=1)
        self.lie = nn.Conv2d(64, 3, 3, padding=1)
        nn.init.zeros_(self.lie.weight)
        nn.init.zeros_(self.lie.get_parameter("bias"))

    def forward(self, features: Tensor, clear: Tensor) -> Teeth:
        """Features (B, C, h, h), `clear` (B, 1, w, w) -> teeth, whose place is told on a grid of COARSE a side."""
        places = (torch.arange(COARSE, device=features.device) + 0.5) / COARSE - 0.5
        down, across = torch.meshgrid(places, places, indexing="ij")
        where = 4 * torch.stack([across, down]).to(features.dtype).expand(features.shape[0], -1, -1, -1)
        x = F.leaky_relu(self.around(torch.cat([F.adaptive_avg_pool2d(features, COARSE), where], 1)), 0.2)
        x = F.leaky_relu(self.inner(x), 0.2)
        *off, light = self.lie(x).float().split(1, 1)
        rest = [a * across + b * down for a, b in AT_REST]
        rest[1] = rest[1] + AT_REST[1][1] * BITE
        arch = torch.cat(off, 1) + torch.stack(rest)
        return Teeth(arch, (light + log(3)).sigmoid(), clear, self.texture, self.redness)
