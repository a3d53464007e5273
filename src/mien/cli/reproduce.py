"""The verb that runs a paper's experiments: reproduce."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.early import OTHERS, check_asked, check_training
from mien.cli.evaluate.options import EvaluatorName
from mien.cli.terminal import SamePeople, bar, known_precision, out, parse_settings, sets_of
from mien.cli.values import Accelerator, PrecisionName, Seeds, finite, folder_name
from mien.errors import InputError


def reproduce(
    paper: Annotated[str, typer.Argument(help="ter_gan, rel_gan, expr_gan, jesrl or eet.")],
    table: Annotated[list[str] | None, typer.Option(help="A table of the paper, as 2 or II; again for more.")] = None,
    figure: Annotated[list[str] | None, typer.Option(help="A figure of the paper.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="What its text alone tells of, by the word of --list.")] = None,
    show: Annotated[bool, typer.Option("--list", help="List the experiments, and run nothing.")] = False,
    data: Annotated[
        list[Path] | None, typer.Option(help="A data set; several, and each experiment takes its corpus, else all.")
    ] = None,
    preset: Annotated[str, typer.Option(help="small, base or paper.")] = "small",
    output: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for trainings, figures and rows.", callback=folder_name)
    ] = Path("reproduced"),
    people: Annotated[
        int | None, typer.Option(min=4, help="Train on so many people at most, and test so many at most.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Weights that never saw the tested people, in place of a training; again for a model beside it."
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="Weights to begin with, a run or a name; others, by folds: people left out are learnt first."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="By folds: people; or variants, animations unseen as well.")] = "people",
    minutes: Annotated[
        float | None, typer.Option(min=0, help="By folds: shorten all stages, a fold takes so long.", callback=finite)
    ] = None,
    evaluator: EvaluatorName = "evaluator",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting, as steps=500; of another model: eet.steps=500.")
    ] = None,
    seed: Seeds = None,
    precision: PrecisionName = "auto",
    device: Accelerator = "auto",
    same_people: SamePeople = False,
) -> None:
    """Run a paper's tables and figures: each row is the paper's figure, ours, and what becomes of the claim.

    Killed, the same command goes on. An experiment runs on its own corpus where that is among --data, by the record
    that `mien data import` leaves, else on the data that are there, and says so.

    Example: `mien reproduce ter_gan --table 1 --data faces --preset base`
    """
    if split not in ("people", "variants"):
        raise InputError(f"--split {split}: expected people or variants")
    check_training(paper, preset, [word for word in set_ or () if "." not in word.partition("=")[0]], start)
    check_asked(data, model or (), evaluator)

    from mien.evaluate.reproduction.papers import experiments_of

    kinds = (("table", table), ("figure", figure), ("text", text))
    asked = [(kind, number) for kind, numbers in kinds for number in numbers or ()]
    experiments = experiments_of(paper, asked)
    if show:
        from mien.evaluate.reproduction.table import listed

        out.print("\n".join(listed(experiments)), markup=False, highlight=False, soft_wrap=True)
        return
    if not data:
        raise InputError(
            "--data: names no data set; expected a folder with metadata.csv, or --list to see what there is"
        )

    from mien.evaluate.evaluators.registry import find_evaluator
    from mien.evaluate.reproduction.bench import Bench
    from mien.evaluate.reproduction.runner import reproduce as run
    from mien.evaluate.reproduction.table import HEAD, lines_of
    from mien.training.settings import Settings
    from mien.weights.resolve import resolve

    begun = resolve(start) if start and start != OTHERS else None
    settings, changes = Settings(0, known_precision(precision, device), device), parse_settings(set_)
    with bar(paper) as tell:
        bench = Bench(
            paper, preset, sets_of(data, same_people), output, find_evaluator(evaluator), settings, seed or [0],
            changes, people, model or (), begun, split == "variants", minutes, start == OTHERS, tell,
        )  # fmt: skip
        bench.training()  # what was typed is judged before any work
        out.print(HEAD, markup=False, highlight=False, soft_wrap=True)
        run(
            paper, experiments, bench, output,
            lambda e, result: out.print(
                "\n".join(lines_of(e, [result])), markup=False, highlight=False, soft_wrap=True
            ),
        )  # fmt: skip
    out.print(f"\nRows, to keep and to draw tables from: {output / paper / 'results'}", markup=False, soft_wrap=True)
