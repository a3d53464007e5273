"""The losses of fields, one function each, unweighted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.data.batch import Motion
from mien.models.reader.code import UNITS
from mien.nn.losses import block_ssim, gradient_l1
from mien.nn.warp import Patch, warp
from mien.nn.windows import EYES, MOUTH, WINDOWS, cut, resized

EPSILON = 0.03  # of brightness in Eq. 7, so that black has a logarithm


def flow_loss(flow: Tensor, motion: Motion, side: int) -> Tensor:
    """Eq. 6: L_flow = mean k w √(|f - f*|² + ε²), w = (1 + 4 min(|f*| / 1.5, 1))(1 - .9 m), in pixels of `side`.

    In the windows of the eyes w = 5 (1 - .9 m): an iris that stays where it is counts as much as the lid that moves.
    """
    off, true = (flow - motion.flow) * side, motion.flow * side
    length = (off.square().sum(1, keepdim=True) + 0.01).sqrt() - 0.1
    moved = (true.square().sum(1, keepdim=True).sqrt() / 1.5).clamp(max=1)
    for window in EYES:
        cut(moved, window).fill_(1)
    return (motion.known * (1 + 4 * moved) * (1 - 0.9 * motion.mouth) * length).mean()


def true_shade(face: Tensor, truth: Tensor, motion: Motion) -> tuple[Tensor, Tensor]:
    """Eq. 7: s* = log (Y + ε) / (X(p + f*) + ε), held within ± .4; X, Y the blurred means of the channels in 0-1.

    Faces (B, 3, V, V) -> (B, 1, V, V) and where it counts: not in the mouth, and where the flow is known.
    """
    side = face.shape[-1]

    def brightness(image: Tensor) -> Tensor:
        smooth = F.avg_pool2d(F.avg_pool2d((image.float().mean(1, keepdim=True) + 1) / 2, 3, 1), 3, 1)
        return F.pad(smooth, (2, 2, 2, 2), mode="replicate")

    before, after = brightness(warp(face, motion.flow)), brightness(truth)
    log = ((after + EPSILON) / (before + EPSILON)).log().clamp(-0.4, 0.4)
    near = F.max_pool2d(motion.mouth, 3, 1, 1)
    return log, resized(motion.known * (1 - near), side)


def shade_loss(shade: Tensor, true: Tensor, counts: Tensor) -> Tensor:
    """Eq. 8: L_shade = mean n (1 + 4 min(|s*| / .1, 1)) H(s - s*), H Huber's loss over .1, `counts` n."""
    off = F.huber_loss(shade, true, reduction="none", delta=0.1) / 0.1
    return (counts * (1 + 4 * (true.abs() / 0.1).clamp(max=1)) * off).mean()


def opening_loss(alpha: Tensor, motion: Motion, shut: Tensor) -> Tensor:
    """Eq. 9: L_open = mean w BCE(a, m) where a mouth can be, a the mean over m's cell, w = 5 near a mouth and 1 else;
    plus ten times the mean of a elsewhere: it may cover what opens in the eyes, but only what no pixel can be moved to.
    Not so in faces whose lids shut, by `shut` (B,) in 0-1: a lid covers.
    """  # fmt: skip
    share = F.adaptive_avg_pool2d(alpha, motion.mouth.shape[-1]).clamp(1e-4, 1 - 1e-4)
    here, true = cut(share, MOUTH), cut(motion.mouth, MOUTH)
    weight = 1 + 4 * (F.max_pool2d(true, 5, 1, 2) > 0.05)
    off = -(true * here.log() + (1 - true) * (1 - here).log())
    cells = share.shape[-1] ** 2
    others = (share.sum((1, 2, 3)) - here.sum((1, 2, 3))) / cells
    return (weight * off).mean() + 10 * ((1 - shut) * others).mean()


def paint_loss(paint: Tensor, truth: Tensor, mouth: Tensor) -> Tensor:
    """Eq. 10: L_paint = Σ m (|p - y| + |∇p - ∇y|) / (Σ m + 33), a face's own sums, in the window of the mouth."""
    m = cut(resized(mouth, truth.shape[-1]), MOUTH)
    off = paint - cut(truth, MOUTH)
    total = (m * off.abs()).sum((1, 2, 3))
    total = total + (m[..., 1:] * off.diff(dim=3).abs()).sum((1, 2, 3))
    total = total + (m[..., 1:, :] * off.diff(dim=2).abs()).sum((1, 2, 3))
    return (total / (3 * m.sum((1, 2, 3)) + 100)).mean()


