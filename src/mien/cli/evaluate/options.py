"""Options and steps that the verbs that measure share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.terminal import errors, out
from mien.errors import InputError

if TYPE_CHECKING:
    from mien.data.dataset import Data
    from mien.data.sets import Sets
    from mien.evaluate.evaluators.base import Evaluator
    from mien.evaluate.trials import Trials
    from mien.models.contract import Family


AllPeople = Annotated[bool, typer.Option(help="Take everybody, not only the rows marked test.")]


Models = Annotated[list[str], typer.Option("--model", help="Weights to compare; give it again for each.")]


EvaluatorName = Annotated[
    str,
    typer.Option(
        "--evaluator",
        "--judge",
        help="Who measures: weights, onnx:FILE.onnx, mediapipe:FILE.task, openface:FILE.csv, pyfeat:FILE.csv, pyfeat.",
    ),
]


def print_record_path(path: Path) -> None:
    """Say where the record lies."""
    out.print(f"\nFigures and all that made them: {path}", markup=False, soft_wrap=True)


def find_and_warn(evaluator: str, data: Any, models: dict[str, Any]) -> Any:
    """Return the evaluator that words name, and say on the screen where it is not independent of labels or models."""
    from mien.evaluate.evaluators.registry import find_evaluator

    who = find_evaluator(evaluator)
    warn(who, data, models)
    return who


def warn(evaluator: Any, data: Any, models: dict[str, Any]) -> None:
    """Say on the screen in which ways an evaluator is not independent of labels or models."""
    from mien.evaluate.evaluators.independence import dependence

    for line in dependence(evaluator, data.manifest, models.values()):
        errors.print(f"mien: careful: {line}", markup=False)


def by_name(models: list[str]) -> dict[str, Any]:
    """Return models by their names, or as they were asked for where several share one."""
    from mien.models.io import load
    from mien.models.registry import name_of

    nets = {text: load(text) for text in models}
    names = [name_of(net) for net in nets.values()]
    return {text if names.count(name) > 1 else name: net for (text, net), name in zip(nets.items(), names, strict=True)}


def test_people(sets: Any, size: int, all_people: bool | None) -> Any:
    """Return the rows marked test, or all (`mien.data.sets.held_out`)."""
    from mien.data.sets import held_out

    return held_out(sets, size, all_people)


Partners = Annotated[
    int,
    typer.Option(
        min=0,
        max=1000,
        help="Pair every picture with so many random ones of other people; 0: neutral faces, whose truth is known.",
    ),
]


BothWays = Annotated[
    bool, typer.Option("--both-ways", help="Swap every pair of --partners: score both of its pictures, as EET does.")
]


Size = Annotated[int, typer.Option(min=32, max=1024, help="Side to compare at.")]


def check_pairs(partners: int, both_ways: bool) -> None:
    """Raise InputError where pairs are to be swapped and there are none."""
    if both_ways and not partners:
        raise InputError("--both-ways: swaps random pairs, as --partners 1 makes them; give --partners too")


def asked_for(
    sets: Sets, model: list[str], evaluator: str, partners: int, seed: int, all_people: bool, size: int, geometry: bool,
    both_ways: bool = False,
) -> tuple[dict[str, Family], Evaluator, Data, Trials]:  # fmt: skip
    """Return the models, who measures, the people and the trials that a verb asks for."""
    from mien.evaluate.trials import random_pairs, trials

    nets, chosen = by_name(model), test_people(sets, size, all_people)
    t = random_pairs(chosen, partners, seed, both_ways) if partners else trials(chosen, seed, geometry)
    return nets, find_and_warn(evaluator, chosen, nets), chosen, t
