"""What can be trained: rows for a person to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from mien.models.build import outline
from mien.models.presets import preset_config
from mien.models.registry import FAMILIES, find_family

SIZES = ("paper", "base", "small")


@dataclass(frozen=True)
class Described:
    """A model's preset: the side of its pictures, its steps in all, its parameters in millions, what it is from."""

    model: str
    preset: str
    pixels: int
    steps: int
    millions: float
    paper: str


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
