"""The net that predicts how a face's pixels move, shade and open: a U-Net steered by codes, coarse maps upsampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.data.sampling.gaze import EYEBALL
from mien.faces.align import EYES as CENTRES
from mien.labels import AUS
from mien.models.fields.lids import Lid, lid
from mien.models.fields.lips import Parting, lips, parting
from mien.models.reader.code import ANGLE
from mien.nn.spectral import spectral
from mien.nn.teeth import Dentition, Teeth
from mien.nn.tint import Tint, tint_of
from mien.nn.warp import Fields, Patch, warp
from mien.nn.windows import EYES, MOUTH, Window, cut, resized

REACH = 0.25  # shares of the side: the longest motion
NEAR = 0.06  # the longest that a patch adds to it
REDDEST = 3.0  # shares of the face's colour
BLUEST = -1.5  # of eyes
PARTED = [AUS.index(25), AUS.index(26)]  # lips, jaw
HIDDEN = 12.0  # of the logit of teeth, behind lips that close
EYE = 0.15  # of the frame's side: an eye's width
DISC = 0.034  # of the frame's side: an iris' radius, and some of the white


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
        self.shade = zero(nn.Conv2d(fine + 8, 1, 1))
        self.mouth, self.eyes = PatchNet(widths[0], 6), PatchNet(widths[0], 8, steer=steer)
        self.side = nn.Sequential(
            nn.Linear(condition - 2 * ((condition - 4) // 4), steer), nn.LeakyReLU(0.2), nn.Linear(steer, steer)
        )
        self.dentition = Dentition(self.mouth.width)

    def look(self, view: Tensor) -> list[Tensor]:
        """Return a face's maps, the finest first; `view` (B, 3, V, V) is the frame at half its side."""
        places = torch.linspace(-1, 1, view.shape[-1] // 2, device=view.device, dtype=view.dtype)
        y, x = torch.meshgrid(places, places, indexing="ij")
        where = torch.stack([x, y]).expand(view.shape[0], -1, -1, -1)
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
        features = F.leaky_relu(x, 0.2)
        shade = self.depth * gate * self.shading(view, features, moved)
        return Fields(moved, shade, self.patches(image, features, moved, condition, gate, tint_of(view)))

    def shading(self, view: Tensor, features: Tensor, flow: Tensor) -> Tensor:
        """Return what moving pixels cannot do to their brightness, (B, 1, V, V) in [-1, 1]."""
        seen = view.shape[-1]
        detail = self.detail(torch.cat([view, warp(view, flow.detach())], 1))
        fine = refined(resized(self.fine(features), seen) + detail, self.refine)
        return self.shade(torch.cat([fine, self.atlas(features, seen)], 1)).float().tanh()

    def patches(
        self, image: Tensor, features: Tensor, flow: Tensor, condition: Tensor, gate: Tensor, tint: Tint
    ) -> tuple[Patch, ...]:
        """Return what mouth and eyes need besides: edges between what moves and what does not, and what opens.

        Each eye is told what is asked of its side.
        """
        units = (condition.shape[1] - 4) // 4
        around, seen = _in(MOUTH, image, features, flow)
        mouth, near = self.mouth(around, seen)
        plain, clear = mouth.split([5, 1], 1)
        sides = condition[:, :-4].unflatten(1, (2, 2, units))  # asked for and changes, of left and right
        asked, change = sides[..., PARTED].mean(2).unbind(1)
        lies = parting(asked, change)
        teeth = self.dentition(near, clear - HIDDEN * lies.closes.view(-1, 1, 1, 1))
        made = [_patch(MOUTH, plain, gate, tint, 0.0, teeth=teeth, moved=(lies, seen[:, 3:]))]
        near, pixels = zip(*(_in(window, image, features, flow) for window in EYES), strict=True)
        told = by_side(condition)
        eyes = self.eyes(torch.cat(near), torch.cat(pixels), self.side(torch.cat(told)))[0].unflatten(0, (2, -1))
        for window, maps, centre, seen, side in zip(EYES, eyes, CENTRES, pixels, told, strict=True):
            plain, iris, over = maps.split([5, 1, 2], 1)
            turned = turned_iris(iris, ANGLE * condition[:, -2:], window, centre)
            shut = lid(over, side[:, units + AUS.index(43)], seen[:, :3], window, centre, tint)
            made.append(_patch(window, plain, gate, tint, BLUEST, turned=turned, shut=shut))
        return tuple(made)


def turned_iris(maps: Tensor, gaze: Tensor, window: Window, centre: tuple[float, float]) -> Tensor:
    """Return the flow (B, 2, w, w) of an iris when the gaze turns by degrees (B, 2) to the right and up.

    A disc on a ball moves as a whole. `maps` (B, 1, w, w) correct the logit of what belongs to it; at zero that is a
    soft disc about where the iris of an eye that looked ahead is seen after the turn. `centre` is the eye's.
    """
    to = EYEBALL * EYE * gaze.deg2rad().sin() * gaze.new_tensor((1.0, -1.0))  # (B, 2) shares of the frame
    size, (left, top, right, bottom) = maps.shape[-1], window
    places = (torch.arange(size, device=maps.device) + 0.5) / size
    y, x = torch.meshgrid(top + (bottom - top) * places, left + (right - left) * places, indexing="ij")
    off = torch.stack([x, y])[None] - (gaze.new_tensor(centre) + to)[:, :, None, None]
    within = 4 * (1 - off.square().sum(1, keepdim=True) / DISC**2)
    return -(within + maps).sigmoid() * to[:, :, None, None]


def by_side(condition: Tensor) -> tuple[Tensor, Tensor]:
    """Return what is asked of the side on the picture's left, the person's right, and of the other, (B, C / 2 + 2).

    C is action units asked for, left and right, the same as changes, and four angles.
    """
    units = (condition.shape[1] - 4) // 4
    left, right, left_change, right_change, angles = condition.split([units] * 4 + [condition.shape[1] - 4 * units], 1)
    return torch.cat([right, right_change, angles], 1), torch.cat([left, left_change, angles], 1)


def _in(window: Window, image: Tensor, features: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Return a window's features, and its pixels (B, 6, …), before and after the flow."""
    pixels = torch.cat([cut(image, window), warp(image, flow.detach(), window)], 1)
    return cut(features, window), pixels


def _patch(
    window: Window, maps: Tensor, gate: Tensor, tint: Tint, least: float,
    turned: Tensor | float = 0.0, teeth: Teeth | None = None, shut: Lid | None = None,
    moved: tuple[Parting, Tensor] | None = None,
) -> Patch:  # fmt: skip
    """Return five maps (B, 5, w, w) as a patch that fades at the window's edges.

    `least` is its least redness, `turned` (B, 2, w, w) what its flow is besides, `shut` a lid that lies on it, `moved`
    what becomes of lips, and the window's pixels, moved.
    """
    fade = gate * ramp(maps.shape[-1], window, maps.device)
    flow, alpha, brightness, redness = maps.split([2, 1, 1, 1], 1)
    reddish = least + (REDDEST - least) * redness.sigmoid()
    covered, brightness = (alpha - 3).sigmoid(), brightness.sigmoid()
    if moved is not None:
        covered, brightness, reddish, torn = lips(moved[0], covered, brightness, reddish, moved[1], tint)
        teeth = teeth and replace(teeth, clear=teeth.clear - HIDDEN * torn)
    if shut is not None:
        covered, brightness, reddish = shut.over(covered, brightness, reddish)
    reddish = reddish.expand(-1, 3, -1, -1)
    return Patch(window, fade * (NEAR * flow.tanh() + turned), fade * covered, brightness, reddish, tint, teeth)


class Atlas(nn.Module):
    """Fine patterns as wrinkles, learnt once for all faces, fetched to where a face has them.

    Where they go and how strong they are is smooth, so coarse features can say it to a fraction of a pixel, which they
    cannot say of a pattern that they would have to draw.
    """

    def __init__(self, features: int, patterns: int, side: int, reach: float = 0.2):
        super().__init__()
        self.reach = reach  # shares of the side
        first = torch.empty(1, patterns, side, side)
        if not first.is_meta:  # no outline of a model, whose values a file has
            first = 0.5 * resized(torch.randn(1, patterns, side // 4, side // 4), side)
        self.patterns = nn.Parameter(first)
        self.where = zero(nn.Conv2d(features, 2, 3, padding=1))
        self.strength = nn.Conv2d(features, patterns, 3, padding=1)

    def forward(self, features: Tensor, size: int) -> Tensor:
        """Features (B, C, h, h) -> (B, patterns, size, size)."""
        shift = self.reach * self.where(features).float().tanh()
        patterns = resized(self.patterns, size).expand(features.shape[0], -1, -1, -1)
        return (warp(patterns, shift) * resized(self.strength(features), size)).to(features.dtype)


class PatchNet(nn.Module):
    """Sees and changes a window of the frame at the frame's full resolution."""

    def __init__(self, features: int, maps: int, width: int = 40, fine: int = 16, blocks: int = 2, steer: int = 0):
        super().__init__()
        self.width = width
        self.first = nn.Conv2d(features + 24, width, 3, padding=1)
        self.blocks = nn.ModuleList(FilmBlock(width, steer) for _ in range(blocks))
        self.fine = nn.Conv2d(width, fine, 3, padding=1)
        self.detail = nn.Conv2d(6, fine, 3, padding=1)
        self.refine = zero(nn.Conv2d(fine, fine, 3, padding=1))
        self.last = zero(nn.Conv2d(fine, maps, 1))

    def forward(self, features: Tensor, pixels: Tensor, steer: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features (B, C, h, h), pixels (B, 6, H, H) of the window -> maps (B, maps, H, H), unbounded.

        And what it knows of the window at half that, (B, width, H / 2, H / 2).
        """
        size, pixels = pixels.shape[-1], pixels.to(features.dtype)
        x = torch.cat([resized(features, size // 2), F.pixel_unshuffle(pixels, 2)], 1)
        x = self.first(x)
        for block in self.blocks:
            x = block(x, steer)
        x = F.leaky_relu(x, 0.2)
        fine = refined(resized(self.fine(x), size) + self.detail(pixels), self.refine)
        return self.last(fine).float().contiguous(), x


def ramp(size: int, window: Window, device: torch.device | None = None) -> Tensor:
    """Return (1, 1, size, size): 1 in the window's middle, falling to 0 over an eighth at edges inside the frame."""
    edge = torch.arange(size, device=device, dtype=torch.float32).add(0.5).div(size / 8).clamp(0, 1)
    rows = edge if window[3] == 1 else torch.minimum(edge, edge.flip(0))
    return (rows[:, None] * torch.minimum(edge, edge.flip(0))[None])[None, None]


def refined(x: Tensor, layer: nn.Module) -> Tensor:
    """Return a(x + layer(a(x))), a the positive part."""
    return (x + layer(x.relu())).relu()


def zero(layer: nn.Conv2d) -> nn.Conv2d:
    """Return a layer whose weights and biases begin at zero."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class FilmBlock(nn.Module):
    """x + C2(a((1 + γ) C1(a(x)) + β)), γ and β linear in the condition; without a condition plain.

    The second convolution begins at zero: a new block changes nothing.
    """

    def __init__(self, width: int, condition: int = 0):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.steer = nn.Linear(condition, 2 * width) if condition else None
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.get_parameter("bias"))

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """(B, C, H, W) and (B, condition) -> (B, C, H, W)."""
        inner = self.first(F.leaky_relu(x, 0.2))
        if self.steer is not None and condition is not None:
            scale, shift = self.steer(condition)[:, :, None, None].chunk(2, 1)
            inner = torch.addcmul(inner + shift, inner, scale)
        return x + self.second(F.leaky_relu(inner, 0.2))


def critic(width: int) -> nn.Sequential:
    """Return D: three strided convolutions and one that judges, (B, 3, H, H) -> logits (B, 1, H / 8, H / 8)."""
    widths = [3, width, 2 * width, 4 * width]
    layers = [layer for a, b in pairwise(widths) for layer in (spectral(nn.Conv2d(a, b, 4, 2, 1)), nn.LeakyReLU(0.2))]
    return nn.Sequential(*layers, spectral(nn.Conv2d(widths[-1], 1, 3, 1, 1)))
