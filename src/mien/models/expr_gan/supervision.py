"""What ExprGAN learns from: single pictures, as in the paper, or pairs whose answer is a real picture, which are ours.

Two classes of one interface; the model makes one of them, by `exact`, and asks it wherever the two differ.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.data.batch import Batch, Faces
from mien.models.expr_gan.config import ExprGanConfig
from mien.models.expr_gan.equations import K, expression_code, fade, full_code, pixel_loss, present_blocks, uniform
from mien.nn.losses import share_of, truth_loss

Estimate = Callable[[Tensor, Tensor], Tensor]
"""Q's code (B, K d) of images, given y."""


class Unpaired:
    """The paper's: every picture is its own answer, and its code is drawn."""

    need_truth = False

    def __init__(self, config: ExprGanConfig):
        self.config = config

    def task(self, batch: Batch) -> tuple[Tensor, Faces, Tensor]:
        """Return who is to be shown (B, 3, H, W), the faces that give the expression, and the right answer."""
        return batch.source.image, batch.source, batch.source.image

    def codes(self, faces: Faces, present: Tensor, estimate: Estimate) -> tuple[Tensor, Tensor]:
        """Return codes for the faces' expressions (B, K d), and for which (B,) no picture can be the answer.

        In the paper the face is always the answer, else none of the drawn codes has one.
        """
        code, drawn = mixed_codes(self.config, faces, present, self.draw, estimate)
        return code, drawn & (not self.config.answered)

    def draw(self, present: Tensor, label: Tensor) -> Tensor:
        """Return Eq. 3's codes of z_y ~ U(-1, 1), a share `single` of them with one element present alone."""
        z = uniform(len(present), self.config.style, present.device).to(present.dtype)
        code = self.controlled(present, z, label)
        if not self.config.single:
            return code
        alone = torch.rand(len(z), 1, device=z.device) < self.config.single
        return torch.where(alone, single_element(present, z), code)

    def controlled(self, present: Tensor, z: Tensor, label: Tensor) -> Tensor:
        """Return Eq. 3's codes; neutral, which has no block, is all -1."""
        return fade(expression_code(present, z), (label != 0)[:, None].to(z.dtype))

    def compared(self, estimate: Tensor, present: Tensor) -> Tensor:
        """Return what L_Q compares with the code: Q's estimate of all blocks."""
        return estimate

    def pixels(self, fake: Tensor, answer: Tensor, face: Tensor) -> Tensor:
        """Return Eq. 6."""
        return pixel_loss(fake, answer)

    def extra_weights(self) -> dict[str, float]:
        """Return the weights of further losses of the reconstruction stage: none."""
        return {}

    def extra_losses(self, code: Tensor, present: Tensor, shown: Faces, unanswered: Tensor) -> dict[str, Tensor]:
        """Return these losses."""
        return {}


class Paired:
    """Ours: the answer is a real picture of the target's person with the source's expression.

    In all its codes, what is absent is -1.
    """

    need_truth = True

    def __init__(self, config: ExprGanConfig):
        self.config = config

    def task(self, batch: Batch) -> tuple[Tensor, Faces, Tensor]:
        """Return who is to be shown (B, 3, H, W), the faces that give the expression, and the right answer."""
        return batch.target.image, batch.source, batch.truth

    def codes(self, faces: Faces, present: Tensor, estimate: Estimate) -> tuple[Tensor, Tensor]:
        """Return codes for the faces' expressions (B, K d), and for which (B,) no picture can be the answer: drawn."""
        return mixed_codes(self.config, faces, present, self.draw, estimate)

    def draw(self, present: Tensor, label: Tensor) -> Tensor:
        """Return codes whose present block is anywhere in (-1, 1)^d."""
        code = full_code(present, self.config.style)
        return fade(code, torch.rand_like(code))

    def controlled(self, present: Tensor, z: Tensor, label: Tensor) -> Tensor:
        """Return Eq. 3's codes with -1 for what is absent; neutral is all -1."""
        code = present_blocks(expression_code(present, z).abs(), present)
        return fade(code, (label != 0)[:, None].to(z.dtype))

    def compared(self, estimate: Tensor, present: Tensor) -> Tensor:
        """Return what L_Q compares with the code: Q's estimate of the present block, the rest being -1."""
        return present_blocks(estimate, present)

    def pixels(self, fake: Tensor, answer: Tensor, face: Tensor) -> Tensor:
        """Return Eq. 6 with `focus` on what the expression changes."""
        return truth_loss(fake, answer, face, self.config.focus)

    def extra_weights(self) -> dict[str, float]:
        """Return the weights of further losses of the reconstruction stage."""
        return {"L_intensity": self.config.intensity}

    def extra_losses(self, code: Tensor, present: Tensor, shown: Faces, unanswered: Tensor) -> dict[str, Tensor]:
        """Return how far codes are from labelled intensities; drawn codes, which are meant to be far, do not count."""
        known = (shown.label > 0) & ~shown.intensity.isnan() & ~unanswered
        return {"L_intensity": intensity_loss(code, present, shown.intensity.nan_to_num(), known)}


def single_element(present: Tensor, z: Tensor) -> Tensor:
    """Return codes (B, K d) with one element of what is present at |z_y|, all else at -1; which one is drawn.

    Fig. 3 tests with such codes, which Eq. 3 never gives.
    """
    chosen = F.one_hot(torch.randint(z.shape[1], (len(z),), device=z.device), z.shape[1]).to(z.dtype)
    strength = chosen * (z.abs() + 1)  # above -1
    return (present[:, :, None] * strength[:, None]).flatten(1) - 1


def mixed_codes(
    config: ExprGanConfig, faces: Faces, present: Tensor, draw: Callable[[Tensor, Tensor], Tensor], estimate: Estimate
) -> tuple[Tensor, Tensor]:
    """Return codes (B, K d), and which (B,) are drawn: the share `drawn`; all of them in the paper's presets.

    A share `estimated`, and what has no label, is read by Q from the picture that shows the expression. The others are
    the class's block at the labelled intensity.
    """
    label = faces.label
    kind = torch.rand(len(faces), device=present.device)
    drawn = (kind >= 1 - config.drawn) & ((label >= 0) | (config.estimated == 0))
    estimated = ((kind < config.estimated) | ((label < 0) & (config.estimated > 0))) & ~drawn
    intensity = torch.where(label == 0, 0.0, faces.intensity.nan_to_num(1.0))
    code = fade(full_code(present, config.style), intensity[:, None])
    code = torch.where(drawn[:, None], draw(present, label), code)
    if estimated.any():
        # Of all rows, since batch norm needs more than one.
        code = torch.where(estimated[:, None], estimate(faces.image, present), code)
    return code, drawn


def intensity_loss(code: Tensor, present: Tensor, intensity: Tensor, known: Tensor) -> Tensor:
    """Return how far the mean of the present block of c (B, K d) is from the labelled intensity, where `known` (B,).

    Style is how a block's numbers differ from their mean, and stays free.
    """
    strength = (code.unflatten(1, (K, -1)).mean(2) * present).sum(1)
    return share_of((strength - (2 * intensity - 1)).square(), known)
