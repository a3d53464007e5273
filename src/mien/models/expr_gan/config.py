"""Sizes, lengths and weights of ExprGAN."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mien.errors import InputError
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
class ExprGanConfig:
    """Sizes, lengths and weights; the defaults are preset `small`.

    With `exact`, training looks at pairs whose answer is a real picture, and the code is of three kinds: read by Q from
    the picture that shows the expression (a share `estimated`), drawn (a share `drawn`: no picture can be the answer,
    so L_pixel and L_id leave it out), else the class's block at the labelled intensity. Without, as in the paper, every
    picture is its own answer and every code is drawn.
    """

    image_size: Side = 64
    subjects: People = 1
    width: Width = 16  # of G_enc's first block; the last has 16 times as many
    decoder_width: Width = 4  # of G_dec's last hidden block; the first has 32 times as many
    widest: Width = 192  # no block of G_enc and G_dec has more channels
    discriminator_width: Width = 16
    shared: Width = 256  # numbers of the layer that D_img and Q share
    identity_width: Width = 8  # of our own φ
    supervised: bool = False  # the CNN baseline: `classifier` alone, for as many steps as it takes in the model
    style: Width = 5  # d: numbers in a class's block
    identity_code: Width = 50
    norm: bool = True  # batch norm in G_enc and G_dec
    exact: bool = True
    estimated: Share = 0.3
    drawn: Share = 0.1
    watched: Share = 0.25  # share of a batch's x̂ that L_id and the reconstruction stage's L_Q look at
    discriminate_every: Every = 2  # steps between turns of the discriminators, and of φ's pre-training; the paper: 1
    batch_size: SomePairs = 32
    pretrain_steps: Steps = 1200
    controller_steps: Steps = 50
    reconstruction_steps: Steps = 16000
    refining_steps: Steps = 500
    lr: Rate = 1e-3
    refining_lr: Rate = 2e-4  # the game of the last stage; at 1e-3 it paints blotches
    same: Share = 0.4  # share of pairs that show one person
    alike: Share = 0.3  # share of the others that show one expression
    margin: Part = 0.03  # of a corner crop, as a share of the size
    turn: Degrees = 3.0  # degrees
    colour: Part = 0.1  # ± share
    identity_features: Weight = 0.03  # λ1
    regularizer: Weight = 0.05  # λ2
    image_adversarial: Weight = 0.002  # λ3
    code_adversarial: Weight = 0.002  # λ4
    smoothness: Weight = 0.001  # λ5
    focus: Weight = 10.0  # of L_pixel on what the expression changes, with `exact`
    intensity: Weight = 1.0  # of intensity_loss in the reconstruction stage, with `exact`
    reconstruction_regularizer: Weight = 0.03  # "decreased weight" of L_Q in the reconstruction stage

    def __post_init__(self) -> None:
        check_settings(self)
        if self.estimated + self.drawn > 1:
            raise InputError(f"estimated {self.estimated:g} and drawn {self.drawn:g}: expected at most 1 together")


SMALL = ExprGanConfig()
PAPER = ExprGanConfig(
    image_size=128,  # Experiments, Dataset
    width=64,  # Implementation Details
    decoder_width=16,
    widest=1024,
    shared=1024,
    watched=1.0,
    discriminate_every=1,
    identity_width=64,
    norm=False,
    exact=False,
    estimated=0.0,
    drawn=1.0,
    batch_size=48,
    pretrain_steps=10000,  # Note: the paper gives no lengths
    controller_steps=5000,
    reconstruction_steps=30000,
    refining_steps=30000,
    lr=2e-4,
    refining_lr=2e-4,
    margin=0.0,  # random flipping alone
    turn=0.0,
    colour=0.0,
    identity_features=1.0,  # λ1, Implementation Details
    regularizer=1.0,  # λ2
    image_adversarial=0.01,  # λ3
    code_adversarial=0.01,  # λ4
    smoothness=0.001,  # λ5
    reconstruction_regularizer=0.1,  # Note: the paper gives no number
)


UNPAIRED = replace(
    SMALL,
    exact=False,
    estimated=0.0,
    drawn=1.0,
    identity_features=PAPER.identity_features,
    regularizer=PAPER.regularizer,
    image_adversarial=PAPER.image_adversarial,
    code_adversarial=PAPER.code_adversarial,
    reconstruction_regularizer=PAPER.reconstruction_regularizer,
)
"""The paper's recipe in `small`'s sizes: what the exact pairs bring can be measured against it."""
