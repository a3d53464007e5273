"""The numbered equations of ExprGAN, one function each, unweighted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.labels import CLASSES
from mien.nn.losses import image_l1, mean_dtype, mean_l1

K = len(CLASSES) - 1
"""Classes with a block in the code: all but neutral, which is the absence of all."""

MAP_WEIGHT = 1.0  # Note: the paper gives no β_l


def expression_code(present: Tensor, z: Tensor) -> Tensor:
    """Eq. 3: c_i = |z_y| · (2 y_i - 1): y (B, K) and z_y (B, d) in (-1, 1) -> c (B, K d), block after block."""
    return ((2 * present - 1)[:, :, None] * z.abs()[:, None]).flatten(1)


def information_bound(estimate: Tensor, code: Tensor) -> Tensor:
    """Eq. 4: I(c; x̂|y) >= E[log Q(c|x̂, y)] + H(c|y), up to constants, Q a Gaussian of fixed width; a code number."""
    return -(estimate - code).square().mean(dtype=mean_dtype(estimate))


def regularizer_loss(estimate: Tensor, code: Tensor) -> Tensor:
    """Eq. 5: L_Q = -E[log Q(c|x̂, y)]: Q's estimate and the code that made x̂, both (B, K d)."""
    return -information_bound(estimate, code)


def pixel_loss(fake: Tensor, image: Tensor) -> Tensor:
    """Eq. 6: L_pixel = L1(G_dec(G_enc(x), c), x), over all numbers of the batch."""
    return image_l1(fake, image).mean()


def identity_loss(fake: Sequence[Tensor], image: Sequence[Tensor]) -> Tensor:
    """Eq. 7: L_id = Σ_l β_l L1(φ_l(G_dec(G_enc(x), c)), φ_l(x)), maps of a frozen face recognition net."""
    return torch.stack([MAP_WEIGHT * mean_l1(a, b) for a, b in zip(fake, image, strict=True)]).sum()


def code_adversarial_value(prior: Tensor, code: Tensor) -> Tensor:
    """Eq. 8: L_adv^z = E[log D_z(z)] + E[log(1 - D_z(G_enc(x)))], on logits; D_z maximises it."""
    return minimax_value(prior, code)


def image_adversarial_value(real: Tensor, fake: Tensor) -> Tensor:
    """Eq. 9: L_adv^img = E[log D_img(x, y)] + E[log(1 - D_img(x̂, y))], on logits; D_img maximises it."""
    return minimax_value(real, fake)


def minimax_value(real: Tensor, fake: Tensor) -> Tensor:
    """Return E[log σ(real)] + E[log(1 - σ(fake))]."""
    return -F.softplus(-real).mean(dtype=mean_dtype(real)) - F.softplus(fake).mean(dtype=mean_dtype(fake))


def fade(code: Tensor, intensity: Tensor | float) -> Tensor:
    """Return the code (B, K d) on its way from neutral, all -1 (intensity 0), to itself (1)."""
    return intensity * (code + 1) - 1


def full_code(present: Tensor, style: int) -> Tensor:
    """Return Eq. 3's code at |z_y| = 1: 1 in the blocks of what is present, -1 elsewhere; y (B, K) -> (B, K d)."""
    return expression_code(present, present.new_ones(present.shape[0], style))


def present_blocks(code: Tensor, present: Tensor) -> Tensor:
    """Return a code (B, K d) as strong as it is in the blocks of what is present, and -1 elsewhere."""
    return fade(full_code(present, code.shape[1] // K), (code.to(present.dtype) + 1) / 2)


def uniform(
    rows: int, columns: int, device: torch.device | str = "cpu", generator: torch.Generator | None = None
) -> Tensor:
    """Return noise ~ U(-1, 1) (rows, columns), from torch's global generator or a given one."""
    return torch.rand(rows, columns, device=device, generator=generator) * 2 - 1
