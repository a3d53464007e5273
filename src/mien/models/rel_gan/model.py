"""REL-GAN: its equations, its nets and what can be asked of it; the symbols stand at the package's head."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mien.data.batch import Batch, Faces
from mien.labels import CLASSES
from mien.models.contract import Prediction
from mien.models.recipe import Adam, Sampling, Stage, Turn, rotations
from mien.models.rel_gan.config import PRESETS, RelGanConfig
from mien.models.two_codes import TwoCodes
from mien.nn.blocks import Encoder, UpBlock, halvings, perceptron
from mien.nn.class_codes import ClassCodes
from mien.nn.losses import image_l1, known_cross_entropy
from mien.nn.naming_discriminator import NamingDiscriminator


def discriminator_loss(
    real_expression: Tensor, expression: Tensor, real_identity: Tensor, identity: Tensor, fake_expression: Tensor
) -> Tensor:
    """Eq. 1: L_D = -E[log D_e^ys(x_s) + log D_i^yt(x_t)] - E[log D_e^(n+1)(x̄)], on logits; labels -100 are left out."""
    fake = torch.full_like(expression, fake_expression.shape[1] - 1)
    return (
        known_cross_entropy(real_expression, expression)
        + known_cross_entropy(real_identity, identity)
        + known_cross_entropy(fake_expression, fake)
    )


def generator_loss(fake_expression: Tensor, expression: Tensor, fake_identity: Tensor, identity: Tensor) -> Tensor:
    """Eq. 2: L_G = -E[log D_e^ys(x̄) + log D_i^yt(x̄)], on logits; labels -100 are left out."""
    return known_cross_entropy(fake_expression, expression) + known_cross_entropy(fake_identity, identity)


def pixel_loss(fake: Tensor, truth: Tensor) -> Tensor:
    """Eq. 3: L_pixel = L1(G_de(G_es(x_s), G_et(x_t)), x_tg), the mean over the batch and its pixels."""
    return image_l1(fake, truth).mean()


class PaintingDecoder(nn.Module):
    """G_de: a linear layer, five up blocks, and a convolution with tanh that paints: (B, code) -> (B, 3, size, size).

    The paper's list of channels ends at 32; the last convolution is implied.
    """

    def __init__(self, size: int, code: int, channels: Sequence[int]):
        super().__init__()
        sides = halvings(size, len(channels))[::-1]  # smallest first
        self.shape = (channels[0], sides[0], sides[0])
        self.linear = nn.Linear(code, channels[0] * sides[0] ** 2)
        widths = pairwise([channels[0], *channels])
        self.blocks = nn.Sequential(*(UpBlock(a, b, side) for (a, b), side in zip(widths, sides[1:], strict=True)))
        self.paint = nn.Conv2d(channels[-1], 3, 3, padding=1)

    def forward(self, code: Tensor) -> Tensor:
        """(B, code) -> (B, 3, size, size) in [-1, 1]."""
        x = self.linear(code).unflatten(1, self.shape)
        return self.paint(self.blocks(x.contiguous(memory_format=torch.channels_last))).tanh()


class RelGan(TwoCodes):
    """Reenactment first, then an MLP on the detached expression encoder."""

    paper = (
        "K. Ali, C. E. Hughes: Face Reenactment Based Facial Expression Recognition, "
        "International Symposium on Visual Computing, 2020"
    )
    Config = RelGanConfig
    PRESETS = PRESETS
    stage_1 = {"steps": 0, "late_steps": 0}  # noqa: RUF012
    needs = ("expression",)
    without_pairs = (
        "train the recogniser alone, on a run that learnt from triples: --start RUN --set steps=0 --set late_steps=0"
    )
    deployed = ("expression_encoder", "identity_encoder", "decoder", "recognizer", "class_codes")

    def __init__(self, config: RelGanConfig):
        super().__init__(config)
        c, n = config, len(CLASSES)
        channels = [c.width * factor for factor in (1, 2, 4, 8, 8)]
        self.expression_encoder = Encoder(c.image_size, channels, c.expression_code)
        self.identity_encoder = Encoder(c.image_size, channels, c.identity_code)
        painted = [8 * c.width, 4 * c.width, 2 * c.width, c.width, c.width // 2]
        self.decoder = PaintingDecoder(c.image_size, c.expression_code + c.identity_code, painted)
        self.discriminator = NamingDiscriminator(c.image_size, c.discriminator_width, n, c.subjects)
        self.recognizer = perceptron(c.expression_code, (64, n))
        self.class_layer = nn.Linear(c.expression_code, n)  # the CNN baseline's
        self.class_codes = ClassCodes(c.expression_code)

    def stages(self) -> tuple[Stage, ...]:
        """Eq. 4: λ1 L_adv + λ2 L_pixel + λ3 L_De + λ4 L_Di, with L_adv = L_G + L_D; late in training D rests.

        Then Sec. 3.2: an MLP on the detached G_es.
        """
        c, adam = self.config, Adam(self.config.lr, betas=(0.5, 0.999))
        # paper: the CNN baseline
        classify = Turn("classify", ("expression_encoder", "class_layer"), {"expression": 1.0}, adam)
        if c.supervised:
            length = c.pretrain_steps + c.steps + c.late_steps or c.recognition_steps
            return (Stage("supervised", length, (classify,), c.decay),)
        synthesize = Turn(  # paper: Eq. 4 of G
            "synthesize",
            ("expression_encoder", "identity_encoder", "decoder"),
            {
                "L_G": c.adversarial,  # λ1
                "L_pixel": c.pixel,  # λ2
                "L_De": c.expression,  # λ3
                "L_Di": c.identity,  # λ4
            },
            adam,
        )

        def discriminate(every: int) -> Turn:  # paper: Eq. 1, λ1
            return Turn("discriminate", ("discriminator",), {"L_D": c.adversarial}, adam, every)

        recognize = Turn("recognize", ("recognizer",), {"expression": 1.0}, adam)  # paper, Sec. 3.2: the MLP
        before = (Stage("pretrain", c.pretrain_steps, (classify,)),) if c.pretrain_steps else ()  # ours
        return (
            *before,
            Stage("reenactment", c.steps, (discriminate(1), synthesize)),
            Stage("late reenactment", c.late_steps, (discriminate(c.late_every), synthesize), c.decay),
            Stage("recognition", c.recognition_steps, (recognize,)),
        )

    def sampling(self) -> Sampling:
        """Sec. 3: triples (x_s, x_t, x_tg). Sec. 4.1: five crops × four rotations (and none) × flip.

        Without steps of reenactment nothing needs a triple: the MLP learns on an encoder that learnt elsewhere (SFEW).
        """
        c = self.config
        triples = c.steps + c.late_steps > 0
        return Sampling(c.same, c.alike, triples, margin=c.margin, rotations=rotations(c.turn), colour=c.colour)

    def enter(self, stage: str) -> None:
        """Start the class codes anew."""
        if stage == "recognition":
            self.class_codes.reset()

    def losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the turn's unweighted losses."""
        source, target = batch.source, batch.target
        if turn == "classify":
            logits = self.class_layer(self.expression_encoder(source.image))
            return {"expression": known_cross_entropy(logits, source.label)}
        if turn == "recognize":
            return {"expression": self._recognition(source)}
        if turn == "discriminate":
            with torch.no_grad():
                fake = self.transfer(target.image, source.image)
            return {"L_D": self._discrimination(source, target, fake)}
        return self._synthesis(batch)

    def _discrimination(self, source: Faces, target: Faces, fake: Tensor) -> Tensor:
        real_expression, _ = self.discriminator(source.image)
        _, real_identity = self.discriminator(target.image)
        fake_expression, _ = self.discriminator(fake)
        return discriminator_loss(real_expression, source.label, real_identity, target.subject, fake_expression)

    def _synthesis(self, batch: Batch) -> dict[str, Tensor]:
        expression, identity = batch.source.label, batch.target.subject
        fake = self.transfer(batch.target.image, batch.source.image)
        fake_expression, fake_identity = self.discriminator(fake)
        return {
            "L_G": generator_loss(fake_expression, expression, fake_identity, identity),
            "L_pixel": pixel_loss(fake, batch.truth),
            "L_De": known_cross_entropy(fake_expression, expression),
            "L_Di": known_cross_entropy(fake_identity, identity),
        }

    def baseline(self, face: Tensor) -> Prediction:
        """Return class probabilities by the CNN baseline: G_es with one class layer."""
        return Prediction(self.class_layer(self.expression_encoder(face)).float().softmax(1))
