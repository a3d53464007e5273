"""Verbs that make faces: generate, synth, augment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.terminal import Device, Model, bar, out, sets_of
from mien.errors import InputError


def generate(
    folder: Path,
    model: Model = "expr_gan",
    count: int = 8,
    expression: Annotated[str | None, typer.Option(help="A class; without it each shows one drawn for it.")] = None,
    seed: int = 0,
    device: Device = "cpu",
) -> None:
    """Write pictures of people who do not exist to FOLDER.

    Example: `mien generate people --count 16 --expression happiness`
    """
    from mien.controls import Controls

    if expression:
        Controls(expression)  # is it a class?
    if count < 1:
        raise InputError(f"--count {count}: expected 1 or more")
    from mien.editing.editor import Editor

    tool = Editor(model, device)
    folder.mkdir(parents=True, exist_ok=True)
    for k, photo in enumerate(tool.generate(count, expression, seed)):
        tool.save(photo, folder / f"{k:04d}.png", f"generate: {expression or 'any expression'}", source=None)
    out.print(f"{folder}: {count} pictures", markup=False)


def synth(
    folder: Path,
    people: int = 100,
    per_person: int = 36,
    size: int = 128,
    seed: int = 0,
    jobs: int = 2,
    sessions: Annotated[int, typer.Option(help="Lights under which everybody is rendered.")] = 1,
    occluded: Annotated[float, typer.Option(help="Share of pictures with a hat, a mask or a hand, 0-1.")] = 0.0,
    plan: Annotated[
        str, typer.Option(help="photofaces, or photofaces_extra: gaze, lids, speech, turns.")
    ] = "photofaces",
) -> None:
    """Render people who do not exist, with exact labels, into FOLDER. Called again, it goes on where it stopped.

    Example: `mien synth faces --people 200 --jobs 4`
    """
    from mien.synth.generate import generate

    with bar("rendering") as tell:
        generate(folder, people, per_person, size, seed, jobs, sessions, occluded, plan, tell)
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
    varied: Annotated[
        bool, typer.Option(help="Draw how a class is shown, by codes or examples; else its own way at an intensity.")
    ] = False,
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
    with bar("synthesising") as tell:
        synthesize(net, people, folder, per_class, seed=seed, tell=tell, varied=varied)
    out.print(f"{folder}: {per_class} pictures a class, labels in metadata.csv", markup=False)
