"""Parts of the frame, and maps brought to sizes."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

Window = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the side."""

WHOLE: Window = (0.0, 0.0, 1.0, 1.0)

MOUTH: Window = (0.25, 0.5, 0.75, 1.0)
"""Where in the frame a mouth can open."""

EYES: tuple[Window, Window] = ((7 / 32, 0.25, 15 / 32, 0.5), (17 / 32, 0.25, 25 / 32, 0.5))
"""Where the eyes are, the one on the picture's left first."""

WINDOWS = (MOUTH, *EYES)  # which do not overlap


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
    """Return a window's maps in a frame of size × size that is zero around them."""
    left, top, right, bottom = (round(edge * size) for edge in window)
    return F.pad(x, (left, size - right, top, size - bottom))
