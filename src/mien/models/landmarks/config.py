"""Sizes, lengths of the landmarks."""

from __future__ import annotations

from dataclasses import dataclass

from mien.models.ranges import Degrees, Pairs, Part, People, Rate, Side, Steps, Width, check_settings


@dataclass(frozen=True)
class LandmarksConfig:
    """Sizes and lengths of preset `small`, the only one."""

    image_size: Side = 128
    subjects: People = 1
    width: Width = 16
    batch_size: Pairs = 24  # pairs: twice as many faces
    steps: Steps = 5000
    lr: Rate = 2e-3
    margin: Part = 0.1  # a face's box is found roughly, so the crop may be off as much
    turn: Degrees = 24.0
    colour: Part = 0.2
    scale: Part = 0.25

    def __post_init__(self) -> None:
        check_settings(self)


PRESETS = {"small": LandmarksConfig()}
