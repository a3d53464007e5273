"""Pictures between arrays and tensors, and between sizes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def to_pixels(image: Tensor) -> np.ndarray:
    """Return (3, H, W) in [-1, 1] as uint8 (H, W, 3); unknown (NaN) is white."""
    pixels = torch.nan_to_num(image.float().cpu(), nan=1.0).add(1).mul(127.5).round().clamp(0, 255).byte()
    return pixels.permute(1, 2, 0).contiguous().numpy()


def to_tensor(images: np.ndarray) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 in [-1, 1], channels_last in memory."""
    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)  # a view: memory stays B H W 3
    return pixels.to(torch.float32).div_(127.5).sub_(1.0)


def averaged(images: Tensor, size: int) -> Tensor:
    """Return images (B, C, H, W) as (B, C, size, size), each pixel the mean of what it covers."""
    return F.interpolate(images, size=(size, size), mode="area")


def resized(pictures: np.ndarray, size: int) -> Tensor:
    """Return uint8 (B, S, S, 3) as (B, 3, size, size) in [-1, 1]."""
    return averaged(to_tensor(pictures), size)


def at_size(images: Tensor, size: int) -> np.ndarray:
    """Return images (B, 3, H, W) in [-1, 1] as uint8 (B, size, size, 3)."""
    return np.stack([to_pixels(one) for one in averaged(images, size)])


def blur(images: Tensor, sigma: float) -> Tensor:
    """Return images (B, C, H, W) blurred by a Gaussian of `sigma` pixels, cut at 3 sigma, mirrored at the border."""
    radius = max(1, round(3 * sigma))
    at = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(images.shape[1], 1, -1)  # (C, 1, K)
    images = F.pad(images, (radius,) * 4, mode="reflect")
    images = F.conv2d(images, kernel[:, :, None, :], groups=images.shape[1])
    return F.conv2d(images, kernel[:, :, :, None], groups=images.shape[1])
