"""The models, one file a paper, and the table of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mien.errors import InputError
from mien.models.eet import Eet
from mien.models.expr_gan import ExprGan
from mien.models.family import (
    Capability,
    Controls,
    Edits,
    Embedding,
    Embeds,
    EstimatesAus,
    Family,
    HasBaseline,
    Invents,
    Prediction,
    Recognizes,
    SetsElements,
    Transfers,
    capable,
    change,
)
from mien.models.jesrl import Jesrl
from mien.models.judge import Judge
from mien.models.rel_gan import RelGan
from mien.models.ter_gan import TerGan

FAMILIES: dict[str, type[Family]] = {
    "ter_gan": TerGan,
    "rel_gan": RelGan,
    "expr_gan": ExprGan,
    "jesrl": Jesrl,
    "eet": Eet,
    "judge": Judge,
}

__all__ = [
    "FAMILIES",
    "Controls",
    "Edits",
    "Embedding",
    "Embeds",
    "EstimatesAus",
    "Family",
    "HasBaseline",
    "Invents",
    "Prediction",
    "Recognizes",
    "SetsElements",
    "Transfers",
    "able",
    "change",
    "create",
    "editor_by",
    "preset_config",
]


def preset_config(name: str, preset: str) -> Any:
    """Return the config of a family's preset. Raises InputError for an unknown family or preset."""
    if name not in FAMILIES:
        raise InputError(f"no model named {name!r}; choose one of {', '.join(sorted(FAMILIES))}")
    presets = FAMILIES[name].PRESETS
    if preset not in presets:
        raise InputError(f"{name} has no preset {preset!r}; choose one of {', '.join(sorted(presets))}")
    return presets[preset]


def create(name: str, preset: str = "small", **changes: Any) -> Family:
    """Return an untrained model: a preset ("small" or "paper") of a family, with named config fields changed.

    Raises InputError for an unknown family, preset or field.
    """
    config = preset_config(name, preset)
    unknown = [field for field in changes if field not in config.__dataclass_fields__]
    if unknown:
        raise InputError(f"{name} has no setting {unknown[0]!r}; it has {', '.join(config.__dataclass_fields__)}")
    return FAMILIES[name](replace(config, **changes))


def able(model: Family, protocol: type[Capability]) -> Capability:
    """Return `model` as what it must be able to do, as Transfers. Raises InputError naming the models that can."""
    return capable(model, protocol, FAMILIES)


def editor_by(model: Family, controls: Controls) -> Edits:
    """Return `model` as what can edit so. Raises InputError naming the models that can if it cannot."""
    asked = next(name for name in ("expression", "aus", "like") if getattr(controls, name) is not None)
    if isinstance(model, Edits) and asked in type(model).edits_by:
        return model
    can = [name for name, family in FAMILIES.items() if issubclass(family, Edits) and asked in family.edits_by]
    own = next((name for name, family in FAMILIES.items() if type(model) is family), type(model).__name__)
    raise InputError(f"{own} cannot edit by {WORDS[asked]}; these can: {', '.join(can) or 'none'}")


WORDS = {"expression": "class", "aus": "action unit", "like": "example"}
