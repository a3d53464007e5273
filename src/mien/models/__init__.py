"""The models: a file or a package a paper, what one can be asked for, and the table of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.controls import Controls
    from mien.models.contract import (
        Edits,
        Embedding,
        Embeds,
        EstimatesAus,
        Family,
        FindsPoints,
        Generates,
        HasBaseline,
        Invents,
        Moves,
        Prediction,
        Recognizes,
        SetsElements,
        Transfers,
        Warps,
    )
    from mien.models.io import load, save_model
    from mien.models.presets import preset_config
    from mien.models.registry import FAMILIES, able, create, editor_by, name_of
    from mien.models.residual import change, composite, pasted, residual_of

_CONTRACT = (
    "Edits", "Embedding", "Embeds", "EstimatesAus", "Family", "FindsPoints", "Generates", "HasBaseline", "Prediction",
    "Recognizes", "SetsElements", "Transfers", "Warps",
    "Invents", "Moves",  # Generates and Warps, until 0.2
)  # fmt: skip
_REGISTRY = ("FAMILIES", "able", "create", "editor_by", "name_of")
_HOMES = (
    {"Controls": "mien.controls", "load": "mien.models.io", "save_model": "mien.models.io"}
    | {"preset_config": "mien.models.presets"}
    | dict.fromkeys(_CONTRACT, "mien.models.contract")
    | dict.fromkeys(_REGISTRY, "mien.models.registry")
    | dict.fromkeys(("composite", "residual_of", "change", "pasted"), "mien.models.residual")
)

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: a paper's file must not load all the others."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mien.models' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
