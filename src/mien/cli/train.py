"""Verbs that make models: train, zoo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.terminal import DataDirs, SamePeople, bar, known_precision, out, parse_setting, sets_of
from mien.cli.values import Seed, finite, folder_name


def train(
    model: str,
    data: DataDirs,
    run: Annotated[Path, typer.Option(help="Folder for the run; if it holds one, it goes on.", callback=folder_name)],
    preset: str = "small",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting of the model, as steps=500.")
    ] = None,
    seed: Seed = 0,
    precision: Annotated[str, typer.Option(help="auto, 32-true or bf16-mixed.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    devices: Annotated[int, typer.Option(min=1, max=1024)] = 1,
    nodes: Annotated[int, typer.Option(min=1, max=1024)] = 1,
    checkpoint_every: Annotated[int, typer.Option(min=1)] = 500,
    sheet_every: Annotated[int, typer.Option(min=1)] = 1000,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Stop at a checkpoint after this time.", callback=finite)
    ] = None,
    start: Annotated[Path | None, typer.Option(help="A run to begin with, to fine-tune it on other data.")] = None,
    all_people: Annotated[bool, typer.Option(help="Train on rows marked test too.")] = False,
    same_people: SamePeople = False,
) -> None:
    """Train MODEL on data sets. Kill it at any moment; the same command goes on as if it had not stopped.

    Example: `mien train ter_gan --data faces --run runs/ter_gan --preset small --set steps=3000`
    """
    from mien.training.settings import Progress, Settings
    from mien.training.start import begin

    settings = Settings(
        seed,
        known_precision(precision, device),
        device,
        devices,
        nodes,
        checkpoint_every,
        sheet_every=sheet_every,
        stop_after=None if minutes is None else 60 * minutes,
    )
    sets = sets_of(data, same_people)
    with bar(model) as progress:

        def show(p: Progress) -> None:
            losses = " ".join(f"{name.split('/')[-1]} {value:.3g}" for name, value in p.losses.items())
            progress(p.done, p.total, f"{p.stage} {p.faces_per_second:.0f}/s {losses}")

        finished = begin(
            model, preset, dict(map(parse_setting, set_ or ())), sets, run, settings, all_people, start, show
        )
    out.print(
        f"{run}: " + ("finished" if finished else "stopped at a checkpoint; the same command goes on"), markup=False
    )


def zoo(
    output: Annotated[Path, typer.Argument(help="Folder for runs, weights and tables.", callback=folder_name)],
    data: DataDirs,
    hours: Annotated[float, typer.Option(help="Time for all together; call again to go on.", callback=finite)] = 24.0,
    model: Annotated[list[str] | None, typer.Option(help="Models to make; else all, the evaluator first.")] = None,
    seed: Seed = 0,
    precision: Annotated[str, typer.Option(help="auto, 32-true or bf16-mixed.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    same_people: SamePeople = False,
) -> None:
    """Train every model, set them side by side on the data's test people, and pack their weights with an index.

    Kill it at any moment; the same command goes on. To use what it made, set MIEN_ZOO to the folder.

    Example: `mien zoo zoo_out --data photofaces --data studio --hours 12`
    """
    from mien.evaluate.protocols.comparison import compare
    from mien.training.settings import Settings
    from mien.training.zoo import ORDER, make_zoo

    settings = Settings(seed, known_precision(precision, device), device)
    sets = sets_of(data, same_people)
    with bar("zoo") as progress:
        finished = make_zoo(
            sets, output, hours, compare, model or ORDER, settings,
            report=lambda name, p: progress(p.done, p.total, f"{name} {p.stage} {p.faces_per_second:.0f}/s"),
        )  # fmt: skip
    for name, whole in finished.items():
        out.print(f"{output / name}.safetensors: " + ("finished" if whole else "cut short; call again"), markup=False)
    out.print(f"\nTo use them: export MIEN_ZOO={output}", markup=False)
