"""Losses that several papers share: labels that may be unknown, images, smoothness."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

UNKNOWN = -100
"""A class label that cross entropy leaves out."""


def mean_dtype(x: Tensor) -> torch.dtype:
    """Return the precision to average `x` in: its own, at least float32. The mean of thousands needs it."""
    return torch.promote_types(x.dtype, torch.float32)


def image_l1(a: Tensor, b: Tensor) -> Tensor:
    """Return every image's mean absolute difference: (B, C, H, W) twice -> (B,)."""
    return (a - b).abs().mean((1, 2, 3), dtype=mean_dtype(a))


def mean_l1(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean absolute difference of two maps. It may be in half precision, its mean may not."""
    return (a - b).abs().mean(dtype=mean_dtype(a))


def known_cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Return the mean cross entropy over the labels that are known; 0 if there are none."""
    total = F.cross_entropy(logits.to(mean_dtype(logits)), label, ignore_index=UNKNOWN, reduction="sum")
    return total / (label != UNKNOWN).sum().clamp(min=1)


def known_square_error(estimate: Tensor, answer: Tensor) -> Tensor:
    """Return the mean squared error over the numbers that are known (not NaN); 0 if none are."""
    known = ~answer.isnan()
    error = torch.where(known, estimate.to(mean_dtype(estimate)) - torch.nan_to_num(answer), 0).square()
    return error.sum() / known.sum().clamp(min=1)


def truth_loss(made: Tensor, truth: Tensor, face: Tensor, focus: float) -> Tensor:
    """Return the mean (1 + focus · |truth - face|) |made - truth|; rows whose true answer is unknown (NaN) count as 0.

    An expression changes few pixels of a face: without focus they would hardly count beside hair and background.
    """
    known = ~truth[:, :1, :1, :1].isnan()
    made, truth, face = (torch.where(known, x, 0) for x in (made, truth, face))
    attention = 1 + focus * (truth - face).abs().mean(1, keepdim=True)
    return ((made - truth).abs() * attention).mean(dtype=mean_dtype(made))


def fooling_loss(fake: Tensor) -> Tensor:
    """Return -E[log D(fake)] on logits: a maker's side of a minimax game, which does not fade while D wins."""
    return F.softplus(-fake).mean(dtype=mean_dtype(fake))


def gradient_l1(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean |∇a - ∇b| across and down; images (B, C, H, W), weight (B, 1, H, W)."""
    off = a - b
    across, down = (off[..., 1:] - off[..., :-1]).abs(), (off[..., 1:, :] - off[..., :-1, :]).abs()
    return (across * weight[..., 1:]).mean(dtype=mean_dtype(off)) + (down * weight[..., 1:, :]).mean(
        dtype=mean_dtype(off)
    )


def block_ssim(a: Tensor, b: Tensor, side: int = 8) -> Tensor:
    """Return the mean SSIM (Wang et al. 2004) over separate blocks of images (B, C, H, W) in [-1, 1] -> scalar.

    Sliding windows cost a CPU as much as a net does.
    """
    (x, y), (c1, c2) = (t.float() for t in (a, b)), (0.02**2, 0.06**2)  # K · 2, the images' range
    mx, my = F.avg_pool2d(x, side), F.avg_pool2d(y, side)
    vx, vy = F.avg_pool2d(x * x, side) - mx * mx, F.avg_pool2d(y * y, side) - my * my
    together = F.avg_pool2d(x * y, side) - mx * my
    return ((2 * mx * my + c1) * (2 * together + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean()


def total_variation(image: Tensor) -> Tensor:
    """Return the mean absolute difference of neighbours, down plus across: (B, C, H, W) -> scalar."""
    down = (image[..., 1:, :] - image[..., :-1, :]).abs().mean(dtype=mean_dtype(image))
    across = (image[..., 1:] - image[..., :-1]).abs().mean(dtype=mean_dtype(image))
    return down + across


def share_of(values: Tensor, which: Tensor) -> Tensor:
    """Return the share of the mean of the values (B,) that comes from the mask `which` (B,).

    The shares of all kinds sum to the mean, so that equal weights give the loss over the whole batch.
    """
    return torch.where(which, values, 0).mean()
