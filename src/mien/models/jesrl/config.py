"""Sizes, lengths and weights of JESRL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mien.errors import InputError
from mien.models.ranges import (
    Degrees,
    Every,
    Few,
    Pairs,
    Part,
    People,
    Rate,
    Share,
    Side,
    Steps,
    Weight,
    Width,
    check_settings,
)


@dataclass(frozen=True)
class JesrlConfig:
    """Sizes, lengths and weights; the defaults are preset `small`. The paper's widths are all 64.

    `truth` weighs the distance to the real picture of what was asked for, which our data have and the paper's do not.
    """

    image_size: Side = 64
    subjects: People = 1  # any number: no net depends on it
    width: Width = 16
    discriminator_width: Width = 12
    vgg_width: Width = 8
    batch_norm: bool = True  # in G, in place of l2 norm, and in VGG, which has none in the paper
    pool: Width = 2  # side of the map that the classifier's last layers see
    supervised: bool = False  # the baseline: VGG alone, for as many steps as the classifier takes in all stages
    representation: bool = True  # the classifier sees G_enc(I) too; False is the paper's No_ExpR
    end_to_end: bool = True  # L_C moves the generator; False is the paper's TwoStage
    synthetic: Few = 1  # synthesised images a real one that the classifier learns from; the paper has 6, No_SynFI 0
    vgg_weights: str = ""  # a file of ImageNet weights for VGG-19 (width 64), in place of pre-training
    batch_size: Pairs = 32
    pretrain_steps: Steps = 400
    steps: Steps = 16000
    settle_steps: Steps = 150
    lr: Rate = 1e-3
    classifier_lr: Rate = 1e-3
    momentum: Part = 0.0  # of the classifier's SGD; 0: Adam, which narrow nets from scratch need
    every: Every = 20  # steps between two rounds of the paper's turns; the others learn from known answers alone
    same: Share = 0.3  # share of pairs that show one person
    alike: Share = 0.1  # share of the others that show one expression
    need_truth: bool = True
    margin: Part = 0.03
    turn: Degrees = 3.0  # degrees
    colour: Part = 0.1
    extra_blocks: Share = 0.1  # chance of every other block to be switched too; the paper switches i and j alone
    plausible: Share = 0.2  # at use, blocks of all classes that are at least so probable are switched; 1: the top ones
    mixed: Share = 0.5  # p of Eq. 6
    adversarial: Weight = 0.05
    interpolation: Weight = 0.05
    classification: Weight = 0.1
    reconstruction: Weight = 1.0
    perceptual: Weight = 0.1
    pixel_sum: Weight = 0.1
    smoothness: Weight = 0.0
    truth: Weight = 20.0
    focus: Weight = 10.0  # of L_truth on what the expression changes
    naming: Weight = 0.3  # the blocks' own classification, which the paper does not have

    def __post_init__(self) -> None:
        check_settings(self)
        if self.image_size % 32:
            raise InputError(f"image_size {self.image_size}: five halvings need a multiple of 32")
        if self.synthetic > self.batch_size:
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
