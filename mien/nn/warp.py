"""Pictures whose pixels are fetched from elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

Window = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the side."""

WHOLE: Window = (0.0, 0.0, 1.0, 1.0)


def resized(x: Tensor, size: int) -> Tensor:
    """Return maps (B, C, h, w) at size × size, bilinear; pixel areas keep their places."""
    return x if x.shape[-1] == size else F.interpolate(x, size=(size, size), mode="bilinear", align_corners=False)


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
    size = image.shape[-1]
    edges = torch.arange(size, device=image.device, dtype=torch.float32).add(0.5).mul(2 / size).sub(1)
    y, x = torch.meshgrid(edges, edges, indexing="ij")
    places = torch.stack([x, y])[None] + 2 * resized(flow.float(), size)
    grid = cut(places, window).permute(0, 2, 3, 1)
    moved = F.grid_sample(image.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)
