"""The net that predicts how a face's pixels move, shade and open: a U-Net steered by codes, coarse maps upsampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.nn.film import FilmBlock
from mien.nn.warp import WHOLE, Window, cut, fitted, placed, resized, warp

MOUTH: Window = (0.25, 0.5, 0.75, 1.0)
"""Where in the frame a mouth can open."""

REACH = 0.25  # shares of the side: the longest motion


@dataclass(frozen=True)
class Fields:
    """What is to be done to a face, each map on a grid of its own, to be brought to any size."""

    flow: Tensor  # (B, 2, g, g) x, y in shares of the side: where each pixel comes from
    shade: Tensor  # (B, 1, v, v) log of what its brightness is multiplied by
    alpha: Tensor  # (B, 1, v, v) in [0, 1]: how far paint covers it
    paint: Tensor  # (B, 3, v, v) in [-1, 1]
    mouth_alpha: Tensor  # (B, 1, w, w), and in the window MOUTH these do instead
    mouth_paint: Tensor  # (B, 3, w, w)

    def covering(self, size: int, window: Window = WHOLE) -> tuple[Tensor, Tensor]:
        """Return alpha (B, 1, …) and paint (B, 3, …) at size × size, or a window of that."""
        side = round((MOUTH[2] - MOUTH[0]) * size)
        inside = cut(placed(ramp(side, self.alpha), MOUTH, size), window)
        finer = (cut(placed(fitted(x, side), MOUTH, size), window) for x in (self.mouth_alpha, self.mouth_paint))
        coarse = (cut(fitted(x, size), window) for x in (self.alpha, self.paint))
        alpha, paint = (torch.lerp(x, y, inside) for x, y in zip(coarse, finer, strict=True))
        return alpha, paint


class FieldNet(nn.Module):
    """Widths are of the four levels, the finest first, at a quarter of the frame's side and below."""

    def __init__(self, widths: Sequence[int], condition: int, depth: float = 0.5, steer: int = 128, fine: int = 16):
        super().__init__()
        self.depth = depth  # of log brightness: the deepest shade
        self.condition = nn.Sequential(nn.Linear(condition, steer), nn.LeakyReLU(0.2), nn.Linear(steer, steer))
        self.first = nn.Conv2d(4 * 3 + 2, widths[0], 3, padding=1)
        self.encode = nn.ModuleList(FilmBlock(w) for w in widths[:-1])
        self.halve = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(widths))
        self.bottom = nn.ModuleList(FilmBlock(widths[-1], steer) for _ in range(2))
        self.merge = nn.ModuleList(nn.Conv2d(b, a, 3, padding=1) for a, b in pairwise(widths))
        self.decode = nn.ModuleList(FilmBlock(w, steer) for w in widths[:-1])
        self.flow = nn.ModuleList(zero(nn.Conv2d(w, 2, 3, padding=1)) for w in widths[:3])
        self.fine = nn.Conv2d(widths[0], fine, 3, padding=1)
        self.detail = nn.Conv2d(6, fine, 3, padding=1)
        self.refine = zero(nn.Conv2d(fine, fine, 3, padding=1))
        self.atlas = Atlas(widths[0], 8, 128)
        self.maps = zero(nn.Conv2d(fine + 8, 5, 1))
        self.mouth = MouthNet(widths[0])

    def look(self, view: Tensor) -> list[Tensor]:
        """Return a face's maps, the finest first; `view` (B, 3, V, V) is the frame at half its side."""
        places = torch.linspace(-1, 1, view.shape[-1] // 2, device=view.device, dtype=view.dtype)
        y, x = torch.meshgrid(places, places, indexing="ij")
        where = torch.stack([x, y]).expand(len(view), -1, -1, -1)
        maps = [self.first(torch.cat([F.pixel_unshuffle(view, 2), where], 1))]
        for block, halve in zip(self.encode, self.halve, strict=True):
            maps[-1] = block(maps[-1])
            maps.append(halve(F.leaky_relu(maps[-1], 0.2)))
        return maps

    def forward(
        self, image: Tensor, view: Tensor, condition: Tensor, gate: Tensor, maps: list[Tensor] | None = None
    ) -> Fields:
        """Return the fields of frames (B, 3, S, S), seen as `view` (B, 3, S / 2, S / 2).

        `condition` (B, C) says what to do, `gate` (B,) in [0, 1] how much of it; `maps` are what `look` gave of the
        view, if that was asked for before.
        """
        steer, maps = self.condition(condition), self.look(view) if maps is None else maps
        gate = gate.view(-1, 1, 1, 1)
        x = maps[-1]
        for block in self.bottom:
            x = block(x, steer)
        flow: Tensor | None = None
        for level in reversed(range(len(self.merge))):
            x = self.merge[level](resized(x, maps[level].shape[-1])) + maps[level]
            x = self.decode[level](x, steer)
            if level < len(self.flow):
                here = self.flow[level](F.leaky_relu(x, 0.2)).float()
                flow = here if flow is None else here + resized(flow, here.shape[-1])
        assert flow is not None
        moved = REACH * gate * flow.tanh()
        return self.paint(image, view, F.leaky_relu(x, 0.2), moved, gate)

    def paint(self, image: Tensor, view: Tensor, features: Tensor, flow: Tensor, gate: Tensor) -> Fields:
        """Add to a flow what moving pixels cannot do: shade, what opens, and its colours."""
        seen = view.shape[-1]
        warped = warp(view, flow.detach())
        detail = self.detail(torch.cat([view, warped], 1))
        fine = refined(resized(self.fine(features), seen) + detail, self.refine)
        maps = self.maps(torch.cat([fine, self.atlas(features, seen)], 1)).float()
        mouth_alpha, mouth_paint = self.mouth(cut(features, MOUTH), warp(image, flow.detach(), MOUTH))
        shade = self.depth * gate * maps[:, :1].tanh()
        alpha, paint = gate * (maps[:, 1:2] - 3).sigmoid(), maps[:, 2:].tanh()
        return Fields(flow, shade, alpha, paint, gate * mouth_alpha, mouth_paint)


class Atlas(nn.Module):
    """Fine patterns learnt once for all faces, wrinkles or teeth, fetched to where a face has them.

    Where they go and how strong they are is smooth, so coarse features can say it to a fraction of a pixel, which they
    cannot say of a pattern that they would have to draw.
    """

    def __init__(self, features: int, patterns: int, side: int, reach: float = 0.2):
        super().__init__()
        self.reach = reach  # shares of the side
        self.patterns = nn.Parameter(0.3 * torch.randn(1, patterns, side, side))
        self.where = zero(nn.Conv2d(features, 2, 3, padding=1))
        self.strength = nn.Conv2d(features, patterns, 3, padding=1)

    def forward(self, features: Tensor, size: int) -> Tensor:
        """Features (B, C, h, h) -> (B, patterns, size, size)."""
        shift = self.reach * self.where(features).float().tanh()
        patterns = resized(self.patterns, size).expand(len(features), -1, -1, -1)
        return warp(patterns, shift) * resized(self.strength(features), size)


class MouthNet(nn.Module):
    """Paints the inside of a mouth at the frame's full resolution, in the window MOUTH."""

    def __init__(self, features: int, width: int = 40, fine: int = 16):
        super().__init__()
        self.first = nn.Conv2d(features + 12, width, 3, padding=1)
        self.block = FilmBlock(width)
        self.fine = nn.Conv2d(width, fine, 3, padding=1)
        self.detail = nn.Conv2d(3, fine, 3, padding=1)
        self.refine = zero(nn.Conv2d(fine, fine, 3, padding=1))
        self.upper, self.lower = Atlas(width, 8, 128), Atlas(width, 8, 128)
        self.last = zero(nn.Conv2d(fine + 16, 4, 1))

    def forward(self, features: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, C, h, h), moved image (B, 3, H, H) of the window -> alpha (B, 1, H, H), paint (B, 3, H, H)."""
        size = image.shape[-1]
        x = torch.cat([resized(features, size // 2), F.pixel_unshuffle(image.to(features.dtype), 2)], 1)
        x = F.leaky_relu(self.block(self.first(x)), 0.2)
        fine = refined(resized(self.fine(x), size) + self.detail(image), self.refine)
        maps = self.last(torch.cat([fine, self.upper(x, size), self.lower(x, size)], 1)).float()
        return (maps[:, :1] - 3).sigmoid(), maps[:, 1:].tanh()


def ramp(size: int, like: Tensor) -> Tensor:
    """Return (1, 1, size, size): 1 in the window's middle, falling to 0 over an eighth at its left, right and top."""
    edge = torch.arange(size, device=like.device, dtype=torch.float32).add(0.5).div(size / 8)
    side = torch.minimum(edge, edge.flip(0)).clamp(0, 1)
    return (edge.clamp(0, 1)[:, None] * side[None])[None, None]


def refined(x: Tensor, layer: nn.Module) -> Tensor:
    """Return a(x + layer(a(x))), a the positive part."""
    return (x + layer(x.relu())).relu()


def zero(layer: nn.Conv2d) -> nn.Conv2d:
    """Return a layer whose weights and biases begin at zero."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
