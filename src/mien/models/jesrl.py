"""JESRL: expressions switched between two faces block by block, and a classifier that learns from the results.

Paper                 Code
I_a, I_b, y^i, y^j    image, label of a face and of its partner; every pair goes in both orders
I_c, I_d              switched: every face with its partner's expression
I'_a, I'_b            rebuilt
G_enc, G_dec          encoder, decoder
R_a, R_c              Encoded.representation, `switched`; n blocks of channels
S                     code_of: 20 channels a class, 1 where its block is switched
D_1, D_2              discriminators at full and at half size, conditioned on the class
C, FC                 classifier
F^(i)                 frozen_vgg.maps
Eq. 2  r^i            block_mask
Eq. 3  R_c            switch
Eq. 4  I_c            Jesrl.draw
Eq. 5  L_adv          adversarial_loss
Eq. 6  R_c^p          interpolate
Eq. 7  L_inter        interpolation_loss
Eq. 8  L_C            classification_loss
Eq. 9  L_r            reconstruction_loss
Eq. 10 L_p            pixel_sum_loss
Eq. 11 L_per          perceptual_loss
Eq. 12 L              Jesrl.stages
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.batch import Batch, partners
from mien.errors import InputError
from mien.labels import CLASSES
from mien.models.family import Controls, Embedding, Family, Prediction, check_least, check_shares
from mien.nn.class_codes import ClassCodes
from mien.nn.losses import fooling_loss, image_l1, known_cross_entropy, mean_dtype, total_variation, truth_loss
from mien.nn.modes import evaluating, untracked
from mien.nn.unet import Encoded, Level, UNetDecoder, UNetEncoder
from mien.nn.vgg import Vgg19, load_vgg19
from mien.recipe import Adam, Sampling, Sgd, Stage, Turn

N = len(CLASSES)
CODE_CHANNELS = 20  # Table I: the switch code takes 20·n channels


@dataclass(frozen=True)
class JesrlConfig:
    """Sizes, lengths and weights; the defaults are preset `small`. The paper's widths are all 64.

    `truth` weighs the distance to the real picture of what was asked for, which our data have and the paper's do not.
    """

    image_size: int = 64
    subjects: int = 1  # any number: no net depends on it
    width: int = 16
    discriminator_width: int = 12
    vgg_width: int = 8
    batch_norm: bool = True  # in G, in place of l2 norm, and in VGG, which has none in the paper
    pool: int = 2  # side of the map that the classifier's last layers see
    supervised: bool = False  # the baseline: VGG alone, for as many steps as the classifier takes in all stages
    representation: bool = True  # the classifier sees G_enc(I) too; False is the paper's No_ExpR
    end_to_end: bool = True  # L_C moves the generator; False is the paper's TwoStage
    synthetic: int = 1  # synthesised images a real one that the classifier learns from; the paper has 6, No_SynFI 0
    vgg_weights: str = ""  # a file of ImageNet weights for VGG-19 (width 64), in place of pre-training
    batch_size: int = 32
    pretrain_steps: int = 400
    steps: int = 16000
    settle_steps: int = 150
    lr: float = 1e-3
    classifier_lr: float = 1e-3
    momentum: float = 0.0  # of the classifier's SGD; 0: Adam, which narrow nets from scratch need
    every: int = 20  # steps between two rounds of the paper's turns; the others learn from known answers alone
    same: float = 0.3  # share of pairs that show one person
    alike: float = 0.1  # share of the others that show one expression
    need_truth: bool = True
    margin: float = 0.03
    turn: float = 3.0  # degrees
    colour: float = 0.1
    extra_blocks: float = 0.1  # chance of every other block to be switched too; the paper switches i and j alone
    plausible: float = 0.2  # at use, blocks of all classes that are at least so probable are switched; 1: the top ones
    mixed: float = 0.5  # p of Eq. 6
    adversarial: float = 0.05
    interpolation: float = 0.05
    classification: float = 0.1
    reconstruction: float = 1.0
    perceptual: float = 0.1
    pixel_sum: float = 0.1
    smoothness: float = 0.0
    truth: float = 20.0
    focus: float = 10.0  # of L_truth on what the expression changes
    naming: float = 0.3  # the blocks' own classification, which the paper does not have

    def __post_init__(self) -> None:
        if self.image_size < 32 or self.image_size % 32:
            raise InputError(f"image_size {self.image_size}: five halvings need a multiple of 32")
        check_shares(self, "same", "alike", "margin", "colour", "extra_blocks", "plausible", "mixed")
        sizes = ("width", "discriminator_width", "vgg_width", "pool", "batch_size", "every")
        check_least(self, dict.fromkeys(sizes, 1))
        if self.synthetic < 0 or self.synthetic > self.batch_size:
            raise InputError(f"synthetic is {self.synthetic}; expected from 0 to batch_size ({self.batch_size})")
        if self.vgg_weights and self.vgg_width != 64:
            raise InputError(f"vgg_weights fit vgg_width 64, not {self.vgg_width}")


SMALL = JesrlConfig()
PAPER = JesrlConfig(
    image_size=256,
    width=64,
    discriminator_width=64,
    vgg_width=64,
    batch_norm=False,
    pool=7,
    synthetic=6,  # Sec. IV-E.2
    batch_size=16,  # Note: the paper gives no batch size and no lengths
    pretrain_steps=20000,
    steps=100000,
    settle_steps=2000,
    lr=2e-4,  # Sec. IV-B
    classifier_lr=1e-3,
    momentum=0.9,
    every=1,
    same=0.0,
    alike=0.0,
    need_truth=False,
    margin=0.0,
    turn=0.0,
    colour=0.0,
    extra_blocks=0.0,
    plausible=1.0,
    adversarial=1.0,
    interpolation=1.0,
    classification=1.0,
    reconstruction=10.0,  # λ1
    perceptual=15.0,  # λ2
    pixel_sum=5.0,  # λ3
    smoothness=5.0,  # λ4
    truth=0.0,
    naming=0.0,
)
ABLATIONS: dict[str, dict[str, Any]] = {  # Sec. IV-E.1
    "no_interpolation": {"interpolation": 0.0},
    "no_representation": {"representation": False},
    "neither": {"interpolation": 0.0, "representation": False},
    "no_synthetic": {"synthetic": 0, "representation": False},
    "two_stage": {"end_to_end": False},
}


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
    return torch.stack([(x - y).abs().mean(dtype=mean_dtype(x)) for x, y in pairs]).sum()


def naming_loss(representation: Tensor, label: Tensor) -> Tensor:
    """Return the cross entropy of calling a face by the class whose block is strongest in the mean."""
    size = representation.shape[1] // N
    strength = representation[:, : size * N].unflatten(1, (N, size)).mean((2, 3, 4), dtype=mean_dtype(representation))
    return known_cross_entropy(10 * strength, label)


class Discriminator(nn.Module):
    """D_k of Table I at a side; the class is tiled over the image, an unknown one is all zeros."""

    def __init__(self, width: int, side: int):
        super().__init__()
        widths = [3 + N, width, 2 * width, 4 * width, 8 * width]
        self.levels = nn.Sequential(*(Level(a, b) for a, b in pairwise(widths)))
        self.linear = nn.Linear(8 * width * (side // 16) ** 2, 1)

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """(B, 3, side, side), (B,) -> logits (B, 1)."""
        plane = one_hot(label).to(image.dtype)[:, :, None, None].expand(-1, -1, *image.shape[2:])
        return self.linear(self.levels(torch.cat([image, plane], 1)).flatten(1))


class Classifier(nn.Module):
    """C of Table I: VGG-19 beside the representation, joined by FC(512) at every place, pooled, three layers."""

    def __init__(self, width: int, norm: bool, representation: int, pool: int):
        super().__init__()
        c = 8 * width
        self.representation = representation
        self.vgg = Vgg19(width, norm)
        self.join = nn.Conv2d(c + representation, c, 1)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(pool),
            nn.Flatten(),
            nn.Linear(c * pool * pool, 8 * c),
            nn.ReLU(),
            nn.Linear(8 * c, 8 * c),
            nn.ReLU(),
            nn.Linear(8 * c, N),
        )
        for name, parameter in (*self.join.named_parameters(), *self.head.named_parameters()):
            nn.init.zeros_(parameter) if name.endswith("bias") else nn.init.kaiming_normal_(parameter)

    def forward(self, image: Tensor, representation: Tensor | None) -> Tensor:
        """(B, 3, H, W), (B, R, H/32, W/32) -> logits (B, n); None stands for a representation of zeros."""
        seen = self.vgg(image)
        if representation is None:
            representation = seen.new_zeros(len(seen), self.representation, *seen.shape[2:])
        return self.head(self.join(torch.cat([seen, representation.to(seen.dtype)], 1)))


def one_hot(label: Tensor) -> Tensor:
    """(B,) -> (B, n) bool, all False where the label is -100."""
    return label[:, None] == torch.arange(N, device=label.device)


def block_of(expression: str, device: torch.device) -> Tensor:
    """Return which block is a class's (1, n)."""
    return one_hot(torch.tensor([CLASSES.index(expression)], device=device))


