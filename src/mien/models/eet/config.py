"""Sizes, lengths and weights of EET."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mien.errors import InputError
from mien.models.contract import check_least, check_shares

UNITS_12 = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)  # Sec. IV-A: DISFA's
UNITS_17 = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 43)  # Sec. IV-D; 43 for 45
POOLED_FROM = 256  # pixels: E's average pools are for the paper's size


@dataclass(frozen=True)
class EetConfig:
    """Sizes and lengths; the defaults are preset `small`. A width w means the table's progression beginning at w."""

    image_size: int = 64
    subjects: int = 1
    poses: int = 1  # v: classes of yaw over -90 to 90 degrees; 1: no pose label
    aus17: bool = False  # Sec. IV-D: 17 AUs in place of 12
    single_branch: bool = False  # ablation EET-Single: one branch learns all AUs
    width: int = 8  # E: w, w, 2w, 2w
    free_width: int = 16  # E_f, C, D_u, D_d: w, 2w, 4w, 8w
    unit_width: int = 4  # each branch of E_r: w, 2w, 4w, 8w
    generator_width: int = 128  # G: w, w/2, w/4, …
    unit_gain: float = 12.0  # of f_r into G at the start; the paper has 1
    discriminator_width: int = 8  # D_sc, D_g: w, 2w, 4w, …
    batch_size: int = 16
    classify_steps: int = 400  # stage 1
    answer_steps: int = 12000  # ours: exact truths before stage 2
    steps: int = 700  # stage 2
    lr: float = 1e-3
    answer_lr: float = 1e-3
    swap_lr: float = 3e-4
    game_every: int = 8  # steps between two turns of Eq. 12 beside the exact truths; the paper has 1
    same: float = 0.1  # share of pairs that show one person
    alike: float = 0.15  # share of the others that show one expression
    need_truth: bool = True  # keep to pairs whose answer is a real picture
    margin: float = 0.03  # of a corner crop, as a share of the size
    turn: float = 3.0  # degrees
    colour: float = 0.1  # ± share, augmentation
    attributes: float = 0.5  # λ_c
    pose: float = 1.0  # λ_p: acts where there are several `poses`
    unit_game: float = 1.0  # λ_adu
    identity_game: float = 1.0  # λ_add
    reconstruction: float = 10.0  # λ_r
    swap_consistency: float = 0.05  # λ_sc
    adversarial: float = 0.05  # λ_adg
    units: float = 1.0  # of L_u, as the paper has it
    truth: float = 20.0  # of the exact truth; the paper has none
    focus: float = 20.0  # of the exact truth on what the expression changes

    def __post_init__(self) -> None:
        step = 64 if self.image_size >= POOLED_FROM else 16
        if self.image_size < 32 or self.image_size % step:
            raise InputError(f"image_size {self.image_size}: expected 32 or more, a multiple of 16 (of 64 from 256 on)")
        check_shares(self, "same", "alike", "margin", "colour")
        widths = ("width", "free_width", "unit_width", "generator_width", "discriminator_width")
        check_least(self, dict.fromkeys(("subjects", "poses", *widths, "batch_size", "game_every"), 1))


SMALL = EetConfig()
PAPER = EetConfig(
    image_size=256,  # Sec. IV-A
    width=32,  # Table I
    free_width=128,
    unit_width=128,
    generator_width=1024,
    unit_gain=1.0,
    discriminator_width=32,
    batch_size=8,  # Note: the paper gives no batch size and no lengths
    classify_steps=50000,
    steps=200000,
    lr=1e-4,  # Sec. IV-A
    swap_lr=3e-5,
    game_every=1,
    same=0.0,
    alike=0.0,
    need_truth=False,
    margin=0.0,
    turn=0.0,
    colour=0.0,
    attributes=2.0,  # Sec. IV-A, all λ
    pose=1.0,  # "if the training set contains images with different poses", else 0: see `poses`
    unit_game=40.0,
    identity_game=40.0,
    reconstruction=40.0,
    swap_consistency=0.15,
    adversarial=1.2,
    units=1.0,
    truth=0.0,
)


ABLATIONS: dict[str, dict[str, Any]] = {
    "b_net": {"unit_game": 0.0, "identity_game": 0.0, "swap_consistency": 0.0},  # Sec. IV-B
    "bs_net": {"unit_game": 0.0, "identity_game": 0.0},
    "single": {"single_branch": True},
    "aus17": {"aus17": True},  # Sec. IV-D
}
