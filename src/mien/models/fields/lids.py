"""Lids that shut: skin drawn over an eye, in the colour and the light of what is around it.

An open eye shows next to nothing of its lid, so that there is little to fetch a shut one from. But a lid is skin, and
smooth: what surrounds the eye tells its colour and its light, and only its crease and its lashes are to be learnt.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.nn.resample import mean_around, mean_of
from mien.nn.tint import Tint
from mien.nn.windows import Window

OPEN = (0.07, 0.034)  # of the frame's side: the half axes of an eye that is open
RAISED = 0.012  # of the frame's side: its middle is above its corners
AROUND = (1.7, 4.5)  # of the square of the ellipse's radius: where there are neither lashes nor brows
SKIN, BROWS = 0.8, 0.05  # of its mean brightness: what is darker there is brow, lash or shade, and no lid's colour
BLUR = 0.035  # of the frame's side, twice: as far as skin is looked for
DEPTH = 1.5  # of log brightness: lashes
SLIGHT, SEEN = 0.2, 0.3  # of AU43 in 0-1: up to such a change no lid is drawn, as faces are misread; by this it is
SHUT = 0.5  # from such a change on a lid is learnt from
MARGIN = (-1.2, 2.0, 0.8)  # of the ellipse's half height at a place, by how far a lid falls, 0-1, and that ** 4
SOFT = 0.08  # of the same: the margin's width
LASHES = 0.15  # of the same: how broad a dark line along the margin is
EDGE = 8.0  # of the logit of what a lid covers, at the ellipse's middle
FREE = 4.0  # by what it can be off that: a lid that were half there would show the eye


@dataclass(frozen=True)
class Lid:
    """What covers an eye in its window."""

    alpha: Tensor  # (B, 1, w, w) in [0, 1]
    brightness: Tensor  # (B, 1, w, w) in 0-1
    redness: Tensor  # (B, 1, w, w), see `Tint`

    def over(self, alpha: Tensor, brightness: Tensor, redness: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what covers, its brightness and redness, where the lid lies on a patch that has these."""
        under = (1 - self.alpha) * alpha
        total = under + self.alpha
        share = self.alpha / total.clamp(min=1e-4)
        return total, torch.lerp(brightness, self.brightness, share), torch.lerp(redness, self.redness, share)


def lid(maps: Tensor, falls: Tensor, pixels: Tensor, window: Window, centre: tuple[float, float], tint: Tint) -> Lid:
    """Return the lid of an eye of which AU43 is asked to rise by `falls` (B,) in 0-1: so far its margin comes down.

    `maps` (B, 2, w, w) correct the logit of what it covers, at zero the ellipse of an open eye, and say by what its
    brightness is off that of the skin around. `pixels` (B, 3, w, w) in [-1, 1] are the window's, `centre` the eye's.
    """
    x, y = from_eye(maps.shape[-1], window, centre, maps.device)
    off = x.square() + y.square()
    skin, redness = surrounding(pixels.float(), off, window, tint)
    covers, log = maps.split(1, 1)
    for _ in range(2):  # a lid has no dot where the open eye has its highlight
        log = F.avg_pool2d(log, 3, 1, 1, count_include_pad=False)
    far = falls.clamp(0, 1).view(-1, 1, 1, 1)
    margin = MARGIN[0] + MARGIN[1] * far + MARGIN[2] * far**4
    height = y / (1 - x.square()).clamp(min=0.1).sqrt()  # -1 along the upper rim of the open eye, 1 along the lower
    down = ((margin - height) / SOFT).sigmoid() * ((far - SLIGHT) / (SEEN - SLIGHT)).clamp(0, 1)
    alpha = down * (EDGE * (1 - off) + off.clamp(max=1) * FREE * (covers / FREE).tanh()).sigmoid()
    lashes = 4 * far * (1 - far) * (-((height - margin) / LASHES).square()).exp()
    return Lid(alpha, (skin * (DEPTH * log.tanh() - lashes).exp()).clamp(0, 1), redness)


def shutting(change: Tensor) -> Tensor:
    """Return how much a lid may cover, 0-1, of how much further AU43 is asked to rise, in 0-1."""
    return ((change - SLIGHT) / (SHUT - SLIGHT)).clamp(0, 1)


def from_eye(size: int, window: Window, centre: tuple[float, float], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return how far right of an eye (1, 1, 1, size) and below (1, 1, size, 1) a window's pixels are, 1 at its rim."""
    left, top, right, bottom = window
    places = (torch.arange(size, device=device) + 0.5) / size
    x = (left + (right - left) * places - centre[0]) / OPEN[0]
    y = (top + (bottom - top) * places - centre[1] + RAISED) / OPEN[1]
    return x.view(1, 1, 1, -1), y.view(1, 1, -1, 1)


def surrounding(pixels: Tensor, off: Tensor, window: Window, tint: Tint) -> tuple[Tensor, Tensor]:
    """Return brightness and redness (B, 1, w, w) of the skin around an eye, spread smoothly over it."""
    light = (pixels + 1) / 2
    brightness = light.mean(1, keepdim=True)
    counts = ((off > AROUND[0]) & (off < AROUND[1])).to(light).expand_as(brightness)
    counts = counts * ((brightness / mean_of(brightness, counts).clamp(min=0.02) - SKIN) / BROWS).sigmoid()
    share = tint.along(light - brightness)  # of the face's, times brightness
    cells = max(round(BLUR / (window[2] - window[0]) * off.shape[-1]), 1)
    spread = torch.cat([counts, counts * brightness, counts * share], 1)
    for _ in range(2):
        spread = mean_around(spread, cells)
    near, bright, chroma = (spread + spread.mean((2, 3), keepdim=True) * 1e-3).split(1, 1)
    skin = bright / near.clamp(min=1e-6)
    shown = (chroma / near.clamp(min=1e-6) / skin.clamp(min=0.02)).clamp(0, 2)
    return skin, 1 + (shown - 1) / tint.variety.clamp(min=0.1)
