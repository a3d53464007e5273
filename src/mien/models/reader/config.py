"""Sizes, lengths and weights of the reader."""

from __future__ import annotations

from dataclasses import dataclass

from mien.models.ranges import Log, Pairs, Part, People, Rate, Share, Side, Steps, Weight, Width, check_settings


@dataclass(frozen=True)
class ReaderConfig:
    """Sizes, lengths and weights; the defaults are preset `small`, the only one."""

    image_size: Side = 128  # of the pictures that it learns from
    side: Side = 96  # pixels at which it looks
    subjects: People = 1
    width: Width = 24
    batch_size: Pairs = 32  # pairs of unrelated faces: twice as many pictures
    begin_steps: Steps = 400
    steps: Steps = 2600
    lr: Rate = 1e-3
    code: Weight = 40.0  # of the code's error
    angles: Weight = 8.0  # of head and gaze beside the units: four numbers of 46, and small ones
    words: Weight = 1.0  # of the words' cross-entropy
    neutral: Share = 0.25  # shares of a batch: see data/sampling/face_sampler.py
    unnamed: Share = 0.3
    photographs: Share = 0.15
    randomisation: Log = 1.0  # strength
    memory: Part = 0.998  # a step, of the averaged weights

    def __post_init__(self) -> None:
        check_settings(self)


PRESETS = {"small": ReaderConfig()}
