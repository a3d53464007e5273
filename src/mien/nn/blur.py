"""Gaussian blur of images."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def blur(images: Tensor, sigma: float) -> Tensor:
    """Return images (B, C, H, W) blurred by a Gaussian of `sigma` pixels, cut at 3 sigma, mirrored at the border."""
    radius = max(1, round(3 * sigma))
    at = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(images.shape[1], 1, -1)  # (C, 1, K)
    images = F.pad(images, (radius,) * 4, mode="reflect")
    images = F.conv2d(images, kernel[:, :, None, :], groups=images.shape[1])
    return F.conv2d(images, kernel[:, :, :, None], groups=images.shape[1])
