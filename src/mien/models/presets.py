"""The models' presets and settings by name, without PyTorch: what somebody typed is judged before that is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib import import_module
from typing import Any

from mien.errors import InputError
from mien.models.ranges import KINDS
from mien.weights.resolve import OLD_NAMES

CONFIGS = {
    "ter_gan": "mien.models.ter_gan.config",
    "rel_gan": "mien.models.rel_gan.config",
    "expr_gan": "mien.models.expr_gan.config",
    "jesrl": "mien.models.jesrl.config",
    "eet": "mien.models.eet.config",
    "fields": "mien.models.fields.config",
    "reader": "mien.models.reader.config",
    "evaluator": "mien.models.evaluator.config",
    "landmarks": "mien.models.landmarks.config",
}
"""The module of a model, by its name, that holds its PRESETS: config by name of the preset."""

YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def presets_of(name: str) -> dict[str, Any]:
    """Return a model's presets, by its name or one of OLD_NAMES. Raises InputError for another."""
    module = CONFIGS.get(OLD_NAMES.get(name, name))
    if module is None:
        raise InputError(f"no model named {name!r}; choose one of {', '.join(sorted(CONFIGS))}")
    return dict(import_module(module).PRESETS)


def preset_config(name: str, preset: str) -> Any:
    """Return the config of a model's preset. Raises InputError for an unknown model or preset."""
    presets = presets_of(name)
    if preset not in presets:
        raise InputError(f"{name} has no preset {preset!r}; choose one of {', '.join(sorted(presets))}")
    return presets[preset]


def typed_changes(model: str, preset: str, changes: Mapping[str, str]) -> dict[str, Any]:
    """Return settings given as text in their config's types. Raises InputError for what does not fit."""
    config = preset_config(model, preset)
    kinds = {name: type(value) for name, value in asdict(config).items()}
    kinds.pop("subjects", None)  # counted from the data
    typed: dict[str, Any] = {}
    for name, text in changes.items():
        if name not in kinds:
            raise InputError(f"--set {name}: {model} has no such setting; it has {', '.join(kinds)}")
        try:
            typed[name] = YES_NO[text.lower()] if kinds[name] is bool else kinds[name](text)
        except (ValueError, KeyError) as error:
            raise InputError(f"--set {name}={text}: expected {KINDS[kinds[name]]}") from error
    replace(config, **typed)  # which looks at every value
    return typed