def teeth_loss(patch: Patch, motion: Motion) -> Tensor:
    """Eq. 10a: L_teeth = 20 Σ t (|u - u*| + |v - v*|) / (Σ t + 20) over teeth t, of a face's own, u, v on the arch;
    plus binary cross entropy of the share of teeth against t, inside open mouths.
    """  # fmt: skip
    if motion.teeth is None or patch.teeth is None:
        return patch.brightness.sum() * 0
    inside = motion.teeth[:, :1].isfinite()
    true = motion.teeth.nan_to_num(0.0)
    tooth, arch = true[:, :1], true[:, 1:]
    share = patch.teeth.laid_over(patch.brightness, patch.redness)[2].clamp(1e-4, 1 - 1e-4)
    off = (resized(patch.teeth.arch, tooth.shape[-1]) - arch).abs().sum(1, keepdim=True)
    lie = ((off * tooth).sum((1, 2, 3)) / (tooth.sum((1, 2, 3)) + 20)).mean()
    named = inside * F.binary_cross_entropy(share, tooth, reduction="none")
    return 20 * lie + (named.sum((1, 2, 3)) / (inside.sum((1, 2, 3)) + 50)).mean()


def look_losses(made: Tensor, truth: Tensor, face: Tensor) -> dict[str, Tensor]:
    """Eq. 11: pixels = mean w |y' - y|, edges = mean w |∇y' - ∇y|, structure = 1 - SSIM of 8 × 8 blocks.

    w = 1 + 5 min(3 |y - x|, 1), the difference averaged over 4 × 4 cells: an expression changes few pixels of a face.
    """
    weight = changing(truth, face)
    return {
        "pixels": ((made - truth).abs() * weight).mean(),
        "edges": gradient_l1(made, truth, weight),
        "structure": 1 - block_ssim(made, truth),
    }


def changing(truth: Tensor, face: Tensor) -> Tensor:
    """Return w of Eq. 11, (B, 1, S, S)."""
    cells = F.avg_pool2d((truth - face).abs().mean(1, keepdim=True), 4)
    return 1 + 5 * resized((3 * cells).clamp(max=1), truth.shape[-1])


def near_loss(made: Sequence[Tensor], truth: Tensor, face: Tensor) -> Tensor:
    """Eq. 12: L_near = Σ mean w (|y' - y| + |∇y' - ∇y|) over WINDOWS, at the frame's own resolution, w as in Eq. 11."""
    total = truth.new_zeros(())
    for window, part in zip(WINDOWS, made, strict=True):
        true = cut(truth, window)
        weight = changing(true, cut(face, window))
        total = total + ((part - true).abs() * weight).mean() + gradient_l1(part, true, weight)
    return total


def detail(image: Tensor) -> Tensor:
    """Return what is finer than cells of 8 × 8 pixels, (B, 3, H, H): all that a critic is to judge, so no colour."""
    return image - resized(F.avg_pool2d(image, 8), image.shape[-1])


def fool_loss(made: Sequence[Tensor], counts: Sequence[Tensor]) -> Tensor:
    """Eq. 13: L_fool = -Σ n D(y') / Σ n, on logits (B, 1, d, d) of mouths, and of eyes; `counts` n of `watched`."""
    return torch.stack([-(d * n).sum() / n.sum().clamp(min=1) for d, n in zip(made, counts, strict=True)]).sum()


def critic_loss(real: Sequence[Tensor], made: Sequence[Tensor], counts: Sequence[Tensor]) -> Tensor:
    """Eq. 14: L_critic = Σ n (max(0, 1 - D(y)) + max(0, 1 + D(y'))) / Σ n, on logits as in Eq. 13."""
    hinges = ((F.relu(1 - d) + F.relu(1 + e), n) for d, e, n in zip(real, made, counts, strict=True))
    return torch.stack([(h * n).sum() / n.sum().clamp(min=1) for h, n in hinges]).sum()


def watched(truth: Tensor, face: Tensor, motion: Motion) -> list[Tensor]:
    """Return what counts for the critic: the inside of mouths (B, 1, d, d), what changes in eyes (2B, 1, d, d)."""
    side = truth.shape[-1] // 8
    changes = torch.cat([changing(cut(truth, window), cut(face, window)) - 1 for window in EYES]) / 5
    return [resized(motion.mouth, side, MOUTH), F.avg_pool2d(changes, 8)]


def reached_loss(made: Tensor, true: Tensor) -> Tensor:
    """Eq. 15: L_reach = mean (E(y') - E(y))² over the action units: the result is to be read as the truth is."""
    return (made - true)[:, : 2 * UNITS].square().mean()