def halves(maps: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Return the first and the second half of every tensor's rows: what is of I_a and what is of its partner."""
    both = [m.chunk(2) for m in maps]
    return [first for first, _ in both], [second for _, second in both]


class Jesrl(Family):
    """Transfer and recognition trained as one."""

    paper = (
        "X. Zhang, F. Zhang, C. Xu: Joint Expression Synthesis and Representation Learning for Facial Expression "
        "Recognition, IEEE TCSVT 32(3), 2022, doi:10.1109/TCSVT.2021.3056098"
    )
    Config = JesrlConfig
    PRESETS = (
        {"small": SMALL, "paper": PAPER}
        | {name: replace(SMALL, **change) for name, change in ABLATIONS.items()}
        | {f"paper_{name}": replace(PAPER, **change) for name, change in ABLATIONS.items()}
    )
    needs = ("expression",)
    deployed = ("encoder", "decoder", "classifier", "class_blocks")

    def __init__(self, config: JesrlConfig):
        super().__init__(config)
        c = config
        widths = [c.width, 2 * c.width, 4 * c.width, 8 * c.width]
        self.encoder = UNetEncoder([3, *widths, 8 * c.width], c.batch_norm)
        self.decoder = UNetDecoder([16 * c.width + CODE_CHANNELS * N, *reversed(widths)], c.batch_norm)
        self.discriminators = nn.ModuleList(
            Discriminator(c.discriminator_width, side) for side in (c.image_size, c.image_size // 2)
        )
        self.classifier = Classifier(c.vgg_width, c.batch_norm, 8 * c.width, c.pool)
        self.frozen_vgg = Vgg19(c.vgg_width, c.batch_norm)
        self.shape = (8 * c.width, c.image_size // 32, c.image_size // 32)  # of a representation
        self.class_blocks = ClassCodes(8 * c.width * self.shape[1] ** 2)

    def stages(self) -> tuple[Stage, ...]:
        """Sec. III-D, IV-B: VGG first; then all at once, or without L_C (TwoStage); then the classifier alone.

        The classifier is updated equally often in all of these, and in the supervised baseline.
        """
        c, adam = self.config, Adam(self.config.lr)
        first = 0 if c.vgg_weights else c.pretrain_steps
        rounds = -(-c.steps // c.every)  # of the classifier beside the generator: steps 0, every, 2 every …
        slow: Adam | Sgd = Sgd(c.classifier_lr, c.momentum) if c.momentum else Adam(c.classifier_lr, (0.9, 0.999))
        alone = Turn("classify alone", ("classifier",), {"L_C": 1.0}, slow)
        if c.supervised:
            return (Stage("supervised", first + rounds + c.settle_steps, (alone,), decay=0.3),)
        games = {"L_adv": c.adversarial} | ({"L_inter": c.interpolation} if c.interpolation else {})
        synthesize = games | {
            "L_r": c.reconstruction,  # λ1
            "L_per": c.perceptual,  # λ2
            "L_p": c.pixel_sum,  # λ3
            "TV": c.smoothness,  # λ4
        }
        synthesize |= {"L_C": c.classification} if self._joint else {}
        known = ({"L_truth": c.truth} if c.truth else {}) | ({"L_name": c.naming} if c.naming else {})
        generator = ("encoder", "decoder")
        turns = [
            Turn("discriminate", ("discriminators",), games, adam, c.every),
            Turn("synthesize", generator, synthesize | known, adam, c.every),
        ]
        if c.truth:
            turns.append(Turn("answer", generator, known, Adam(c.lr, (0.9, 0.999))))
        if c.end_to_end:
            turns.append(Turn("classify", ("classifier",), {"L_C": 1.0}, slow, c.every))
        name = Turn("name", ("encoder",), {"L_name": 1.0}, adam)
        settle = Turn("settle", ("classifier",), {"L_C": 1.0}, slow)
        return (
            Stage("pretrain", first, (alone, name) if c.naming else (alone,)),
            Stage("generate", c.steps, tuple(turns), decay=0.3),
            Stage("settle", c.settle_steps + (0 if c.end_to_end else rounds), (settle,), decay=0.5),
        )

    @property
    def _joint(self) -> bool:
        """Whether L_C has a way to move the generator."""
        c = self.config
        return c.end_to_end and (c.representation or c.synthetic > 0)

    def sampling(self) -> Sampling:
        """The paper pairs any two faces. Pairs with a known answer are ours."""
        c = self.config
        rotations = (-c.turn, -c.turn / 2, 0.0, c.turn / 2, c.turn)
        return Sampling(c.same, c.alike, c.need_truth, margin=c.margin, rotations=rotations, colour=c.colour)

    def enter(self, stage: str) -> None:
        """Take ImageNet's weights where given, freeze a copy of VGG for Eq. 11, start the class blocks anew."""
        if stage in ("pretrain", "supervised") and self.config.vgg_weights:
            load_vgg19(self.classifier.vgg, Path(self.config.vgg_weights))
        if stage == "generate":
            self.frozen_vgg.load_state_dict(self.classifier.vgg.state_dict())
        if stage == "settle":
            self.class_blocks.reset()

    def forward(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the turn's unweighted losses."""
        with untracked(*self.resting(turn)):
            return self._losses(batch, turn)

    def _losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        image = torch.cat([batch.target.image, batch.source.image])  # I_a, I_b
        label = torch.cat([batch.target.label, batch.source.label])
        if turn == "classify alone":
            return {"L_C": classification_loss(self.classifier(image, None), label)}
        if turn == "discriminate":
            return self._discriminate(image, label)
        if turn == "synthesize":
            return self._synthesize(image, label, batch.truth)
        if turn == "answer":
            return self._answer(image, label, batch.truth)
        if turn == "name":
            return {"L_name": naming_loss(self.encoder(image).representation, label)}
        with torch.no_grad(), evaluating(self.encoder, self.decoder):
            seen = self.encoder(image)
            made, made_label = self._made(seen, label)
            again = self.encoder(made).representation
        if turn == "settle":
            for faces, code in zip((batch.target, batch.source), seen.representation.flatten(1).chunk(2), strict=True):
                self.class_blocks.add(code, faces)
        logits = torch.cat([self._logits(image, seen.representation), self._logits_of_made(made, again)])
        return {"L_C": classification_loss(logits, torch.cat([label, made_label]))}

    def _chosen(self, label: Tensor, partner: Tensor) -> Tensor:
        """Return which blocks two faces switch (B, n): those of both classes; all where a class is unknown."""
        unknown = (label < 0) | (partner < 0)
        extra = torch.rand(len(label), N, device=label.device) < self.config.extra_blocks
        return one_hot(label) | one_hot(partner) | unknown[:, None] | extra

    def _made(self, seen: Encoded, label: Tensor) -> tuple[Tensor, Tensor]:
        """Return `synthetic` new images of every face, each with another one's expression, and their labels."""
        rows = torch.arange(len(label), device=label.device)
        rounds = [rows.roll(len(rows) // 2 + k) for k in range(self.config.synthetic)]
        other = torch.cat([*rounds, rows[:0]])
        own = rows.repeat(self.config.synthetic)
        chosen = self._chosen(label[own], label[other])
        r = seen.representation
        new = switch(r[own], r[other], block_mask(chosen, r.shape[1]))
        return self.draw(seen, new, chosen), label[other]

    def draw(self, seen: Encoded, new: Tensor, chosen: Tensor) -> Tensor:
        """Eq. 4: I_c = G_dec([R_c, R_a, S_c]) + I_a, for K new representations of each of B faces, which repeat.

        (K·B, C, h, w), (K·B, n) bool -> (K·B, 3, H, W) in [-1, 1].
        """
        times = (len(new) // len(seen.image), 1, 1, 1)
        code = chosen.repeat_interleave(CODE_CHANNELS, 1)[:, :, None, None].expand(-1, -1, *new.shape[2:])
        residual = self.decoder(torch.cat([new, seen.representation.repeat(times), code.to(new.dtype)], 1), seen.skips)
        return (seen.image.repeat(times) + residual).clamp(-1, 1)

    def _judge(self, image: Tensor, label: Tensor) -> list[Tensor]:
        """Return both discriminators' logits."""
        return [d(x, label) for d, x in zip(self.discriminators, (image, F.avg_pool2d(image, 2)), strict=True)]

    def _draw_all(self, seen: Encoded, label: Tensor, rebuild: bool) -> list[Tensor]:
        """Return I_c, I_d; then I'_a, I'_b if asked for; then the interpolated ones if there are such."""
        c, r, half = self.config, seen.representation, len(label) // 2
        chosen = self._chosen(label[:half], label[half:]).repeat(2, 1)  # one switch code for both orders
        mask = block_mask(chosen, r.shape[1])
        new, codes = [switch(r, partners(r), mask)], [chosen]
        if rebuild:
            new.append(r)
            codes.append(torch.zeros_like(chosen))
        if c.interpolation:
            new.append(interpolate(r, partners(r), mask, c.mixed))
            codes.append(chosen)
        return list(self.draw(seen, torch.cat(new), torch.cat(codes)).split(len(label)))

    def _discriminate(self, image: Tensor, label: Tensor) -> dict[str, Tensor]:
        with torch.no_grad(), untracked(self.encoder, self.decoder):
            switched, *mixed = self._draw_all(self.encoder(image), label, rebuild=False)
        wanted = partners(label)
        losses = {"L_adv": adversarial_loss(self._judge(image, label), self._judge(switched, wanted))}
        if mixed:
            losses["L_inter"] = interpolation_loss(*halves(self._judge(mixed[0], wanted)), called_real=False)
        return losses

    def _synthesize(self, image: Tensor, label: Tensor, truth: Tensor) -> dict[str, Tensor]:
        config, wanted, seen = self.config, partners(label), self.encoder(image)
        switched, rebuilt, *mixed = self._draw_all(seen, label, rebuild=True)
        (a, b), (c, d), (rebuilt_a, rebuilt_b) = image.chunk(2), switched.chunk(2), rebuilt.chunk(2)
        with torch.no_grad():
            maps_a, maps_b = halves(self.frozen_vgg.maps(image))
        maps_c, maps_d = halves(self.frozen_vgg.maps(switched))
        losses = {
            "L_adv": torch.stack([fooling_loss(f) for f in self._judge(switched, wanted)]).sum(),
            "L_r": reconstruction_loss(a, rebuilt_a, b, rebuilt_b),
            "L_per": perceptual_loss(maps_a, maps_d, maps_b, maps_c),
            "L_p": pixel_sum_loss(a, b, c, d),
            "TV": total_variation(switched),
        }
        if mixed:
            losses["L_inter"] = interpolation_loss(*halves(self._judge(mixed[0], wanted)), called_real=True)
        if self._joint:
            losses["L_C"] = self._classify_pair(seen, label, switched)
        if config.truth:
            losses["L_truth"] = truth_loss(c, truth, a, config.focus)
        if config.naming:
            losses["L_name"] = naming_loss(seen.representation, label)
        return losses

    def _answer(self, image: Tensor, label: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """Return what is known for sure: I_c alone against its real picture, and the classes."""
        config, (a, b), face, seen = self.config, label.chunk(2), image[: len(truth)], self.encoder(image)
        (own, other), skips = seen.representation.chunk(2), [s[: len(a)] for s in seen.skips]
        chosen = self._chosen(a, b)
        made = self.draw(Encoded(face, own, skips), switch(own, other, block_mask(chosen, own.shape[1])), chosen)
        losses = {"L_truth": truth_loss(made, truth, face, config.focus)}
        return losses | ({"L_name": naming_loss(seen.representation, label)} if config.naming else {})

    def _classify_pair(self, seen: Encoded, label: Tensor, switched: Tensor) -> Tensor:
        """Return Eq. 8 on the pair and, where the classifier is to learn from such, on what is made of it."""
        logits = self._logits(seen.image, seen.representation)
        if self.config.synthetic:
            with untracked(self.encoder):
                again = self.encoder(switched).representation
            logits = torch.cat([logits, self._logits_of_made(switched, again)])
            label = torch.cat([label, partners(label)])
        return classification_loss(logits, label)

    def _logits(self, image: Tensor, representation: Tensor) -> Tensor:
        return self.classifier(image, representation if self.config.representation else None)

    def _logits_of_made(self, image: Tensor, representation: Tensor) -> Tensor:
        """Return logits of synthesised faces, a batch of their own: at use the classifier sees real ones alone."""
        if not len(image):
            return image.new_zeros(0, N)
        with untracked(self.classifier):
            return self._logits(image, representation)

    def _shown(self, seen: Encoded) -> Tensor:
        """Return which classes faces may show (B, n): the top one and all that are probable enough."""
        p = self._logits(seen.image, seen.representation).float().softmax(1)
        return p >= p.amax(1, keepdim=True).clamp(max=self.config.plausible)

    def transfer(self, face: Tensor, like: Tensor) -> Tensor:
        """Return `face` with the blocks of the classes that the two may show taken from `like`: (B, 3, H, W)."""
        seen, shown = self.encoder(face), self.encoder(like)
        chosen = self._shown(seen) | self._shown(shown)
        mask = block_mask(chosen, self.shape[0])
        return self.draw(seen, switch(seen.representation, shown.representation, mask), chosen)

    def reconstruct(self, face: Tensor) -> Tensor:
        """Return I'_a, with nothing switched: (B, 3, H, W) in [-1, 1]."""
        seen = self.encoder(face)
        return self.draw(seen, seen.representation, torch.zeros(len(face), N, dtype=torch.bool, device=face.device))

    def edit(self, face: Tensor, controls: Controls) -> Tensor:
        """Return `face` with the asked expression; intensity interpolates blocks, from neutral ones to the asked."""
        if controls.aus is not None:
            raise InputError("jesrl edits by expression or by example, not by AU; ask for one of those")
        seen, intensity, device = self.encoder(face), controls.intensity, face.device
        shown = self._shown(seen)
        if self.class_blocks.has("neutral"):
            shown = shown | block_of("neutral", device)
        if controls.like is not None and intensity > 0:
            example = self.encoder(controls.like)
            asked, shown = example.representation, shown | self._shown(example)
        else:
            word = controls.expression if controls.expression and intensity > 0 else "neutral"
            asked, shown = self._class_block(word), shown | block_of(word, device)
        wanted = self.class_blocks.fade(asked, intensity)
        return self.draw(seen, switch(seen.representation, wanted, block_mask(shown, self.shape[0])), shown)

    def _class_block(self, expression: str) -> Tensor:
        """Return a class's mean representation (1, C, h, w)."""
        return self.class_blocks.mean(expression).unflatten(1, self.shape)

    def recognize(self, face: Tensor) -> Prediction:
        """Return class probabilities by the classifier."""
        return Prediction(self._logits(face, self.encoder(face).representation).float().softmax(1))

    def baseline(self, face: Tensor) -> Prediction:
        """Return class probabilities by VGG alone, as trained with `supervised`."""
        return Prediction(self.classifier(face, None).float().softmax(1))

    def embed(self, face: Tensor) -> Embedding:
        """Return the means of the expression blocks, and of what is never switched: other channels, deepest skip."""
        seen = self.encoder(face)
        blocks = self.shape[0] // N * N
        means = seen.representation.mean((2, 3))
        return Embedding(means[:, :blocks], torch.cat([means[:, blocks:], seen.skips[-1].mean((2, 3))], 1))
