"""Sizes, lengths and weights of JESRL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mien.errors import InputError
from mien.models.ranges import (
    Block,
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
    ablated,
    check_settings,
)


@dataclass(frozen=True)
class JesrlConfig:
    """Sizes, lengths and weights. The defaults are preset `paper`, but for `cycled`, which older weights do not name.

    A width w means Table I's progression from w on.

    *paper*: the default is the paper's, where it says so. *ours*: the paper is silent or has no such thing.
    """

    image_size: Side = 256  # paper, Sec. IV-B
    subjects: People = 1  # ours: any number, no net depends on it
    width: Width = 64  # paper, Table I. G_enc: w, 2w, 4w, 8w, 8w; G_dec back
    discriminator_width: Width = 64  # paper, Table I. D_1, D_2: w, 2w, 4w, 8w
    vgg_width: Width = 64  # paper, Table I: VGG-19's
    batch_norm: bool = False  # ours: in G, in place of the paper's l2 norm, and in VGG, which has none there
    pool: Width = 7  # paper, Table I: side of the map that the classifier's last layers see
    supervised: bool = False  # paper, Table II: VGG alone, for as many steps as the classifier takes in all stages
    representation: bool = True  # paper, Eq. 8: the classifier sees G_enc(I) too; False: No_ExpR of Table VII
    end_to_end: bool = True  # paper, Eq. 12: L_C moves the generator; False: TwoStage of Table VII
    synthetic: Few = 6  # paper, Sec. IV-E.2: made images a real one that the classifier learns from; No_SynFI: 0
    confirmed: bool = False  # ours: the classifier learns from those made images alone that it reads as asked
    vgg_weights: str = ""  # paper, Sec. IV-B: a file of ImageNet weights for VGG-19 (width 64); ours: pre-training
    batch_size: Pairs = 16  # ours: pairs; the paper is silent
    pretrain_steps: Steps = 20000  # ours: VGG on the labels, where no file is given
    generator_steps: Steps = 0  # ours: G before the classifier sees what it makes
    steps: Steps = 100000  # ours: everything at once; the paper is silent
    settle_steps: Steps = 2000  # ours: the classifier alone, and the classes' mean blocks
    lr: Rate = 2e-4  # paper, Sec. IV-B: of the GAN
    classifier_lr: Rate = 1e-3  # paper, Sec. IV-B
    momentum: Part = 0.9  # paper, Sec. IV-B: of the classifier's SGD; ours: 0 is Adam, for narrow nets from scratch
    every: Every = 1  # paper: its turns in every step; ours: beside exact truths, in every so many
    cycled: bool = False  # paper (True), Sec. III-B: yⁱ ≠ yʲ, "with respect to a particular expression each time"
    least: Share = 0.0  # ours: intensity from which a face is paired, with `cycled`
    same: Share = 0.0  # ours: share of pairs that show one person; this and the next two not with `cycled`
    alike: Share = 0.0  # ours: share of the others that show one expression
    need_truth: bool = False  # ours: keep to pairs whose answer is a real picture
    margin: Part = 0.0  # ours: of a corner crop, as a share of the size
    turn: Degrees = 0.0  # ours: degrees
    colour: Part = 0.0  # ours: ± share, augmentation
    extra_blocks: Share = 0.0  # paper, Eq. 3: blocks i and j alone; ours: chance of every other to be switched too
    plausible: Share = 1.0  # ours: at use, blocks of all classes at least so probable are switched; 1: the top ones
    mixed: Share = 0.5  # paper, Eq. 6: p
    adversarial: Weight = 1.0  # paper, Eq. 12: of L_adv
    interpolation: Weight = 1.0  # paper, Eq. 12: of L_inter
    classification: Weight = 1.0  # paper, Eq. 12: of L_C
    reconstruction: Weight = 10.0  # paper, Sec. IV-B: λ1
    perceptual: Weight = 15.0  # paper, Sec. IV-B: λ2
    perceptual_from: Block = 1  # ours: first of VGG's five blocks that Eq. 11 looks at; the paper is silent
    pixel_sum: Weight = 5.0  # paper, Sec. IV-B: λ3
    smoothness: Weight = 5.0  # paper, Sec. IV-B: λ4
    truth: Weight = 0.0  # ours: of the distance to the real picture of what was asked for
    focus: Weight = 10.0  # ours: of that truth on what the expression changes
    naming: Weight = 0.0  # ours: of the blocks' own classification

    def __post_init__(self) -> None:
        check_settings(self)
        if self.image_size % 32:
            raise InputError(f"image_size {self.image_size}: five halvings need a multiple of 32")
        if self.synthetic < 0 or self.synthetic > self.batch_size:
            raise InputError(f"synthetic is {self.synthetic}; expected from 0 to batch_size ({self.batch_size})")
        if self.vgg_weights and self.vgg_width != 64:
            raise InputError(f"vgg_weights fit vgg_width 64, not {self.vgg_width}")
        if self.cycled and (self.need_truth or self.truth):
            raise InputError("cycled pairs have no known answer; set need_truth=false and truth=0, or cycled=false")


PAPER = JesrlConfig(cycled=True)
BASE = replace(  # the paper's objective and λ, in about four hours of one CPU core; what differs is ours
    PAPER,
    image_size=128,
    width=16,
    discriminator_width=12,
    vgg_width=8,
    batch_norm=True,  # narrow nets do not start without
    pool=2,
    synthetic=1,
    confirmed=True,
    batch_size=4,
    pretrain_steps=4000,
    generator_steps=6000,
    steps=9000,
    settle_steps=500,
    lr=1e-3,
    momentum=0.0,
    least=0.5,  # the paper's corpora show expressions at their height
    margin=0.03,
    turn=3.0,
    colour=0.1,
    perceptual_from=4,  # what is expressed, not who does
)
SMALL = replace(  # a quick one, taught by exact truths, which are ours; the paper's turns beside them
    PAPER,
    image_size=64,
    width=16,
    discriminator_width=12,
    vgg_width=8,
    batch_norm=True,
    pool=2,
    synthetic=1,
    batch_size=32,
    pretrain_steps=400,
    steps=16000,
    settle_steps=150,
    lr=1e-3,
    momentum=0.0,
    every=20,
    cycled=False,
    same=0.3,
    alike=0.1,
    need_truth=True,
    margin=0.03,
    turn=3.0,
    colour=0.1,
    extra_blocks=0.1,
    plausible=0.2,
    adversarial=0.05,
    interpolation=0.05,
    classification=0.1,
    reconstruction=1.0,
    perceptual=0.1,
    pixel_sum=0.1,
    smoothness=0.0,
    truth=20.0,
    naming=0.3,
)


ABLATIONS: dict[str, dict[str, Any]] = {  # Sec. IV-E.1
    "no_interpolation": {"interpolation": 0.0},
    "no_representation": {"representation": False},
    "neither": {"interpolation": 0.0, "representation": False},
    "no_synthetic": {"synthetic": 0, "representation": False},
    "two_stage": {"end_to_end": False},
}


PRESETS = ablated({"paper": PAPER, "base": BASE, "small": SMALL}, ABLATIONS)
