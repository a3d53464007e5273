"""The head tilted in the picture's plane: geometry alone, composed with what the mover makes."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.nn.warp import Fields, carried

JAW = (0.5, 0.85)
"""The point about which a head is tilted, in shares of the frame: the middle of the jaw, which the neck holds."""

SIDES, TOP, NECK = 0.3, 0.3, 0.12
"""Shares of the frame over which the tilt fades, from its sides, its top and its lower edge, where the neck is."""


def roll_motion(degrees: Tensor, size: int) -> Tensor:
    """Return where each pixel of frames comes from whose heads are tilted clockwise by degrees (B,).

    (B, 2, size, size) in shares of the side.
    """
    places = torch.arange(size, device=degrees.device, dtype=torch.float32).add(0.5).div(size)
    y, x = torch.meshgrid(places, places, indexing="ij")
    held = _smooth(torch.minimum(x, 1 - x) / SIDES) * _smooth(y / TOP) * _smooth((1 - y) / NECK)
    angle = -degrees.deg2rad()[:, None, None] * held  # backwards: what is shown comes from where the head was
    right, down = x - JAW[0], y - JAW[1]
    turned = torch.stack([angle.cos() * right - angle.sin() * down, angle.sin() * right + angle.cos() * down], 1)
    return turned - torch.stack([right, down])


def rolled(fields: Fields, degrees: Tensor, size: int) -> Fields:
    """Return fields of frames (B, 3, size, size) whose heads are tilted by degrees (B,) besides."""
    return carried(fields, roll_motion(degrees, size))


def _smooth(x: Tensor) -> Tensor:
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)
