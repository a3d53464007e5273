"""Verbs that change faces: transfer, edit, neutralize."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.about import DEFAULT
from mien.cli import clips, folders
from mien.cli.output import Delivery, example_of
from mien.cli.terminal import (
    Aligned,
    Crop,
    Every,
    Faces,
    Force,
    Intensity,
    KeepFormat,
    LikeNumber,
    MinIdentity,
    Model,
    Number,
    Only,
    OnRay,
    Output,
    Preview,
    Report,
    SaveExpression,
    Sign,
    Workers,
    out,
)
from mien.cli.values import Backend, Device, LandmarkerName
from mien.errors import InputError
from mien.labels import CLASSES, PRESETS, SPEECH

if TYPE_CHECKING:
    from mien.controls import Controls
    from mien.expressions import Expression


def transfer(
    faces: Faces,
    like: Annotated[Path, typer.Option(help="The picture or clip whose expression to take.")],
    output: Output = None,
    force: Force = False,
    swap: Annotated[Path | None, typer.Option(help="Write the other picture too, with FACE's expression.")] = None,
    model: Model = DEFAULT,
    number: Number = None,
    like_number: LikeNumber = None,
    intensity: Intensity = 1.0,
    only: Only = None,
    every: Every = False,
    preview: Preview = None,
    crop: Crop = False,
    report: Report = False,
    min_identity: MinIdentity = None,
    sign: Sign = None,
    save_expression: SaveExpression = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    keep_format: KeepFormat = False,
    ray: OnRay = False,
    ray_workers: Workers = None,
    device: Device = "auto",
    backend: Backend = "auto",
) -> None:
    """Give FACE the expression of another picture, or swap the two.

    Example: `mien transfer me.jpg --like grin.jpg -o grinning-me.png`

    Example: `mien transfer me.jpg --like grin.jpg --intensity 0.5 --only mouth -o amused-me.png`

    Example: `mien transfer holiday/ --like grin.jpg -o grinning/`
    """
    from mien.controls import Controls

    asked = Controls(like=like, intensity=intensity, only=tuple(only or ()))
    face = faces[0]
    one = Delivery(
        face, output, number, every, preview, crop, report, min_identity, sign, landmarker, model, like, swap,
        save_expression, force=force,
    )  # fmt: skip
    how = clips.Tool(model, aligned, device, number, like_number, landmarker, keep_format, backend)
    if ray or folders.are_several(faces, output):
        return folders.change(faces, one, asked, how, transfers=True, ray=ray, workers=ray_workers)
    if clips.any_clip(face, like, output):
        if swap:
            raise InputError(f"--swap {swap}: swaps pictures, not clips; transfer twice")
        return clips.change(one, asked, how, transfers=True)
    clips.check_none(keep_format)
    if swap and every:
        raise InputError(f"--swap {swap}: takes one face; leave out --all")
    other = replace(one, face=like, output=swap, number=like_number, preview=None, like=face, swap=None, saved=None)
    if not one.begin() or (swap and not other.begin()):
        return
    from mien.editing.editor import Editor

    tool = Editor(model, device, aligned, crop, landmarker, backend=backend)
    tool.require(asked, transfers=True)
    cuts, examples = one.faces(tool), [example_of(tool, like, like_number)]
    expression = one.expression(tool, replace(asked, like=examples))
    photo = tool.ask(cuts, replace(asked, like=examples), transfers=True)
    figures = one.accept(tool, cuts, photo, asked)
    if swap:
        back = tool.ask(examples, replace(asked, like=cuts), transfers=True)
        other.write(tool, back, other.accept(tool, examples, back, asked), asked, transfers=True)
    one.write(tool, photo, figures, asked, transfers=True)
    one.save(expression)


def edit(
    faces: Faces,
    output: Output = None,
    force: Force = False,
    expression: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORD",
            help=f"{', '.join(CLASSES)}; {', '.join(PRESETS)}; or a saved one, FILE.json. Again for several: the later "
            "count where they name the same action units.",
        ),
    ] = None,
    say: Annotated[
        str | None, typer.Option(metavar="SOUND", help=f"Shape the mouth as for {', '.join(SPEECH)}.")
    ] = None,
    intensity: Intensity = 1.0,
    only: Only = None,
    au: Annotated[
        list[str] | None, typer.Option(help="An action unit and its intensity 0-5, as 12=3 or 12L=3.")
    ] = None,
    blendshape: Annotated[list[str] | None, typer.Option(help="An ARKit blendshape, as mouthSmileLeft=0.6.")] = None,
    gaze: Annotated[tuple[float, float] | None, typer.Option(help="Turn the eyes: degrees right, up.")] = None,
    turn: Annotated[
        tuple[float, float] | None, typer.Option(help="Turn the head: degrees right (15 at most), down (9 at most).")
    ] = None,
    roll: Annotated[float | None, typer.Option(help="Tilt the head: degrees clockwise, 10 at most.")] = None,
    like: Annotated[Path | None, typer.Option(help="A picture or clip whose expression to take.")] = None,
    model: Model = DEFAULT,
    number: Number = None,
    like_number: LikeNumber = None,
    every: Every = False,
    preview: Preview = None,
    crop: Crop = False,
    report: Report = False,
    min_identity: MinIdentity = None,
    sign: Sign = None,
    save_expression: SaveExpression = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    keep_format: KeepFormat = False,
    ray: OnRay = False,
    ray_workers: Workers = None,
    device: Device = "auto",
    backend: Backend = "auto",
) -> None:
    """Change FACE's expression, gaze and head: to a class, to action units, or towards another picture.

    Several files and folders go into a folder, `-o DIR`. A file that cannot be used is told of and left out; the same
    command goes on where it was killed.

    Units that are named count beside an expression; what nobody names stays as the face has it.

    Example: `mien edit me.jpg --expression happiness --intensity 0.7 -o happier.png`

    Example: `mien edit me.jpg --expression happiness --only mouth --au 43L=5 --roll -6 -o cheeky.png`

    Example: `mien edit holiday/ party/ --all --expression happiness -o happier/`
    """

    def asked() -> Controls:
        units = units_named(au, blendshape)
        return controls_of(expression, say, intensity, units, like, gaze, turn, roll, only)

    one = Delivery(
        faces[0], output, number, every, preview, crop, report, min_identity, sign, landmarker, model, like,
        saved=save_expression, expressions=tuple(expression or ()), force=force,
    )  # fmt: skip
    how = clips.Tool(model, aligned, device, number, like_number, landmarker, keep_format, backend)
    if ray or folders.are_several(faces, output):
        return folders.change(faces, one, asked(), how, ray=ray, workers=ray_workers)
    if clips.any_clip(faces[0], like, output):
        return clips.change(one, asked(), how)
    clips.check_none(keep_format)
    if one.begin():
        change(one, asked(), like_number, device, aligned, backend)


def neutralize(
    faces: Faces,
    output: Output = None,
    force: Force = False,
    model: Model = DEFAULT,
    number: Number = None,
    every: Every = False,
    preview: Preview = None,
    crop: Crop = False,
    report: Report = False,
    min_identity: MinIdentity = None,
    sign: Sign = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    keep_format: KeepFormat = False,
    ray: OnRay = False,
    ray_workers: Workers = None,
    device: Device = "auto",
    backend: Backend = "auto",
) -> None:
    """Take the expression off FACE.

    Example: `mien neutralize grin.jpg -o calm.png`
    """
    from mien.controls import Controls

    asked = Controls("neutral")
    one = Delivery(
        faces[0], output, number, every, preview, crop, report, min_identity, sign, landmarker, model, force=force
    )
    how = clips.Tool(model, aligned, device, number, None, landmarker, keep_format, backend)
    if ray or folders.are_several(faces, output):
        return folders.change(faces, one, asked, how, ray=ray, workers=ray_workers)
    if clips.any_clip(faces[0], output):
        return clips.change(one, asked, how)
    clips.check_none(keep_format)
    if not one.begin():
        return
    change(one, asked, None, device, aligned, backend)


def change(
    one: Delivery, asked: Controls, like_number: int | None, device: str, aligned: bool, backend: str = "auto"
) -> None:
    """Change a photograph as asked, whose example is a file, write what is wanted, and say what was achieved."""
    from mien.editing.achieved import in_words
    from mien.editing.editor import Editor

    tool = Editor(one.model, device, aligned, one.crop, one.landmarker, backend=backend)
    tool.require(asked)
    faces = one.faces(tool)
    like = None if asked.like is None else example_of(tool, asked.like, like_number)
    expression = one.expression(tool, asked if like is None else replace(asked, like=like))
    photo = one.change(tool, faces, asked, like)
    one.save(expression)
    if len(faces) == 1 and not one.crop:
        for line in in_words(tool.achieved(faces[0], photo, asked), neutral=asked.word == "neutral"):
            out.print(line, markup=False, soft_wrap=True)


def controls_of(
    expression: list[str] | None,
    say: str | None,
    intensity: float,
    units: dict[int | str, float],
    like: Path | None,
    gaze: tuple[float, float] | None,
    turn: tuple[float, float] | None,
    roll: float | None,
    only: list[str] | None,
) -> Controls:
    """Return what the options of edit ask for. Raises InputError, in the options' own words, for what does not fit."""
    from mien.controls import Controls
    from mien.expressions import find_expression

    if say is not None and say not in SPEECH:
        raise InputError(f"--say {say}: choose from {', '.join(SPEECH)}")
    words: list[str | Expression] = [find_expression(text) for text in expression or ()]
    if say and like:  # beside an example it counts as the units that it is
        units = PRESETS[f"say-{say}"] | units
    elif say:
        words.append(f"say-{say}")
    nothing = not (words or units or like) and gaze is None and turn is None and roll is None
    if nothing or (words and like):
        many = "" if nothing else "--expression and --like: choose one; "
        raise InputError(
            f"{many}an edit takes one of --expression or --like, and beside it or alone --say, --au, --blendshape, "
            "--gaze, --turn and --roll"
        )
    return Controls(tuple(words) or None, intensity, units or None, like, gaze, turn, roll, tuple(only or ()))


