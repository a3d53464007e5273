"""Sizes, lengths and weights of the evaluator."""

from __future__ import annotations

from dataclasses import dataclass

from mien.models.ranges import Degrees, Pairs, Part, People, Rate, Side, Steps, Weight, Width, check_settings


@dataclass(frozen=True)
class EvaluatorConfig:
    """Sizes and lengths of preset `small`, the only one."""

    image_size: Side = 64
    subjects: People = 1
    width: Width = 24
    expression_code: Width = 64
    identity_code: Width = 64
    batch_size: Pairs = 48  # pairs: twice as many faces
    steps: Steps = 3000
    lr: Rate = 2e-3
    au: Weight = 1.0
    expression: Weight = 0.3
    identity: Weight = 0.3
    margin: Part = 0.04
    turn: Degrees = 5.0
    colour: Part = 0.15
    scale: Part = 0.05

    def __post_init__(self) -> None:
        check_settings(self)


PRESETS = {"small": EvaluatorConfig()}
