"""Sizes, lengths and weights of REL-GAN."""

from __future__ import annotations

from dataclasses import dataclass, replace

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


PRESETS = {"paper": PAPER, "base": BASE, "small": SMALL}
