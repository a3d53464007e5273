"""What verbs look at before anything heavy is loaded: files, weights, data sets, settings and who measures."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mien.cli.terminal import parse_settings
from mien.errors import InputError, missing

OTHERS = "others"
"""In place of weights to start with: the model is trained first on the people whom the regime leaves out."""


def check_files(*paths: Path | None) -> None:
    """Raise InputError where one of the pictures and clips that are given is not there."""
    for path in paths:
        if path is not None and not path.exists():
            raise InputError(f"{path}: there is no such file; give a picture or a clip")


def check_asked(data: Sequence[Path] | None, models: Sequence[str] = (), evaluator: str | None = None) -> None:
    """Raise InputError where weights, who measures, or a data set are not there."""
    from mien.weights.resolve import check_name

    for name in models:
        check_name(name)
    if evaluator:
        from mien.evaluate.evaluators.registry import check_evaluator

        check_evaluator(evaluator)
    check_data(data or ())


def check_data(folders: Sequence[Path]) -> None:
    """Raise InputError where a folder is no data set; its rows are read later."""
    from mien.data.columns import METADATA
    from mien.data.manifest import read_manifest

    for folder in folders:
        if not (folder / METADATA).is_file():
            read_manifest(folder)  # which says what is missing


def check_trains() -> None:
    """Raise MissingPackage where there is nothing to train with."""
    if find_spec("lightning") is None:
        raise missing("training", "lightning")


def check_training(
    model: str, preset: str, settings: Sequence[str] | None, start: str | None = None
) -> tuple[dict[str, Any], int]:  # fmt: skip
    """Return settings as typed, and the side of a model's pictures with them, in pixels.

    Raises InputError for an unknown model, preset or setting, for values out of range, and for weights that are not
    there.
    """
    from mien.models.presets import preset_config, typed_changes
    from mien.weights.resolve import check_name

    typed = typed_changes(model, preset, parse_settings(settings))
    if start and start != OTHERS:
        check_name(start)
    return typed, typed.get("image_size", preset_config(model, preset).image_size)
