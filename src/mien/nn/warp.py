"""Pictures whose pixels are fetched from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

Window = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the side."""

WHOLE: Window = (0.0, 0.0, 1.0, 1.0)


def resized(x: Tensor, size: int, window: Window = WHOLE) -> Tensor:
    """Return maps (B, C, h, h) at size × size, bilinear, or a window of that; pixel areas keep their places."""
    if x.shape[-1] == size:
        return cut(x, window)
    if window == WHOLE or size % x.shape[-1]:
        return cut(F.interpolate(x, size=(size, size), mode="bilinear", align_corners=False), window)
    finer = size // x.shape[-1]
    left, top, right, bottom = (round(edge * size) for edge in window)
    x0, y0 = max(left // finer - 1, 0), max(top // finer - 1, 0)  # what lies beyond the next cell does not count
    cells = x[..., y0 : bottom // finer + 2, x0 : right // finer + 2]
    fine = F.interpolate(cells, scale_factor=finer, mode="bilinear", align_corners=False)
    x0, y0 = left - x0 * finer, top - y0 * finer
    return fine[..., y0 : y0 + bottom - top, x0 : x0 + right - left]


def fitted(x: Tensor, size: int) -> Tensor:
    """Return maps at size × size, averaged where that is coarser."""
    return F.adaptive_avg_pool2d(x, size) if x.shape[-1] > size else resized(x, size)


def cut(x: Tensor, window: Window) -> Tensor:
    """Return a window of maps (B, C, H, W)."""
    left, top, right, bottom = (round(edge * x.shape[-1]) for edge in window)
    return x[..., top:bottom, left:right]


def placed(x: Tensor, window: Window, size: int) -> Tensor:
    """Return maps of a window in a frame of size × size, zero around."""
    left, top, right, bottom = (round(edge * size) for edge in window)
    return F.pad(x, (left, size - right, top, size - bottom))


def warp(image: Tensor, flow: Tensor, window: Window = WHOLE) -> Tensor:
    """Return image(p + flow(p)), bilinear, as at the border beyond it; or a window of that.

    `image` (B, 3, S, S); `flow` (B, 2, g, g) x, y in shares of the side, brought to S × S.
    """
    return fetched(image, resized(flow.float(), image.shape[-1], window), window)


def fetched(image: Tensor, flow: Tensor, window: Window = WHOLE) -> Tensor:
    """Return image(p + flow(p)) for the pixels p of a window, whose flow is given as (B, 2, h, w)."""
    size = image.shape[-1]
    edges = torch.arange(size, device=image.device, dtype=torch.float32).add(0.5).mul(2 / size).sub(1)
    y, x = torch.meshgrid(edges, edges, indexing="ij")
    grid = (cut(torch.stack([x, y]), window) + 2 * flow).permute(0, 2, 3, 1)
    grid = grid.nan_to_num(0.0, 2.0, -2.0)  # where a training went astray; NaN would crash grid_sample
    moved = F.grid_sample(image.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)


MOUTH: Window = (0.25, 0.5, 0.75, 1.0)
"""Where in the frame a mouth can open."""

EYES: tuple[Window, Window] = ((7 / 32, 0.25, 15 / 32, 0.5), (17 / 32, 0.25, 25 / 32, 0.5))
"""Where the eyes are, the one on the picture's left first."""

WINDOWS = (MOUTH, *EYES)  # which do not overlap


@dataclass(frozen=True)
class Patch:
    """What is done in a window, at the frame's own resolution, beyond what is done to the whole face."""

    window: Window
    flow: Tensor  # (B, 2, w, w), added to the face's
    alpha: Tensor  # (B, 1, w, w) in [0, 1]: how far paint covers it
    paint: Tensor  # (B, 3, w, w) in [-1, 1]

    def at(self, x: Tensor, size: int, window: Window) -> Tensor:
        """Return a map of the patch in a frame of size × size, zero around it; or in its own window alone."""
        x = fitted(x, round(self.window[2] * size) - round(self.window[0] * size))
        return x if window == self.window else placed(x, self.window, size)


@dataclass(frozen=True)
class Fields:
    """What is to be done to a face, each map on a grid of its own, to be brought to any size."""

    flow: Tensor  # (B, 2, g, g) x, y in shares of the side: where each pixel comes from
    shade: Tensor  # (B, 1, v, v) log of what its brightness is multiplied by
    patches: tuple[Patch, ...]

    def motion(self, size: int, window: Window = WHOLE) -> Tensor:
        """Return where each pixel comes from, (B, 2, …), at size × size, or in one of WINDOWS of that."""
        flow = resized(self.flow, size, window)
        return torch.stack([flow, *(p.at(p.flow, size, window) for p in self._seen(window))]).sum(0)

    def covering(self, size: int, window: Window = WHOLE) -> tuple[Tensor, Tensor]:
        """Return alpha (B, 1, …) and paint (B, 3, …) at size × size, or in one of WINDOWS of that."""
        alpha = torch.stack([p.at(p.alpha, size, window) for p in self._seen(window)]).sum(0)
        paint = torch.stack([p.at(p.paint, size, window) for p in self._seen(window)]).sum(0)
        return alpha, paint

    def _seen(self, window: Window) -> list[Patch]:
        return [p for p in self.patches if window in (WHOLE, p.window)]


def carried(fields: Fields, motion: Tensor) -> Fields:
    """Return the fields that do the same and then fetch each pixel by a further motion, (B, 2, S, S) in shares of S.

    What windows had of their own becomes one patch of the whole frame, as it may leave its window.
    """
    size = motion.shape[-1]
    alpha, paint = (fetched(x, motion) for x in fields.covering(size))
    flow = motion + fetched(fields.motion(size), motion)
    still = torch.zeros_like(flow[..., :1, :1])
    shade = fetched(resized(fields.shade, size), motion)
    return Fields(flow, shade, (Patch(WHOLE, still, alpha, paint),))


def composed(image: Tensor, fields: Fields, window: Window = WHOLE) -> Tensor:
    """Eq. 5: y' = (1 - a) (x(p + f) e^s) + a p, in brightness 0-1; of (B, 3, S, S) of any size in [-1, 1].

    Or of a window of it.
    """
    size = image.shape[-1]
    alpha, paint = fields.covering(size, window)
    shade = resized(fields.shade, size, window)
    shaded = (fetched(image, fields.motion(size, window), window) + 1) * shade.exp() - 1
    return torch.lerp(shaded, paint, alpha).clamp(-1, 1)