def units_named(au: list[str] | None, blendshape: list[str] | None) -> dict[int | str, float]:
    """Return the action units that --blendshape and --au name. Raises InputError where two name the same."""
    from mien.labels import sides, units_of

    shapes = {f"--blendshape {text}": parse_pair("--blendshape", text) for text in blendshape or ()}
    units = {f"--au {text}": parse_pair("--au", text) for text in au or ()}
    places = {option: sides(next(iter(units_of(dict([pair]))))) for option, pair in shapes.items()}
    places |= {option: sides(name) for option, (name, _) in units.items()}
    for (one, (number, where)), (other, (also, there)) in combinations(places.items(), 2):
        finer = one in units and other in units and len(there) < len(where)  # 12=3 and then 12L=5: that side counts
        if number == also and set(where) & set(there) and not finer:
            raise InputError(f"{one} and {other}: ask for the same action unit, {number}; give one of them")
    return units_of(dict(shapes.values())) | dict(units.values())  # what a jaw parts may be named besides


def parse_pair(option: str, text: str) -> tuple[str, float]:
    """Return the name and the number of "12=3"."""
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError as error:
        example = {"--au": "12=3", "--blendshape": "mouthSmileLeft=0.6"}[option]
        raise InputError(f"{option} {text}: expected a name and its intensity, as {example}") from error
