"""Verbs that make models: train, zoo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mien.cli.early import check_asked, check_data, check_trains
from mien.cli.terminal import DataDirs, SamePeople, bar, known_precision, out, parse_settings, sets_of
from mien.cli.values import Accelerator, PrecisionName, Seed, finite, folder_name
from mien.errors import InputError

if TYPE_CHECKING:
    from mien.data.sets import Sets
    from mien.training.plan import Planned
    from mien.training.settings import Settings

ADAPTED = ("fields", "reader", "evaluator")
"""Models that `--adapt` fits to a corpus."""


def train(
    model: str,
    data: DataDirs,
    run: Annotated[Path, typer.Option(help="Folder for the run; if it holds one, it goes on.", callback=folder_name)],
    preset: Annotated[str, typer.Option(help="small, base or paper; `mien models` lists them.")] = "small",
    steps: Annotated[
        int | None, typer.Option(min=1, help="Length of the whole recipe; its stages in proportion.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting, as lr=1e-4; `mien models MODEL` lists them.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings to begin with: the run.json of another run.")
    ] = None,
    validation: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of the people to keep out, whose losses are watched.")
    ] = 0.0,
    logger: Annotated[
        str | None, typer.Option(help="Send losses, besides TensorBoard's file, to csv, wandb or mlflow.")
    ] = None,
    seed: Seed = 0,
    precision: PrecisionName = "auto",
    device: Accelerator = "auto",
    devices: Annotated[int, typer.Option(min=1, max=1024, help="Processes, or GPUs, that share each batch.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, max=1024, help="Machines, of torchrun or SLURM, that do.")] = 1,
    accumulate: Annotated[
        int, typer.Option(min=1, max=1024, help="Do a batch in so many parts, which takes less memory.")
    ] = 1,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute what is between layers twice instead of keeping it in memory.")
    ] = False,
    checkpoint_every: Annotated[int, typer.Option(min=1)] = 500,
    sheet_every: Annotated[int, typer.Option(min=1)] = 1000,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Stop at a checkpoint after this time.", callback=finite)
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="RUN", help="A run, or weights by name, to fine-tune on other data.")
    ] = None,
    adapt: Annotated[
        bool, typer.Option(help="Of fields, reader and evaluator: fit the reading to this corpus, in minutes.")
    ] = False,
    all_people: Annotated[bool, typer.Option(help="Train on rows marked test too.")] = False,
    same_people: SamePeople = False,
) -> None:
    """Train MODEL on data sets. Kill it at any moment; the same command goes on as if it had not stopped.

    Example: `mien train ter_gan --data faces --run runs/ter_gan --preset small --steps 3000`

    Example: `mien train fields --start fields --adapt --data mine --run runs/mine`
    """
    from mien.models.presets import counted_steps, preset_config, settings_in, typed_changes
    from mien.training.loggers import check_logger, find_logger
    from mien.training.settings import Progress, Settings
    from mien.weights.resolve import resolve

    changes = (settings_in(config, model) if config else {}) | parse_settings(set_)
    typed = typed_changes(model, preset, changes)
    if steps is not None and not adapt:
        counted_steps(model, replace(preset_config(model, preset), **typed), steps)
    if adapt and model not in ADAPTED:
        raise InputError(f"--adapt: {model} is no reader; {', '.join(ADAPTED)} can be adapted")
    check_logger(logger)
    settings = Settings(
        seed,
        accelerator=device,
        devices=devices,
        nodes=nodes,
        checkpoint_every=checkpoint_every,
        sheet_every=sheet_every,
        stop_after=None if minutes is None else 60 * minutes,
        accumulate=accumulate,
        recompute=recompute,
    )
    check_asked(data, [start] if start else [])
    check_trains()

    from mien.training.start import begin

    settings = replace(settings, precision=known_precision(precision, device))
    sets = sets_of(data, same_people)
    if adapt:
        check_adapted(model, start or model)
        return _adapt(start or model, sets, run, settings, steps, all_people)
    begun = resolve(start) if start else None
    follow = find_logger(logger, run) if logger else None
    with bar(model) as progress:

        def show(p: Progress) -> None:
            losses = " ".join(f"{name.split('/')[-1]} {value:.3g}" for name, value in p.losses.items())
            progress(p.done, p.total, f"{p.stage} {p.faces_per_second:.0f}/s {losses}")

        finished = begin(
            model, preset, changes, sets, run, settings, all_people, begun, show, steps, validation, tell_plan, follow
        )
    out.print(
        f"{run}: " + ("finished" if finished else "stopped at a checkpoint; the same command goes on"), markup=False
    )


def check_adapted(model: str, start: str) -> None:
    """Raise InputError where the weights to adapt are of another model."""
    from mien.models.io import load
    from mien.models.registry import name_of

    if (family := name_of(load(start))) != model:
        raise InputError(f"--start {start}: is {family}; expected weights of {model}, or mien train {family} --adapt")


def _adapt(start: str, sets: Sets, run: Path, settings: Settings, steps: int | None, all_people: bool) -> None:
    """Fit a reader to a corpus, and print what it brought."""
    from mien.training.adapt import STEPS, adapt

    with bar(start) as progress:
        made = adapt(
            start, sets, run, settings, steps or STEPS, all_people, lambda p: progress(p.done, p.total, p.stage)
        )
    out.print(f"On {made.pictures} pictures of {made.people} people kept out:", markup=False)
    out.print(f"before: {made.before}\nafter:  {made.after}\n{made.weights}: --model takes it", markup=False)


def tell_plan(planned: Sequence[Planned]) -> None:
    """Print what a training is going to do."""
    for p in planned:
        out.print(f"{p.stage}: {p.steps:,} steps ({p.turns}), about {span(p.seconds)}", markup=False)
    total = sum(p.steps for p in planned), sum(p.seconds for p in planned)
    out.print(f"{total[0]:,} steps in all, about {span(total[1])}, by one timed step of each turn", markup=False)


def span(seconds: float) -> str:
    """Return a length of time in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 90 * 60 else f"{seconds / 3600:.1f} hours"


