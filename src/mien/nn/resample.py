"""Maps at other sizes and places: convolutions that halve or double, windows of pixels, pixels from between pixels.

Averaging 2×2 after a convolution, and repeating 2×2 before one, are convolutions themselves; two in a row are one
with a 4×4 kernel. Same numbers, 36 → 16 and 9 → 4 multiplications an output, and the full-size map is never stored:
1.5 to 25 times faster on a CPU where the maps are large. On maps below 8 pixels folding the kernel costs more than
it saves.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

SMALLEST = 8  # side of the larger map
WIDE = 4  # pixels to either side from which running sums are quicker than windows


def halve_after(x: Tensor, weight: Tensor) -> Tensor:
    """Return avg_pool2d(conv2d(x, weight, padding=1), 2, ceil_mode=True): (B, I, H, W) -> (B, O, ⌈H/2⌉, ⌈W/2⌉)."""
    if not halvable(x):
        return F.avg_pool2d(F.conv2d(x, weight, padding=1), 2, ceil_mode=True)
    return F.conv2d(x, with_2x2(weight) / 4, stride=2, padding=1)


def halvable(x: Tensor) -> bool:
    """Whether the maps are even, and so large that one kernel for both steps pays."""
    height, width = x.shape[-2:]
    return height % 2 == 0 and width % 2 == 0 and min(height, width) >= SMALLEST


def double_before(x: Tensor, weight: Tensor, bias: Tensor | None, side: int) -> Tensor:
    """Return conv2d(nearest upsampling of x to `side`, weight, bias, padding=1): (B, I, h, h) -> (B, O, side, side)."""
    if x.shape[-1] * 2 != side or side < SMALLEST:
        return F.conv2d(F.interpolate(x, size=(side, side), mode="nearest"), weight, bias, padding=1)
    kernel = with_2x2(weight.flip(2, 3)).transpose(0, 1)  # (I, O, 4, 4): a transposed convolution's order
    return F.conv_transpose2d(x, kernel, bias, stride=2, padding=1)


def with_2x2(weight: Tensor) -> Tensor:
    """Return the 3×3 kernels convolved with a 2×2 block of ones: (O, I, 3, 3) -> (O, I, 4, 4)."""
    return (
        F.pad(weight, (0, 1, 0, 1))
        + F.pad(weight, (1, 0, 0, 1))
        + F.pad(weight, (0, 1, 1, 0))
        + F.pad(weight, (1, 0, 1, 0))
    )


def mean_around(x: Tensor, by: int) -> Tensor:
    """Return means over 2 `by` + 1 pixels a side, zero beyond the border: across, then down, as that is quicker."""
    if by < WIDE:
        return F.avg_pool2d(F.avg_pool2d(x, (1, 2 * by + 1), 1, (0, by)), (2 * by + 1, 1), 1, (by, 0))
    return _mean_along(_mean_along(x, by, 3), by, 2)


def mean_of(x: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean (B, 1, 1, 1) of (B, 1, w, w)."""
    return (weights * x).sum((2, 3), keepdim=True) / weights.sum((2, 3), keepdim=True).clamp(min=1e-3)


def sampled(image: Tensor, grid: Tensor, mirrored: bool = False) -> Tensor:
    """Return grid_sample(image (B, C, H, W), grid (B, h, w, 2) x, y), bilinear, without aligned corners.

    What lies beyond the border has the border's colour or, up to a whole picture away, is mirrored. As places are
    brought within the border, none is fetched from beyond it: "zeros" does that as "border" and "reflection" would,
    and in ONNX Runtime four to nine times faster.
    """
    grid = 2 * grid.clamp(-1, 1) - grid if mirrored else grid
    height, width = image.shape[-2:]
    x, y = grid.unbind(3)
    x, y = x.clamp(1 / width - 1, 1 - 1 / width), y.clamp(1 / height - 1, 1 - 1 / height)
    return F.grid_sample(image, torch.stack([x, y], 3), mode="bilinear", padding_mode="zeros", align_corners=False)


def _mean_along(x: Tensor, by: int, axis: int) -> Tensor:
    """Return means over a window along an axis, as differences of running sums: their time knows no window."""
    length, beyond = x.shape[axis], (0, 0, by + 1, by) if axis == 2 else (by + 1, by)
    sums = F.pad(x.to(torch.promote_types(x.dtype, torch.float32)), beyond).cumsum(axis)
    return ((sums.narrow(axis, 2 * by + 1, length) - sums.narrow(axis, 0, length)) / (2 * by + 1)).to(x.dtype)


def max_around(x: Tensor, by: int) -> Tensor:
    """Return the largest of 2 `by` + 1 pixels a side."""
    return F.max_pool2d(F.max_pool2d(x, (1, 2 * by + 1), 1, (0, by)), (2 * by + 1, 1), 1, (by, 0))
