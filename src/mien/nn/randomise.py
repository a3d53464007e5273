"""Strong randomisation for nets that read: where the face lies, its light and colours, the camera, what hides it.

A net trained on rendered faces reads photographs as well as its pictures vary (domain randomisation: Tobin et al.
2017). Everything acts on batches (B, 3, S, S) in [-1, 1] and is drawn anew for every picture.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.nn.modes import exactly


@exactly
def randomised(picture: Tensor, side: int, strength: float = 1.0) -> Tensor:
    """Return pictures (B, 3, side, side): placed, lit, coloured, seen by a poorer camera and partly hidden.

    `strength` multiplies the ranges, 0 leaves only the resizing.
    """
    if not strength:
        return placed(picture, side, 0.0)
    out = (placed(picture, side, strength) + 1) / 2
    out = poorer(coloured(lit(out, strength), strength), strength)
    return hidden(out * 2 - 1, 0.2 * min(strength, 1.0)).clamp(-1, 1)


def grown(step: int, steps: int) -> float:
    """Return the strength at a step of so many: 0.3 to 1 over the first 28 %: at once all of it slows learning."""
    return min(1.0, 0.3 + step / max(1.0, 0.4 * steps))


def placed(picture: Tensor, side: int, strength: float) -> Tensor:
    """Scale ±15 %, roll ±10°, shift ±5 % of the side; three in ten are cut by a tight frame, its border replicated."""
    b, device = len(picture), picture.device
    angle = torch.randn(b, device=device).clamp(-2, 2) * math.radians(5) * strength
    zoom = torch.exp(_even(b, device) * 0.15 * strength)
    shift = _even(b, device, 2) * 0.1 * strength
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    rows = [torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), [b, 3, side, side], align_corners=False)
    tight = torch.rand(b, 1, device=device) < 0.3 * min(strength, 1.0)
    edge = torch.where(tight, 0.45 + 0.6 * torch.rand(b, 4, device=device), 2.0)[:, :, None, None]
    x = grid[..., 0].clamp(min=-edge[:, 0], max=edge[:, 1])
    y = grid[..., 1].clamp(min=-edge[:, 2] - 0.2, max=edge[:, 3] + 0.1)  # a face's middle lies above the frame's
    return F.grid_sample(picture, torch.stack([x, y], -1), padding_mode="border", align_corners=False)


def lit(light: Tensor, strength: float) -> Tensor:
    """Gamma ×/÷ 1.4, a slope of light to ±45 %, one in seven with a shadow's edge; pictures in [0, 1]."""
    b, side, device = len(light), light.shape[-1], light.device
    out = light.clamp(1e-3, 1) ** torch.exp(_even(b, device, 1, 1, 1) * 0.35 * strength)
    turn, edges = torch.rand(b, 1, 1, 1, device=device) * 2 * math.pi, torch.linspace(-1, 1, side, device=device)
    slope = turn.cos() * edges[None, None, None] + turn.sin() * edges[None, None, :, None]
    out = out * torch.exp(_even(b, device, 1, 1, 1) * 0.45 * strength * slope)
    cast = (torch.rand(b, 1, 1, 1, device=device) < 0.15).float() * (0.4 + 0.2 * _even(b, device, 1, 1, 1)) * strength
    hard = 4 + 26 * torch.rand(b, 1, 1, 1, device=device)
    return out * (1 - cast * torch.sigmoid((slope - 0.6 * _even(b, device, 1, 1, 1)) * hard)).clamp(min=0.1)


def coloured(light: Tensor, strength: float) -> Tensor:
    """Contrast and brightness ×/÷ 1.45, channels ±12 %; a third grey, tinted or not."""
    b, device = len(light), light.device
    mean = light.mean((1, 2, 3), keepdim=True)
    contrast = torch.exp((0.35 * _even(b, device, 1, 1, 1) - 0.05) * strength)
    out = (light - mean) * contrast + mean * torch.exp((0.35 * _even(b, device, 1, 1, 1) - 0.05) * strength)
    out = out * torch.exp(_even(b, device, 3, 1, 1) * 0.12 * strength)
    tint = torch.exp(_even(b, device, 3, 1, 1) * 0.12 * (torch.rand(b, 1, 1, 1, device=device) < 0.4))
    grey = torch.rand(b, 1, 1, 1, device=device) < 0.35 * min(strength, 1.0)
    return torch.where(grey, out.mean(1, keepdim=True) * tint, out)


def poorer(light: Tensor, strength: float) -> Tensor:
    """Three in ten small and enlarged again (24-72 pixels), one in seven soft, two in five noisy."""
    b, side, device = len(light), light.shape[-1], light.device
    out = light.clone()
    few = min(strength, 1.0)
    for k in torch.nonzero(torch.rand(b) < 0.3 * few).flatten().tolist():
        small = F.interpolate(out[k : k + 1], size=int(torch.randint(24, 72, ())), mode="area")
        out[k] = F.interpolate(small, size=side, mode="bilinear", align_corners=False)[0]
    soft = F.avg_pool2d(F.pad(out, (1, 1, 1, 1), mode="replicate"), 3, 1)
    out = torch.where(torch.rand(b, 1, 1, 1, device=device) < 0.15 * few, soft, out)
    amount = 0.06 * torch.rand(b, 1, 1, 1, device=device) * (torch.rand(b, 1, 1, 1, device=device) < 0.4)
    return (out + torch.randn_like(out) * amount * strength).clamp(0, 1)


def hidden(picture: Tensor, share: float) -> Tensor:
    """Lay a box before a share of pictures, a seventh to under half a side long: of one colour or another picture's."""
    b, _, side, _ = picture.shape
    out = picture.clone()
    for k in torch.nonzero(torch.rand(b) < share).flatten().tolist():
        h, w = (int(n) for n in torch.randint(side // 7, int(side * 0.45), (2,)))
        top, left = int(torch.randint(0, side - h, ())), int(torch.randint(0, side - w, ()))
        plain = torch.rand(3, 1, 1, device=picture.device) * 2 - 1
        other = picture[(k + 1) % b, :, top : top + h, left : left + w].roll(side // 5, 1)
        out[k, :, top : top + h, left : left + w] = plain if torch.rand(()) < 0.5 else other
    return out


def _even(count: int, device: torch.device, *shape: int) -> Tensor:
    """Return numbers spread evenly over [-1, 1), (count, *shape)."""
    return torch.rand(count, *shape, device=device) * 2 - 1