def models(
    model: Annotated[str | None, typer.Argument(help="A model, to list its settings.")] = None,
    preset: Annotated[str, typer.Option(help="Whose values of the settings.")] = "small",
) -> None:
    """List the models, their presets and the weights that come along; or what can be set of one.

    Example: `mien models`

    Example: `mien models fields`
    """
    from mien.models.presets import settings_of
    from mien.weights.resolve import SUFFIX, ZOO

    if model:
        for s in settings_of(model, preset):
            line = f"{s.name} = {s.value}   {s.allowed}" + (f"; {s.meaning}" if s.meaning else "")
            out.print(line, markup=False, highlight=False, soft_wrap=True)
        return
    from mien.models.described import described, presets

    table = Table(box=None, pad_edge=False)
    for title in ("model", "preset", "pixels", "steps", "millions of parameters", "weights that come along"):
        table.add_column(title, justify="left" if title in ("model", "preset") else "right")
    for name, size in presets():
        d, file = described(name, size), ZOO / f"{name}{SUFFIX}"
        weights = f"{file.stat().st_size / 2**20:.1f} MiB" if size == "small" and file.is_file() else ""
        table.add_row(name, size, str(d.pixels), f"{d.steps:,}", f"{d.millions:.2f}", weights)
    out.print(table)


def zoo(
    output: Annotated[Path, typer.Argument(help="Folder for runs, weights and tables.", callback=folder_name)],
    data: DataDirs,
    hours: Annotated[float, typer.Option(help="Time for all together; call again to go on.", callback=finite)] = 24.0,
    model: Annotated[list[str] | None, typer.Option(help="Models to make; else all, the evaluator first.")] = None,
    seed: Seed = 0,
    precision: PrecisionName = "auto",
    device: Accelerator = "auto",
    same_people: SamePeople = False,
) -> None:
    """Train every model, set them side by side on the data's test people, and pack their weights with an index.

    Kill it at any moment; the same command goes on. To use what it made, set MIEN_ZOO to the folder.

    Example: `mien zoo zoo_out --data faces --hours 12`
    """
    from mien.models.presets import presets_of

    for name in model or ():
        presets_of(name)
    check_data(data)
    check_trains()

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
