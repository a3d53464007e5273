"""The numbered equations of EET, one function each, unweighted."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from mien.nn.losses import image_l1, known_cross_entropy, mean_dtype

LEVELS = 5  # l, Sec. IV-A: the maximum intensity level
RAREST = 0.01  # o_i is not taken below this: a unit that hardly occurs would get all the weight


def rounded_levels(aus: Tensor) -> Tensor:
    """Eq. 1: u_d = ⌊u⌉, whole numbers 0-5; NaN stays NaN."""
    return aus.round()


def unit_discrimination_loss(scores: Tensor, levels: Tensor) -> Tensor:
    """Eq. 2: L_u^(D), scores (B, m, l+1) to 1 at the true level and 0 elsewhere; unknown levels (NaN) count nothing."""
    scores = scores.to(mean_dtype(scores))
    answer = F.one_hot(levels.nan_to_num().long(), scores.shape[-1])
    return ((scores - answer).square() * ~levels.isnan()[..., None]).mean()


def unit_confusion_loss(scores: Tensor) -> Tensor:
    """Eq. 3: L_u^(E), scores (B, m, l+1) all to 1/(l+1)."""
    return (scores.to(mean_dtype(scores)) - 1 / scores.shape[-1]).square().mean()


def identity_discrimination_loss(scores: Tensor, subject: Tensor) -> Tensor:
    """Eq. 4: L_d^(D), scores (B, n) to 1 for the true person and 0 for the others."""
    return (scores.to(mean_dtype(scores)) - F.one_hot(subject, scores.shape[1])).square().mean()


def identity_confusion_loss(scores: Tensor) -> Tensor:
    """Eq. 4: L_d^(E), scores (B, n) all to 1/n."""
    return (scores.to(mean_dtype(scores)) - 1 / scores.shape[1]).square().mean()


def unit_weights(rates: Tensor) -> Tensor:
    """Eq. 5: w_i = (1/o_i) / Σ_q (1/o_q), o the occurrence rates (m,)."""
    rarity = 1 / rates.clamp(min=RAREST)
    return rarity / rarity.sum()


def unit_intensity_loss(estimates: Tensor, aus: Tensor, weights: Tensor) -> Tensor:
    """Eq. 5: L_u = E[Σ_i w_i (u_i - û_i l)²], (B, m) twice and (m,); unknown intensities (NaN) count nothing."""
    error = aus.nan_to_num() - estimates.to(mean_dtype(estimates)) * LEVELS
    return (weights * error.square() * ~aus.isnan()).sum(1).mean()


def fused_feature(maps: Tensor) -> Tensor:
    """Eq. 6: f_r = 1/m Σ_i f_ri, (B, m, C, H, W) -> (B, C, H, W)."""
    return maps.mean(1)


def attribute_loss(identity: Tensor, subject: Tensor, pose: Tensor, pose_label: Tensor, pose_weight: float) -> Tensor:
    """Eq. 7: L_c = -E[log σ(C^d) at the person + λ_p log σ(C^p) at the pose], on logits (B, n) and (B, v)."""
    return known_cross_entropy(identity, subject) + pose_weight * known_cross_entropy(pose, pose_label)


def swap_discrimination_loss(own: Tensor, swapped: Tensor) -> Tensor:
    """Eq. 8: L_sc as D_sc minimises it, least squares: E[(D_sc(Ǐ) - 1)²] + E[D_sc(İ)²]."""
    return least_squares(own, 1.0) + least_squares(swapped, 0.0)


def swap_consistency_loss(swapped: Tensor) -> Tensor:
    """Eq. 8: L_sc as E_f, E_r and G minimise it, least squares: E[(D_sc(İ) - 1)²]."""
    return least_squares(swapped, 1.0)


def reconstruction_loss(own: Tensor, crossed: Tensor, image: Tensor) -> Tensor:
    """Eq. 9: L_r = E[‖Ǐ - I‖₁ + ‖Î - I‖₁], means over pixels."""
    return (image_l1(own, image) + image_l1(crossed, image)).mean()


def image_discrimination_loss(real: Tensor, swapped: Tensor) -> Tensor:
    """Eq. 10: L_adg as D_g minimises it, least squares: E[(D_g(I) - 1)²] + E[D_g(İ)²]."""
    return least_squares(real, 1.0) + least_squares(swapped, 0.0)


def image_adversarial_loss(swapped: Tensor) -> Tensor:
    """Eq. 10: L_adg as E_f, E_r and G minimise it, least squares: E[(D_g(İ) - 1)²]."""
    return least_squares(swapped, 1.0)


def least_squares(scores: Tensor, wanted: float) -> Tensor:
    """Return E[(scores - wanted)²]."""
    return (scores.to(mean_dtype(scores)) - wanted).square().mean()
