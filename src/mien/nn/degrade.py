"""What cameras, lenses and files do to pictures, drawn anew for every one."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.nn.images import blur
from mien.nn.modes import exactly


@exactly
def relight(*pictures: Tensor, strength: float = 0.25) -> list[Tensor]:
    """Return pictures of the same faces (B, 3, S, S) in [-1, 1] under one more light: exp of a slope across the frame.

    The slope's ends differ by up to ± 2 · strength in log brightness; all pictures of a face get the same.
    """
    first = pictures[0]
    size, device = first.shape[-1], first.device
    angle = torch.rand(len(first), device=device) * 2 * math.pi
    amount = (torch.rand(len(first), device=device) * 2 - 1) * strength
    edges = torch.linspace(-1, 1, size, device=device)
    slope = angle.cos()[:, None, None] * edges[None, None] + angle.sin()[:, None, None] * edges[None, :, None]
    gain = (amount[:, None, None] * slope).exp()[:, None]
    return [((picture + 1) * gain - 1).clamp(-1, 1) for picture in pictures]


@exactly
def toned(*pictures: Tensor, share: float = 0.25) -> list[Tensor]:
    """Return a share of pictures (B, 3, S, S) in [-1, 1] grey, or in shades of one colour, and as many darker.

    All pictures of a face get the same.
    """
    first = pictures[0]
    shape, device = (len(first), 1, 1, 1), first.device
    plain = torch.rand(shape, device=device) < share
    tint = 1 + 0.3 * (torch.rand(len(first), 3, 1, 1, device=device) * 2 - 1) * (torch.rand(shape, device=device) < 0.5)
    dim = torch.where(torch.rand(shape, device=device) < share, 0.3 + 0.7 * torch.rand(shape, device=device), 1.0)

    def changed(picture: Tensor) -> Tensor:
        light = (picture + 1) / 2
        light = torch.where(plain, light.mean(1, keepdim=True) * tint, light)
        return (2 * dim * light - 1).clamp(max=1)

    return [changed(picture) for picture in pictures]


@exactly
def worsen(picture: Tensor) -> Tensor:
    """Return pictures (B, 3, S, S) in [-1, 1] as a poorer camera would give them.

    Of four, one on average stays as it is; the others are blurred, shrunk and brought back, noisy or packed as JPEG is,
    by an amount of their own.
    """
    b, _, size, _ = picture.shape

    def drawn() -> Tensor:
        return torch.rand(b, 1, 1, 1, device=picture.device)

    kept = drawn() < 0.25
    soft = blur(picture, 1.0)
    small = F.interpolate(F.avg_pool2d(picture, 2), size=(size, size), mode="bilinear", align_corners=False)
    out = torch.lerp(picture, soft, drawn() * (drawn() < 0.5))
    out = torch.lerp(out, small, drawn() * (drawn() < 0.3))
    out = out + torch.randn_like(out[:, :1]) * 0.06 * drawn() * (drawn() < 0.5)
    out = torch.where(drawn() < 0.4, packed(out, 0.02 + 0.1 * drawn()), out)
    return torch.where(kept, picture, out.clamp(-1, 1))


def packed(picture: Tensor, step: Tensor) -> Tensor:
    """Return pictures as JPEG's idea leaves them: 8×8 blocks' cosines, rounded; coarser the finer the wave.

    `step` (B, 1, 1, 1) in units of the picture. S must be a multiple of 8, else they come back as they were.
    """
    b, c, size, _ = picture.shape
    if size % 8:
        return picture
    k = torch.arange(8, device=picture.device, dtype=picture.dtype)
    basis = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) * torch.where(k[:, None] == 0, 0.125, 0.25).sqrt()
    tiles = picture.reshape(b, c, size // 8, 8, size // 8, 8).permute(0, 1, 2, 4, 3, 5)
    wave = basis @ tiles @ basis.T
    coarse = step[..., None, None] * (1 + k[:, None] + k[None])
    wave = (wave / coarse).round() * coarse
    tiles = basis.T @ wave @ basis
    return tiles.permute(0, 1, 2, 4, 3, 5).reshape(picture.shape)
