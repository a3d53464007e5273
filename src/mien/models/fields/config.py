"""Sizes, lengths and weights of fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mien.errors import InputError
from mien.models.ranges import (
    Degrees,
    Few,
    Log,
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
class FieldsConfig:
    """Sizes, lengths and weights; the defaults are preset `small`."""

    image_size: Side = 256  # of the frame; the nets see it at half that
    subjects: People = 1
    supervised: bool = False  # train the plain CNN that recognition is compared with, and nothing else
    width: Width = 32
    reader_side: Side = 96  # pixels at which the reader looks
    reader_width: Width = 24
    critic_width: Width = 24
    batch_size: Pairs = 16
    read_steps: Steps = 3000
    steps: Steps = 6000
    finish_steps: Steps = 1000
    paint_steps: Steps = 3000
    read_lr: Rate = 3e-4  # at 1e-3, pairs that are not balanced teach the reader the mean face and no more
    lr: Rate = 8e-4
    critic_lr: Rate = 4e-4
    neutral: Share = 0.4  # share of pairs that begin with a neutral face
    code: Weight = 40.0
    angles: Weight = 8.0
    words: Weight = 1.0
    flow: Weight = 1.0
    shade: Weight = 60.0
    opening: Weight = 1.0
    paint: Weight = 2.0
    teeth: Weight = 1.0
    pixels: Weight = 5.0
    edges: Weight = 5.0
    structure: Weight = 1.0
    near: Weight = 5.0
    reached: Weight = 3.0
    fool: Weight = 0.15
    rounds: Few = 1  # of correction when editing (Eq. 16)
    depth: Log = 0.5  # of shade, in log brightness
    margin: Part = 0.03
    turn: Degrees = 5.0
    colour: Part = 0.12
    scale: Part = 0.06

    def __post_init__(self) -> None:
        check_settings(self)
        if self.image_size % 32:
            raise InputError(f"image_size is {self.image_size}; expected a multiple of 32")


SMALL = FieldsConfig()


ABLATIONS: dict[str, dict[str, Any]] = {
    "no_flow": {"flow": 0.0},  # the flow is learnt from pictures alone
    "no_mouth": {"opening": 0.0, "paint": 0.0, "teeth": 0.0, "fool": 0.0},  # nor is it told where mouths open
    "no_shade": {"shade": 0.0, "depth": 0.0},
    "no_loop": {"rounds": 0},
}


PRESETS = ablated({"small": SMALL}, ABLATIONS)
