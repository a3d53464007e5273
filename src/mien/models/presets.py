"""The models' presets and settings by name, without PyTorch: what somebody typed is judged before that is loaded."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.models.ranges import KINDS, Steps, fields_of_kind, range_in_words
from mien.reading import read_json
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

_FIELD = re.compile(r"^    (\w+): .*?#\s*(.+)$")
YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def presets_of(name: str) -> dict[str, Any]:
    """Return a model's presets, by its name or one of OLD_NAMES. Raises InputError for another."""
    module = CONFIGS.get(OLD_NAMES.get(str(name), str(name)))
    if module is None:
        raise InputError(f"no model named {name!r}; choose one of {', '.join(sorted(CONFIGS))}")
    return dict(import_module(module).PRESETS)


def ablations(name: str) -> list[str]:
    """Return a model's presets to set side by side: small first, then its ablations; none of other sizes."""
    return [preset for preset in presets_of(name) if not preset.startswith(("paper", "base"))]


def preset_config(name: str, preset: str) -> Any:
    """Return the config of a model's preset. Raises InputError for an unknown model or preset."""
    presets = presets_of(name)
    if not isinstance(preset, str) or preset not in presets:
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


def settings_in(path: Path, model: str) -> dict[str, str]:
    """Return the settings, as text, that a run.json or a file like it holds under "config"; docs/training.md shows one.

    Raises InputError for another file, or another model's.
    """
    expected = 'expected the run.json of a run, or {"family": "ter_gan", "config": {"lr": 0.001}}'
    found = read_json(path, expected, {"family": str, "config": {"*": object}})
    if OLD_NAMES.get(found["family"], found["family"]) != OLD_NAMES.get(model, model):
        raise InputError(f"{path}: holds settings of {found['family']}, not of {model}")
    known = {name: value for name, value in found["config"].items() if name != "subjects"}  # counted from the data
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in known.items()}


def counted_steps(model: str, config: Any, steps: int) -> dict[str, int]:
    """Return the lengths of a config's stages, by setting. Raises InputError where `steps` are too few for each."""
    counted = {name: n for name in fields_of_kind(type(config), Steps) if (n := getattr(config, name))}
    if steps < len(counted):
        raise InputError(f"--steps {steps}: {model} has {len(counted)} stages; expected {len(counted)} or more")
    return counted


@dataclass(frozen=True)
class Setting:
    """A setting of a model: its value in a preset, what it may be, and what the comment beside it says."""

    name: str
    value: Any
    allowed: str
    meaning: str


def settings_of(model: str, preset: str = "small") -> list[Setting]:
    """Return a preset's settings. Raises InputError for an unknown model or preset."""
    config = preset_config(model, preset)
    lines = inspect.getsource(type(config)).splitlines()
    said = {m[1]: m[2] for m in map(_FIELD.match, lines) if m}
    words = range_in_words(type(config))
    values = {name: value for name, value in asdict(config).items() if name != "subjects"}  # counted from the data
    return [Setting(name, value, words.get(name, ""), said.get(name, "")) for name, value in values.items()]
