"""The numbered equations of JESRL, one function each, unweighted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.models.jesrl.nets import N
from mien.nn.losses import image_l1, known_cross_entropy, mean_dtype, mean_l1


def block_mask(chosen: Tensor, channels: int) -> Tensor:
    """Eq. 2: R = [r^1, …, r^n], which channels belong to the chosen classes: (B, n) bool -> (B, C, 1, 1) bool.

    A class has ⌊C/n⌋ channels; what is left over belongs to none.
    """
    mask = chosen.repeat_interleave(channels // chosen.shape[1], 1)
    return F.pad(mask, (0, channels - mask.shape[1]))[:, :, None, None]


def switch(own: Tensor, other: Tensor, mask: Tensor) -> Tensor:
    """Eq. 3: R_c = R_a with the masked blocks of R_b."""
    return torch.where(mask, other, own)


def adversarial_loss(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Eq. 5: L_adv = -Σ_k E[log D_k(I, y)] + E[log(1 - D_k(G(I, y), y))], on the logits of both scales, D's side."""
    return torch.stack([F.softplus(-r).mean() + F.softplus(f).mean() for r, f in zip(real, fake, strict=True)]).sum()


def interpolate(own: Tensor, other: Tensor, mask: Tensor, p: float) -> Tensor:
    """Eq. 6: R_c^p = R_a with p·r_a + (1 - p)·r_b in the masked blocks."""
    return torch.where(mask, p * own + (1 - p) * other, own)


def interpolation_loss(c: Sequence[Tensor], d: Sequence[Tensor], called_real: bool) -> Tensor:
    """Eq. 7: L_inter = l_inter(R_c^p) + l_inter(R_d^p), on logits: -Σ_k E[log D_k] for G, who has the images called
    real, or -Σ_k E[log(1 - D_k)] for D."""
    return torch.stack([F.softplus(-f if called_real else f).mean() for f in (*c, *d)]).sum()


def classification_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Eq. 8: L_C = -E[y log FC([VGG(I), G_enc(I)])], on logits; labels -100 are left out."""
    return known_cross_entropy(logits, label)


def reconstruction_loss(a: Tensor, rebuilt_a: Tensor, b: Tensor, rebuilt_b: Tensor) -> Tensor:
    """Eq. 9: L_r = ‖I_a - I'_a‖_2 + ‖I_b - I'_b‖_2, as root mean squares of an image's numbers."""
    squares = [(x - y).square().mean((1, 2, 3), dtype=mean_dtype(x)) for x, y in ((a, rebuilt_a), (b, rebuilt_b))]
    return torch.stack(squares).clamp(min=1e-12).sqrt().mean(1).sum()  # the root has no slope at 0


def pixel_sum_loss(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Eq. 10: L_p = |‖I_a + I_b‖_1 - ‖I_c + I_d‖_1|, as means over an image's numbers."""
    return (image_l1(a, -b) - image_l1(c, -d)).abs().mean()


def perceptual_loss(a: Sequence[Tensor], d: Sequence[Tensor], b: Sequence[Tensor], c: Sequence[Tensor]) -> Tensor:
    """Eq. 11: L_per = Σ_i ‖F^(i)(I_a) - F^(i)(I_d)‖_1 + ‖F^(i)(I_b) - F^(i)(I_c)‖_1, as means over a map's numbers."""
    pairs = (*zip(a, d, strict=True), *zip(b, c, strict=True))
    return torch.stack([mean_l1(x, y) for x, y in pairs]).sum()


def naming_loss(representation: Tensor, label: Tensor) -> Tensor:
    """Return the cross entropy of calling a face by the class whose block is strongest in the mean."""
    size = representation.shape[1] // N
    strength = representation[:, : size * N].unflatten(1, (N, size)).mean((2, 3, 4), dtype=mean_dtype(representation))
    return known_cross_entropy(10 * strength, label)
