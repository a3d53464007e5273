"""Sizes, lengths and weights of TER-GAN."""

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
    Steps,
    Weight,
    Width,
    check_settings,
)


@dataclass(frozen=True)
class TerGanConfig:
    """Sizes, lengths and weights. The defaults are preset `paper`; width w gives encoders w, 2w, 4w, 8w, 16w channels.

    *paper*: the default is the paper's, where it says so. *ours*: the paper is silent or has no such thing.

    The reconstruction weights (λ3 of Eq. 6, λ4 of Eq. 7) are given by pair kind, since Eq. 6 and 7 ask two different
    things of one image. With one person, Eq. 7 asks for the right picture and Eq. 6 for another expression; with two
    people in one expression ("alike"), Eq. 6 asks for the right picture and Eq. 7 for another person; with two people
    in two expressions, both are wrong. The paper has 1 everywhere.
    """

    image_size: Side = 75  # paper, Sec. 4.1
    subjects: People = 1  # paper: N^i, people in the training set
    width: Width = 64  # paper, Sec. 4.1: encoders 64 … 1024, decoder 512 … 64
    discriminator_width: Width = 16  # paper, Sec. 4.1: D's blocks 16 … 128
    expression_code: Width = 30  # paper, Sec. 4.1: f(e)
    identity_code: Width = 50  # paper, Sec. 4.1: f(i)
    supervised: bool = False  # paper: the CNN baseline, G_es and its class layer; ours: for as many steps
    batch_size: SomePairs = 64  # paper, Sec. 4.1
    pretrain_steps: Steps = 10000  # ours: stage 1; the paper gives no length
    discriminator_steps: Steps = 0  # ours: steps of D alone (Eq. 1) between the stages
    steps: Steps = 100000  # ours: stage 2; the paper gives no length
    recognition_steps: Steps = 1000  # ours: the shallow classifier on the detached G_es
    game_every: Every = 1  # paper: D, D_es and D_et play in every step; ours: in every so many
    lr: Rate = 2e-4  # paper, Sec. 4.1
    re_encode_lr: Rate = 2e-4  # paper, Sec. 4.1; ours: another than `lr`, as Adam takes equal steps at any λ5 and λ6
    encoder_rate: Weight = 1.0  # ours: factor of stage 2's rates for G_es and G_et
    one_step: bool = False  # ours: λ1 to λ7 weigh against each other in one step of G; the paper has two steps a batch
    joint_norm: bool = False  # ours: x and x̄ pass an encoder in one batch in Eq. 4 and 5, so one batch norm serves both
    same: Share = 0.5  # ours: share of pairs that show one person
    alike: Share = 0.0  # ours: share of the others that show one expression
    margin: Part = 0.06  # paper: five crops; ours: of a corner crop, as a share of the size
    turn: Degrees = 6.0  # paper, Sec. 4.1: -6, -3, 3, 6 degrees
    colour: Part = 0.0  # ours: ± share, augmentation
    irec_same: Weight = 1.0  # paper, Sec. 4.1: λ3
    irec_alike: Weight = 1.0  # paper: λ3
    irec_different: Weight = 1.0  # paper: λ3
    erec_same: Weight = 1.0  # paper, Sec. 4.1: λ4
    erec_alike: Weight = 1.0  # paper: λ4
    erec_different: Weight = 1.0  # paper: λ4
    identity_features: Weight = 1.0  # paper, Sec. 4.1: λ1
    expression_features: Weight = 1.0  # paper, Sec. 4.1: λ2
    adversarial: Weight = 0.5  # paper, Sec. 4.1: λ7; of L_D in a turn of its own, where Adam does not feel it
    identity_consistency: Weight = 0.3  # paper, Sec. 4.1: λ5
    expression_consistency: Weight = 0.3  # paper, Sec. 4.1: λ6

    def __post_init__(self) -> None:
        check_settings(self)


PAPER = TerGanConfig()
BASE = replace(  # the paper's objective and λ, in about four hours of one CPU core; what differs is ours
    PAPER,
    width=12,
    discriminator_width=8,
    batch_size=32,
    pretrain_steps=3000,
    discriminator_steps=500,
    steps=16000,
    recognition_steps=2000,
    lr=1e-3,
    re_encode_lr=1e-3,
    encoder_rate=0.2,  # the paper's rate: a higher one undoes what stage 1 has learnt
    one_step=True,  # so that the encoders feel λ5 and λ6
    joint_norm=True,
)
SMALL = replace(  # a quick one: each equation where its answer is the exact truth, which is ours
    PAPER,
    image_size=64,
    width=16,
    discriminator_width=8,
    batch_size=32,
    pretrain_steps=1200,
    steps=12000,
    game_every=2,
    lr=1e-3,
    re_encode_lr=1e-4,
    alike=0.6,
    margin=0.03,
    turn=3.0,
    colour=0.1,
    irec_same=0.0,
    irec_alike=33.0,
    irec_different=0.0,
    erec_same=20.0,
    erec_alike=0.0,
    erec_different=0.0,
    identity_features=0.3,
    expression_features=0.3,
    adversarial=0.05,
)


PRESETS = {"paper": PAPER, "base": BASE, "small": SMALL}
