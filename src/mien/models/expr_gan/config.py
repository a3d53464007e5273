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
    """Sizes, lengths and weights. The defaults are preset `paper`.

    *paper*: the default is the paper's, where it says so. *ours*: the paper is silent or has no such thing.

    A code is of one of three kinds: drawn by Eq. 3 (a share `drawn`, in the paper all), read by Q from the picture that
    shows the expression (a share `estimated`), else the class's block at the labelled intensity. With `exact`, training
    looks at pairs whose answer is a real picture; without, as in the paper, every picture is its own answer.
    """

    image_size: Side = 128  # paper, Dataset
    subjects: People = 1  # ours: people in the training set, for our own φ
    width: Width = 64  # paper, Implementation Details: of G_enc's first block; the last has 16 times as many
    decoder_width: Width = 16  # paper: of G_dec's last hidden block; the first has 32 times as many
    widest: Width = 1024  # paper: no block of G_enc and G_dec has more channels
    discriminator_width: Width = 16  # paper: of the first of D_img's and Q's shared blocks
    shared: Width = 1024  # paper: numbers of the layer that D_img and Q share
    identity_width: Width = 64  # ours: of our own φ, in place of VGG-Face
    supervised: bool = False  # paper, Table 1: `classifier` alone, for as many steps as it takes in the model
    style: Width = 5  # paper: d, numbers in a class's block
    identity_code: Width = 50  # paper: of g(x)
    norm: bool = False  # ours: batch norm in G_enc and G_dec
    exact: bool = False  # ours: learn from pairs whose answer is a real picture
    estimated: Share = 0.0  # ours: share of codes that Q reads
    drawn: Share = 1.0  # paper, Eq. 3: share of drawn codes
    single: Share = 0.0  # ours: share of the drawn ones with one element present, as Fig. 3 tests; not with `exact`
    answered: bool = True  # paper, Eq. 6, 7: a face is the answer for drawn codes too; ours: L_Q, L_adv alone see those
    watched: Share = 1.0  # ours: share of a batch's x̂ that L_id and the reconstruction stage's L_Q look at
    discriminate_every: Every = 1  # ours: steps between two turns of the discriminators, and of φ's pre-training
    batch_size: SomePairs = 48  # paper
    pretrain_steps: Steps = 10000  # ours: the classifier and φ; the paper is silent on all lengths
    controller_steps: Steps = 5000  # ours
    reconstruction_steps: Steps = 30000  # ours
    refining_steps: Steps = 30000  # ours
    lr: Rate = 2e-4  # paper
    refining_lr: Rate = 2e-4  # paper; ours: another one for the last stage
    same: Share = 0.4  # ours: share of pairs that show one person; the paper has no pairs
    alike: Share = 0.3  # ours: share of the others that show one expression
    margin: Part = 0.0  # paper: random flipping alone; ours: of a corner crop, as a share of the size
    turn: Degrees = 0.0  # ours: degrees
    colour: Part = 0.0  # ours: ± share
    identity_features: Weight = 1.0  # paper: λ1
    regularizer: Weight = 1.0  # paper: λ2
    image_adversarial: Weight = 0.01  # paper: λ3
    code_adversarial: Weight = 0.01  # paper: λ4
    smoothness: Weight = 0.001  # paper: λ5
    focus: Weight = 10.0  # ours: of L_pixel on what the expression changes, with `exact`
    intensity: Weight = 1.0  # ours: of intensity_loss in the reconstruction stage, with `exact`
    reconstruction_regularizer: Weight = 0.1  # paper: "decreased weight" of L_Q while reconstructing; ours: the number

    def __post_init__(self) -> None:
        check_settings(self)
        if self.estimated + self.drawn > 1:
            raise InputError(f"estimated {self.estimated:g} and drawn {self.drawn:g}: expected at most 1 together")
        if self.exact and self.single:
            raise InputError("single goes without exact; set single=0 or exact=false")


PAPER = ExprGanConfig()
BASE = replace(  # the paper's objective and λ, in about four hours of one CPU core; what differs is ours
    PAPER,
    width=16,
    decoder_width=6,
    widest=160,
    shared=128,
    identity_width=8,
    norm=True,  # converges in a fraction of the steps
    estimated=0.5,
    drawn=0.5,
    single=0.5,
    answered=False,
    batch_size=16,
    pretrain_steps=1500,
    controller_steps=500,
    reconstruction_steps=12000,
    refining_steps=6000,
    lr=1e-3,
)
SMALL = replace(  # a quick one, taught by exact truths, which are ours
    PAPER,
    image_size=64,
    width=16,
    decoder_width=4,
    widest=192,
    shared=256,
    identity_width=8,
    norm=True,
    exact=True,
    estimated=0.3,
    drawn=0.1,
    watched=0.25,
    discriminate_every=2,
    batch_size=32,
    pretrain_steps=1200,
    controller_steps=50,
    reconstruction_steps=16000,
    refining_steps=500,
    lr=1e-3,
    refining_lr=2e-4,  # at 1e-3 the game paints blotches
    margin=0.03,
    turn=3.0,
    colour=0.1,
    identity_features=0.03,
    regularizer=0.05,
    image_adversarial=0.002,
    code_adversarial=0.002,
    reconstruction_regularizer=0.03,
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


PRESETS = {"paper": PAPER, "base": BASE, "small": SMALL, "unpaired": UNPAIRED}
