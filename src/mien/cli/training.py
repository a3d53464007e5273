"""Verbs that make data and models: synth, train, zoo, demo, data check, data import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.about import DEFAULT
from mien.cli.terminal import (
    DataDirs,
    Model,
    SamePeople,
    bar,
    known_precision,
    out,
    parse_setting,
    print_frame,
    sets_of,
)
from mien.errors import InputError


def synth(
    folder: Path,
    people: int = 100,
    per_person: int = 36,
    size: int = 128,
    seed: int = 0,
    jobs: int = 2,
    sessions: Annotated[int, typer.Option(help="Lights under which everybody is rendered.")] = 1,
    occluded: Annotated[float, typer.Option(help="Share of pictures with a hat, a mask or a hand, 0-1.")] = 0.0,
) -> None:
    """Render people who do not exist, with exact labels, into FOLDER. Called again, it goes on where it stopped.

    Example: `mien synth faces --people 200 --jobs 4`
    """
    from mien.synth.generate import generate

    with bar("rendering") as progress:
        generate(folder, people, per_person, size, seed, jobs, sessions, occluded, progress)
    count = people * per_person * sessions
    out.print(f"{folder}: {people} people, {count} pictures, labels in metadata.csv", markup=False)


def augment(
    folder: Path,
    data: Annotated[
        Path | None, typer.Option(help="Folder whose neutral people to edit; else people are invented.")
    ] = None,
    model: Model = "expr_gan",
    per_class: int = 500,
    seed: int = 0,
    all_people: Annotated[bool, typer.Option(help="Edit people marked test too.")] = False,
) -> None:
    """Make labelled training faces with a model into FOLDER, six classes. Called again, it goes on where it stopped.

    Example: `mien augment more_faces --data faces --model expr_gan --per-class 1000`
    """
    from mien.data.sets import training_data
    from mien.models.io import load
    from mien.training.synthesis import synthesize

    if per_class < 1:
        raise InputError(f"--per-class {per_class}: expected 1 or more")
    net = load(model)
    people = training_data(sets_of([data], False), net.config.image_size, all_people) if data else None
    with bar("synthesising") as progress:
        synthesize(net, people, folder, per_class, seed=seed, report=progress)
    out.print(f"{folder}: {per_class} pictures a class, labels in metadata.csv", markup=False)


def train(
    model: str,
    data: DataDirs,
    run: Annotated[Path, typer.Option(help="Folder for the run; if it holds one, it goes on.")],
    preset: str = "small",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting of the model, as steps=500.")
    ] = None,
    seed: int = 0,
    precision: Annotated[str, typer.Option(help="auto, 32-true or bf16-mixed.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    devices: int = 1,
    nodes: int = 1,
    checkpoint_every: int = 500,
    sheet_every: int = 1000,
    minutes: Annotated[float | None, typer.Option(help="Stop at a checkpoint after this time.")] = None,
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
        stop_after=60 * minutes if minutes else None,
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
    output: Annotated[Path, typer.Argument(help="Folder for runs, weights and tables.")],
    data: DataDirs,
    hours: Annotated[float, typer.Option(help="Time for all together; call again to go on.")] = 24.0,
    model: Annotated[list[str] | None, typer.Option(help="Models to make; else all, the judge first.")] = None,
    seed: int = 0,
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


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path("demo_out"), model: Model = DEFAULT
) -> None:
    """Show all of it on faces that come with the package: a sheet to look at, a table to read.

    Example: `mien demo`
    """
    from mien.demo import demo as show

    table = show(folder, model, say=lambda text: out.print(text, markup=False))
    out.print("\nTransfer to people never trained on, against the true picture (full and three-quarter expressions):")
    print_frame(table.reset_index())
    out.print(f"\nLook at {folder / 'people.png'} and {folder / 'photograph.png'}", markup=False)


def data_check(
    folder: Annotated[list[Path], typer.Argument(help="A data set; give several to look at them joined.")],
    picture: Annotated[Path | None, typer.Option(help="Draw the balance of classes and people here, as PNG.")] = None,
    same_people: SamePeople = False,
) -> None:
    """Say what a data set holds and who leaks into which split; find copies across sides; list all that is wrong.

    Example: `mien data check faces --picture balance.png`
    """
    from mien.data.checks.balance import balance_lines, draw_balance
    from mien.data.checks.duplicates import describe_copies, duplicates
    from mien.data.checks.report import describe
    from mien.data.manifest import check_manifest, problems_error

    if picture and picture.suffix.lower() != ".png":
        raise InputError(f"{picture}: expected a name ending in .png")
    for one in folder:
        if problems := check_manifest(one):
            raise problems_error(one, problems)
    manifest = sets_of(folder, same_people).manifest()
    for name, value in describe(manifest).items():
        out.print(f"{name:>28}  {value}", markup=False)
    out.print("", *balance_lines(manifest), sep="\n", markup=False, highlight=False, soft_wrap=True)
    if picture:
        draw_balance(manifest, picture)
        out.print(f"\nLook at {picture}", markup=False)
    with bar("checking") as progress:
        found = duplicates(manifest, progress)
    lines = describe_copies(manifest, found) or ["none"]
    title = f"\ncopies across sides, {len(found)} pairs (at 64 pixels):"
    out.print(title, *(f"  {line}" for line in lines), sep="\n", markup=False, highlight=False, soft_wrap=True)


def data_import(
    corpus: str,
    root: Annotated[Path, typer.Argument(help="The corpus' folder, as it was unpacked.")],
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Where to write the data set.")],
    size: Annotated[int, typer.Option(help="Pixels of a face's side.")] = 128,
    align: Annotated[
        str, typer.Option(help="always: eyes to the template; never: as they are; auto: as the corpus needs it.")
    ] = "auto",
    all_frames: Annotated[bool, typer.Option(help="Every labelled picture, not the protocol's choice.")] = False,
    neutral: Annotated[bool, typer.Option(help="The neutral first frames of clips too.")] = True,
    strangers: Annotated[
        bool, typer.Option(help="Where people are not named, take every picture for a person of its own.")
    ] = True,
    subject: Annotated[str, typer.Option(help="folder, csv: pattern whose group is the person, as '(S[0-9]+)_'.")] = "",
    every: Annotated[int, typer.Option(help="disfa, csv: one frame in so many.")] = 1,
    light: Annotated[int, typer.Option(help="multi-pie: number of the flash.")] = 7,
    stand_ins: Annotated[bool, typer.Option(help="multi-pie: scream as fear, squint as anger.")] = False,
) -> None:
    """Make a data set of aligned faces from a corpus you have. Killed, the same command goes on where it stopped.

    CORPUS is one of ck+, ck48, oulu-casia, mmi, bu-3dfe, bu-4dfe, multi-pie, rafd, cfd, disfa, raf-db, sfew, jaffe,
    fer2013, affectnet, folder (pictures by class) and csv (pictures with OpenFace or py-feat tables). Which pictures
    are taken follows the papers; docs/importing.md tells for each. Nothing is downloaded.

    Example: `mien data import ck+ CK+ faces --size 128`
    """
    from mien.data.importers.support.sample import Options
    from mien.data.importing import gather

    options = Options(
        all_frames=all_frames,
        neutral=neutral,
        strangers=strangers,
        subject=subject,
        every=every,
        light=light,
        stand_ins=stand_ins,
    )
    with bar("importing") as progress:
        summary = gather(corpus, root, folder, size, align, options, progress)
    for line in (*summary.lines(), f"{folder}: labels in metadata.csv"):
        out.print(line, markup=False, soft_wrap=True)
