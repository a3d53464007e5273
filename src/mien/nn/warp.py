"""Pictures whose pixels are fetched from elsewhere."""

from __future__ import annotations

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
    moved = F.grid_sample(image.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)
