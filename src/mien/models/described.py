"""What can be trained, and what can be set: rows for a person to read."""

from __future__ import annotations

import inspect
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mien.models.build import outline
from mien.models.presets import preset_config
from mien.models.ranges import range_in_words
from mien.models.registry import FAMILIES, find_family

SIZES = ("paper", "base", "small")
_FIELD = re.compile(r"^    (\w+): .*?#\s*(.+)$")


@dataclass(frozen=True)
class Setting:
    """A setting of a model: its value in a preset, what it may be, and what the comment beside it says."""

    name: str
    value: Any
    allowed: str
    meaning: str


@dataclass(frozen=True)
class Described:
    """A model's preset: the side of its pictures, its steps in all, its parameters in millions, what it is from."""

    model: str
    preset: str
    pixels: int
    steps: int
    millions: float
    paper: str


def settings_of(model: str, preset: str = "small") -> list[Setting]:
    """Return a preset's settings. Raises InputError for an unknown model or preset."""
    config = preset_config(model, preset)
    lines = inspect.getsource(type(config)).splitlines()
    said = {m[1]: m[2] for m in map(_FIELD.match, lines) if m}
    words = range_in_words(type(config))
    values = {name: value for name, value in asdict(config).items() if name != "subjects"}  # counted from the data
    return [Setting(name, value, words.get(name, ""), said.get(name, "")) for name, value in values.items()]


def described(model: str, preset: str) -> Described:
    """Return what a preset is. Raises InputError for an unknown model or preset."""
    config = preset_config(model, preset)
    built = outline({"family": model, "config": asdict(config)}, Path(model))
    steps = sum(stage.steps for stage in built.stages())
    millions = sum(p.numel() for p in built.parameters()) / 1e6
    return Described(model, preset, config.image_size, steps, round(millions, 2), find_family(model).paper)


def presets() -> list[tuple[str, str]]:
    """Return all models, each with its presets by size; ablations and variants are left out."""
    return [(name, preset) for name, family in FAMILIES.items() for preset in SIZES if preset in family.PRESETS]
