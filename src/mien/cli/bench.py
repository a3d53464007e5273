"""The verb that runs the open benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.early import check_asked
from mien.cli.tables import print_frame
from mien.cli.terminal import bar, out
from mien.cli.values import folder_name
from mien.reading import sha256_of


def bench(
    output: Annotated[
        Path, typer.Argument(help="Folder for the page, the figures and the rendered pictures.", callback=folder_name)
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="A data set whose rows marked test to measure on too; give it again for each."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="A run's folder or weights to measure too; give it again for each.")
    ] = None,
    people: Annotated[int, typer.Option(help="Rendered people; figures of other numbers do not compare.")] = 24,
    evaluator: Annotated[
        str, typer.Option("--evaluator", "--judge", help="Who measures: see docs/evaluators.md.")
    ] = "evaluator",
    against: Annotated[
        list[Path] | None, typer.Option(help="Another author's bench.json to set beside; give it again for each.")
    ] = None,
) -> None:
    """Measure all models on one fixed set of rendered people: a page to read, a file to cite. Goes on if killed.

    Example: `mien bench out/bench --data faces --model runs/mine`
    """
    check_asked(data, model or (), evaluator)

    from mien.evaluate.benchmark.page import TABLES, all_figures, by_answer
    from mien.evaluate.benchmark.run import bench as measured
    from mien.evaluate.benchmark.run import bench_models
    from mien.evaluate.benchmark.sets import marked_set, studio_set
    from mien.evaluate.evaluators.registry import find_evaluator

    nets, who, print_ = bench_models(model or ()), find_evaluator(evaluator), file_print(evaluator)
    others = [marked_set(folder) for folder in data or ()]
    with bar("rendering") as progress:
        studio = studio_set(output / "studio", people, tell=progress)
    with bar("measuring") as progress:
        record = measured([studio, *others], nets, who, output, print_, against or (), progress)
    figures = all_figures(record, {})
    for name in record["sets"]:
        out.print(f"\n{name}: by the evaluator", markup=False)
        print_frame(by_answer(figures[figures["set"] == name], TABLES["By the evaluator"][0]).reset_index())
    out.print(f"\nLook at {output / 'index.html'}; cite {output / 'bench.json'}", markup=False)


def file_print(evaluator: str) -> str | None:
    """Return the SHA-256 of the file that an evaluator's words name, None where they name none."""
    path = Path(evaluator.partition(":")[2])
    return sha256_of(path, "expected weights") if path.is_file() else None
