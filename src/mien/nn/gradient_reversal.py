"""Gradient reversal (Ganin & Lempitsky 2015, Eq. 14-15): the identity forward, minus the gradient backward."""

from __future__ import annotations

import torch
from torch import Tensor


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * grads[0], None


def reverse_gradient(x: Tensor, strength: float = 1.0) -> Tensor:
    """Return `x`; its gradient is multiplied by -strength on the way back."""
    return _Reverse.apply(x, strength)
