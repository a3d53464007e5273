"""Sizes, lengths and weights of EET."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mien.errors import InputError
from mien.models.ranges import (
    Count,
    Degrees,
    Every,
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

UNITS_12 = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)  # Sec. IV-A: DISFA's
UNITS_17 = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 43)  # Sec. IV-D; 43 for 45
POOLED_FROM = (128, 256)  # pixels from which on E has one, and both of its average pools: then f_r is 4×4, as Table I's


@dataclass(frozen=True)
class EetConfig:
    """Sizes, lengths and weights. The defaults are preset `paper`; a width w means Table I's progression from w on.

    *paper*: the default is the paper's, where it says so. *ours*: the paper is silent or has no such thing.
    """

    image_size: Side = 256  # paper, Sec. IV-A
    subjects: People = 1  # paper: n, people in the training set
    poses: Width = 1  # paper: v; ours: classes of yaw over -90 to 90 degrees, 1: no pose label
    aus17: bool = False  # paper, Sec. IV-D: 17 AUs in place of 12
    single_branch: bool = False  # paper, Sec. IV-B: ablation EET-Single, one branch learns all AUs
    width: Width = 32  # paper, Table I. E: w, w, 2w, 2w
    free_width: Width = 128  # paper, Table I. E_f, C, D_u, D_d: w, 2w, 4w, 8w
    unit_width: Width = 128  # paper, Table I. Each branch of E_r: w, 2w, 4w, 8w
    generator_width: Width = 1024  # paper, Table I. G: w, w/2, w/4, …
    discriminator_width: Width = 32  # paper, Table I. D_sc, D_g: w, 2w, 4w, …
    unit_gain: Weight = 1.0  # ours: by which G's first weights for f_r are multiplied at the start
    batch_size: Pairs = 8  # ours: the paper is silent
    classify_steps: Steps = 50000  # ours: stage 1; the paper is silent
    critic_steps: Steps = 0  # ours: D_u and D_d alone, before stage 2, on features that rest
    answer_steps: Steps = 0  # ours: exact truths before stage 2, which the paper has not
    steps: Steps = 200000  # ours: stage 2; the paper is silent
    lr: Rate = 1e-4  # paper, Sec. IV-A: stage 1
    answer_lr: Rate = 1e-3  # ours
    swap_lr: Rate = 3e-5  # paper, Sec. IV-A: stage 2
    game_every: Every = 1  # paper: Eq. 12 in every step of stage 2; ours: beside exact truths, in every so many
    same: Share = 0.0  # ours: share of pairs that show one person
    alike: Share = 0.0  # ours: share of the others that show one expression
    need_truth: bool = False  # ours: keep to pairs whose answer is a real picture
    margin: Part = 0.0  # ours: of a corner crop, as a share of the size
    turn: Degrees = 0.0  # ours: degrees
    colour: Part = 0.0  # ours: ± share, augmentation
    attributes: Weight = 2.0  # paper, Sec. IV-A: λ_c
    pose: Weight = 1.0  # paper, Sec. IV-A: λ_p, "if the training set contains images with different poses": see `poses`
    unit_game: Weight = 40.0  # paper, Sec. IV-A: λ_adu
    identity_game: Weight = 40.0  # paper, Sec. IV-A: λ_add
    game_people: Count = 0  # ours: n at which λ_add holds for E_r, with more people it grows as n does; 0: at any n
    reconstruction: Weight = 40.0  # paper, Sec. IV-A: λ_r
    swap_consistency: Weight = 0.15  # paper, Sec. IV-A: λ_sc
    adversarial: Weight = 1.2  # paper, Sec. IV-A: λ_adg
    units: Weight = 1.0  # paper, Eq. 12: of L_u
    truth: Weight = 0.0  # ours: of the exact truth
    focus: Weight = 20.0  # ours: of the exact truth on what the expression changes

    def __post_init__(self) -> None:
        check_settings(self)
        if self.image_size % 2 ** (4 + pools(self.image_size)):
            raise InputError(
                f"image_size {self.image_size}: expected 32 or more, a multiple of 16 (of 32 from 128 on, 64 from 256)"
            )


def pools(size: int) -> int:
    """Return how many of Table I's average pools E has at a picture's size."""
    return sum(size >= least for least in POOLED_FROM)


PAPER = EetConfig()
BASE = replace(  # the paper's objective and λ, in about four hours of one CPU core; what differs is ours
    PAPER,
    image_size=128,
    width=12,
    free_width=16,
    unit_width=3,  # the narrower f_r, the less of the person has room in it
    generator_width=128,
    discriminator_width=8,
    unit_gain=12.0,  # m: f_r, a mean of m maps, reaches G as strong as f_f
    batch_size=4,
    classify_steps=8000,
    critic_steps=8000,  # D_d must know whom it is to be fooled about: .33 of 242 people named without, .6 with
    steps=7500,
    lr=1e-3,  # at 3e-3 D_d stays at the constant answer, 1/n for everybody
    swap_lr=1e-3,
    units=5.0,  # with the paper's 1 the game crowds AUs out of narrow branches
    game_people=18,  # DISFA's training people, Sec. IV-A
)
SMALL = replace(  # a quick one, taught by exact truths, which are ours; Eq. 12 beside them
    PAPER,
    image_size=64,
    width=8,
    free_width=16,
    unit_width=4,
    generator_width=128,
    discriminator_width=8,
    unit_gain=12.0,
    batch_size=16,
    classify_steps=400,
    answer_steps=12000,
    steps=700,
    lr=1e-3,
    swap_lr=3e-4,
    game_every=8,
    same=0.1,
    alike=0.15,
    need_truth=True,
    margin=0.03,
    turn=3.0,
    colour=0.1,
    attributes=0.5,
    unit_game=1.0,
    identity_game=1.0,
    reconstruction=10.0,
    swap_consistency=0.05,
    adversarial=0.05,
    truth=20.0,
)


ABLATIONS: dict[str, dict[str, Any]] = {
    "b_net": {"unit_game": 0.0, "identity_game": 0.0, "swap_consistency": 0.0},  # Sec. IV-B
    "bs_net": {"unit_game": 0.0, "identity_game": 0.0},
    "single": {"single_branch": True},
    "aus17": {"aus17": True},  # Sec. IV-D
}


PRESETS = ablated({"paper": PAPER, "base": BASE, "small": SMALL}, ABLATIONS)
