"""REL-GAN: expression codes learned by reenactment, for recognition.

Paper                 Code
x_s, x_t, x_tg, x̄     batch.source.image, batch.target.image, batch.truth, fake
G_es, G_et, G_de      expression_encoder, identity_encoder, decoder
f(e), f(i)            their outputs, 30 and 50 numbers
D = [D_e, D_i]        discriminator; class n of D_e is "fake"
MLP                   recognizer
Eq. 1  L_D            discriminator_loss
Eq. 2  L_G            generator_loss
Eq. 3  L_pixel        pixel_loss
Eq. 4  total          RelGan.stages
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor, nn

from mien.data.batch import Batch, Faces
from mien.labels import CLASSES
from mien.models.contract import Prediction
from mien.models.ranges import (
    Degrees,
    Every,
    Part,
    People,
    Rate,
    Share,
    Side,
    SomePairs,
    SomeWidth,
    Steps,
    Weight,
    Width,
    check_settings,
)
from mien.models.recipe import Adam, Sampling, Stage, Turn, rotations
from mien.models.two_codes import TwoCodes
from mien.nn.blocks import Encoder, UpBlock, halvings, perceptron
from mien.nn.class_codes import ClassCodes
from mien.nn.losses import image_l1, known_cross_entropy
from mien.nn.naming_discriminator import NamingDiscriminator


@dataclass(frozen=True)
class RelGanConfig:
    """Sizes, lengths and weights. The defaults are preset `paper`; width w gives encoders w, 2w, 4w, 8w, 8w channels.

    *paper*: the default is the paper's, where it says so. *ours*: the paper is silent or has no such thing.

    Pairs are of three kinds, all with an exact answer x_tg: two people in two expressions (the paper's triples), two
    people in one ("alike": x_tg is x_t) and one person in two (x_tg is x_s, cut as x_t is).
    """

    image_size: Side = 96  # paper, Sec. 4.1
    subjects: People = 1  # paper: N^i, people in the training set
    width: SomeWidth = 64  # paper, Sec. 4.1: encoders 64 … 512, decoder 512 … 32
    discriminator_width: Width = 16  # paper, Sec. 4.1: D's blocks 16 … 128
    expression_code: Width = 30  # paper, Sec. 4.1: f(e)
    identity_code: Width = 50  # paper, Sec. 4.1: f(i)
    supervised: bool = False  # paper: the CNN baseline, G_es and a class layer; ours: for as many steps
    batch_size: SomePairs = 64  # paper, Sec. 4.1
    pretrain_steps: Steps = 0  # ours: G_es by classes, before the game; the paper pre-trains all on another set
    steps: Steps = 142_000  # paper: half of 300 epochs of BU-4DFE's 60,600 images; it does not say when "late" begins
    late_steps: Steps = 142_000  # paper: the other half; G moves more often than D
    late_every: Every = 2  # ours: how often; the paper has "more frequently"
    recognition_steps: Steps = 47_300  # paper: 50 epochs of the MLP
    lr: Rate = 1e-4  # paper, Sec. 4.1
    decay: Share = 0.0  # ours: share of the late stage over which the rate falls to zero
    same: Share = 0.0  # ours: share of pairs that show one person
    alike: Share = 0.0  # ours: share of the others that show one expression
    margin: Part = 0.06  # paper: five crops; ours: of a corner crop, as a share of the size
    turn: Degrees = 6.0  # paper, Sec. 4.1: -6, -3, 3, 6 degrees
    colour: Part = 0.0  # ours: ± share, augmentation
    adversarial: Weight = 0.7  # paper, Sec. 4.1: λ1; of L_D in a turn of its own, where Adam does not feel it
    pixel: Weight = 20.0  # paper, Sec. 4.1: λ2
    expression: Weight = 50.0  # paper, Sec. 4.1: λ3
    identity: Weight = 30.0  # paper, Sec. 4.1: λ4

    def __post_init__(self) -> None:
        check_settings(self)


PAPER = RelGanConfig()
BASE = replace(  # the paper's objective and λ, in about four hours of one CPU core; what differs is ours
    PAPER,
    width=16,
    discriminator_width=8,
    batch_size=32,
    steps=12000,
    late_steps=14000,
    recognition_steps=3000,
    lr=5e-4,
    decay=0.5,
)
SMALL = replace(  # a quick one, taught by three kinds of pairs; what differs is ours
    PAPER,
    image_size=64,
    width=16,
    discriminator_width=8,
    batch_size=32,
    steps=1000,
    late_steps=9000,
    late_every=4,
    recognition_steps=800,
    lr=1e-3,
    decay=0.5,
    same=0.2,
    alike=0.2,
    margin=0.03,
    turn=3.0,
    colour=0.1,
    adversarial=0.02,
    expression=0.03,
    identity=0.02,
)


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
    PRESETS = {"paper": PAPER, "base": BASE, "small": SMALL}  # noqa: RUF012
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
