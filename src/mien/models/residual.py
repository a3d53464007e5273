"""What a generated picture changes, apart from what its model cannot paint."""

from __future__ import annotations

from torch import Tensor

from mien.models.contract import Transfers, Warps
from mien.nn.images import blur

SOFTNESS = 0.6
"""Pixels by which a change is blurred: finer than that, the difference of two such pictures is mostly noise.

Measured on the test people with all five models: without, L1 rises by up to a tenth; with a whole pixel, a sixth to a
quarter of the expression is lost."""


def residual_of(model: Transfers, face: Tensor, made: Tensor) -> Tensor:
    """Return what an edit changes: (B, 3, H, W) to be added to `face`, in units of [-1, 1] images.

    It is the picture made minus the model's own picture of `face`: what the model cannot paint at all, as a
    stranger's pores, is in neither and stays as it is.
    """
    return blur((made - model.reconstruct(face)).float(), SOFTNESS)


def composite(model: Transfers, face: Tensor, made: Tensor) -> Tensor:
    """Return `face` with what an edit changes added to it: (B, 3, H, W) in [-1, 1].

    A model that moves the face's own pixels has no residual: its picture is the answer.
    """
    if isinstance(model, Warps):
        return made
    return (face + residual_of(model, face, made)).clamp(-1, 1)


change, pasted = residual_of, composite  # their old names, until 0.2
