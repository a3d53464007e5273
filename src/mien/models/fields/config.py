"""Sizes, lengths and weights of fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mien.errors import InputError
from mien.models.contract import check_least, check_shares


@dataclass(frozen=True)
class FieldsConfig:
    """Sizes, lengths and weights; the defaults are preset `small`."""

    image_size: int = 256  # of the frame; the nets see it at half that
    subjects: int = 1
    supervised: bool = False  # train the plain CNN that recognition is compared with, and nothing else
    width: int = 32
    reader_width: int = 32
    critic_width: int = 24
    batch_size: int = 16
    read_steps: int = 3000
    steps: int = 6000
    finish_steps: int = 1000
    paint_steps: int = 3000
    read_lr: float = 2e-3
    lr: float = 8e-4
    critic_lr: float = 4e-4
    neutral: float = 0.4  # share of pairs that begin with a neutral face
    expression: float = 0.1
    flow: float = 1.0
    shade: float = 60.0
    opening: float = 1.0
    paint: float = 2.0
    pixels: float = 5.0
    edges: float = 5.0
    structure: float = 1.0
    near: float = 5.0
    reached: float = 3.0
    fool: float = 0.15
    rounds: int = 1  # of correction when editing (Eq. 16)
    depth: float = 0.5  # of shade, in log brightness
    margin: float = 0.03
    turn: float = 5.0
    colour: float = 0.12
    scale: float = 0.06

    def __post_init__(self) -> None:
        check_shares(self, "neutral", "margin", "colour", "scale")
        sizes = ("subjects", "width", "reader_width", "critic_width", "batch_size")
        check_least(self, {"image_size": 32, "rounds": 0, "depth": 0} | dict.fromkeys(sizes, 1))
        if self.image_size % 32:
            raise InputError(f"image_size is {self.image_size}; expected a multiple of 32")


SMALL = FieldsConfig()


ABLATIONS: dict[str, dict[str, Any]] = {
    "no_flow": {"flow": 0.0},  # the flow is learnt from pictures alone
    "no_mouth": {"opening": 0.0, "paint": 0.0, "fool": 0.0},  # nor is it told where mouths open
    "no_shade": {"shade": 0.0, "depth": 0.0},
    "no_loop": {"rounds": 0},
}
