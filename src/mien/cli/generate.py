"""Verbs that make faces: generate, synth, augment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.early import check_asked
from mien.cli.terminal import Model, bar, out, sets_of
from mien.cli.values import Device, Folder, Seed
from mien.errors import InputError


def generate(
    folder: Folder,
    model: Model = "expr_gan",
    count: Annotated[int, typer.Option(min=1, max=10_000, help="For more, see `mien augment`.")] = 8,
    expression: Annotated[str | None, typer.Option(help="A class; without it each shows one drawn for it.")] = None,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Write pictures of people who do not exist to FOLDER.

    Example: `mien generate people --count 16 --expression happiness`
    """
    from mien.files import make_folder
    from mien.labels import class_index
    from mien.media.provenance import read_stamp

    places = [folder / f"{k:04d}.png" for k in range(count)]
    if expression:
        class_index(expression)  # is it one?
    for path in (path for path in places if path.exists()):
        if read_stamp(path) is None:
            raise InputError(f"{path}: was not made by mien, and would be replaced; give another folder")
    from mien.editing.editor import Editor

    tool = Editor(model, device)
    make_folder(folder)
    for path, photo in zip(places, tool.generate(count, expression, seed), strict=True):
        tool.save(photo, path, f"generate: {expression or 'any expression'}", source=None)
    out.print(f"{folder}: {count} pictures", markup=False)


def synth(
    folder: Folder,
    people: int = 100,
    per_person: int = 36,
    size: int = 128,
    seed: Seed = 0,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Processes that render.")] = 2,
    sessions: Annotated[int, typer.Option(help="Lights under which everybody is rendered.")] = 1,
    occluded: Annotated[float, typer.Option(help="Share of pictures with a hat, a mask or a hand, 0-1.")] = 0.0,
    test: Annotated[float, typer.Option(help="Share of the people marked test, to be measured on, 0-1.")] = 0.0,
    plan: Annotated[
        str, typer.Option(help="photofaces, or photofaces_extra: gaze, lids, speech, turns.")
    ] = "photofaces",
) -> None:
    """Render people who do not exist, with exact labels, into FOLDER. Called again, it goes on where it stopped.

    Example: `mien synth faces --people 200 --test 0.2 --jobs 4`
    """
    from mien.synth.generate import generate

    with bar("rendering") as tell:
        generate(folder, people, per_person, size, seed, jobs, sessions, occluded, plan, tell, test)
    count = people * per_person * sessions
    out.print(f"{folder}: {people} people, {count} pictures, labels in metadata.csv", markup=False)


def augment(
    folder: Folder,
    data: Annotated[
        Path | None, typer.Option(help="Folder whose neutral people to edit; else people are invented.")
    ] = None,
    model: Model = "expr_gan",
    per_class: Annotated[int, typer.Option(min=1, max=1_000_000, help="Pictures of each class.")] = 500,
    seed: Seed = 0,
    all_people: Annotated[bool, typer.Option(help="Edit people marked test too.")] = False,
    varied: Annotated[
        bool, typer.Option(help="Draw how a class is shown, by codes or examples; else its own way at an intensity.")
    ] = False,
) -> None:
    """Make labelled training faces with a model into FOLDER, six classes. Called again, it goes on where it stopped.

    Example: `mien augment more_faces --data faces --model expr_gan --per-class 1000`
    """
    check_asked([data] if data else [], [model])

    from mien.data.sets import training_data
    from mien.models.io import load
    from mien.training.synthesis import synthesize

    net = load(model)
    people = training_data(sets_of([data], False), net.config.image_size, all_people) if data else None
    with bar("synthesising") as tell:
        synthesize(net, people, folder, per_class, seed=seed, tell=tell, varied=varied)
    out.print(f"{folder}: {per_class} pictures a class, labels in metadata.csv", markup=False)
