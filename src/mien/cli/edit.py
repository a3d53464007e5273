"""Verbs that change faces: transfer, edit, neutralize."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.about import DEFAULT
from mien.cli import clips
from mien.cli.output import Delivery
from mien.cli.terminal import (
    Aligned,
    Crop,
    Every,
    KeepFormat,
    LandmarkerName,
    LikeNumber,
    MinIdentity,
    Model,
    Number,
    Output,
    Preview,
    Report,
    Sign,
    out,
)
from mien.cli.values import Device
from mien.errors import InputError

if TYPE_CHECKING:
    from mien.controls import Controls
    from mien.editing.editor import Editor
    from mien.faces.crop import FaceCrop
    from mien.media.photo import Photo


def transfer(
    face: Path,
    like: Annotated[Path, typer.Option(help="The picture or clip whose expression to take.")],
    output: Output = None,
    swap: Annotated[Path | None, typer.Option(help="Write the other picture too, with FACE's expression.")] = None,
    model: Model = DEFAULT,
    number: Number = None,
    like_number: LikeNumber = None,
    every: Every = False,
    preview: Preview = None,
    crop: Crop = False,
    report: Report = False,
    min_identity: MinIdentity = None,
    sign: Sign = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    keep_format: KeepFormat = False,
    device: Device = "cpu",
) -> None:
    """Give FACE the expression of another picture, or swap the two.

    Example: `mien transfer me.jpg --like grin.jpg -o grinning-me.png`
    """
    from mien.controls import Controls

    asked = Controls(like=like)
    one = Delivery(
        face, output, number, every, preview, crop, report, min_identity, sign, landmarker, model, like, swap
    )
    if clips.any_clip(face, like, output):
        if swap:
            raise InputError(f"--swap {swap}: swaps pictures, not clips; transfer twice")
        how = clips.Tool(model, aligned, device, number, like_number, landmarker, keep_format)
        return clips.change(one, asked, how, transfers=True)
    clips.check_none(keep_format)
    if swap and every:
        raise InputError(f"--swap {swap}: takes one face; leave out --all")
    other = replace(one, face=like, output=swap, number=like_number, preview=None, like=face, swap=None)
    if not one.begin() or (swap and not other.begin()):
        return
    from mien.editing.editor import Editor

    tool = Editor(model, device, aligned, crop, landmarker)
    faces, examples = one.faces(tool), [tool.crop(like, like_number)]
    photo = tool.transfer(faces, examples)
    figures = one.accept(tool, faces, photo)
    if swap:
        back = tool.transfer(examples, faces)
        figures_back = other.accept(tool, examples, back)
        other.write(tool, back, figures_back, asked.operation(face.name, transfers=True), {"like": face.name})
    one.write(tool, photo, figures, asked.operation(like.name, transfers=True), {"like": like.name})


def edit(
    face: Path,
    output: Output = None,
    expression: Annotated[str | None, typer.Option(help="neutral, happiness, sadness, surprise, fear, …")] = None,
    intensity: Annotated[float, typer.Option(help="0 (neutral) to 1 (full).")] = 1.0,
    au: Annotated[
        list[str] | None, typer.Option(help="An action unit and its intensity 0-5, as 12=3 or 12L=3.")
    ] = None,
    blendshape: Annotated[list[str] | None, typer.Option(help="An ARKit blendshape, as mouthSmileLeft=0.6.")] = None,
    gaze: Annotated[tuple[float, float] | None, typer.Option(help="Turn the eyes: degrees right, up.")] = None,
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
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    keep_format: KeepFormat = False,
    device: Device = "cpu",
) -> None:
    """Change FACE's expression: to a class, to action units, or towards another picture.

    Example: `mien edit me.jpg --expression happiness --intensity 0.7 -o happier.png`
    """
    from mien.controls import Controls
    from mien.labels import units_of

    aus = units_of(dict(parse_pair("--blendshape", text) for text in blendshape or ()))
    aus |= dict(parse_pair("--au", text) for text in au or ())  # what is named as a unit counts
    one = Delivery(face, output, number, every, preview, crop, report, min_identity, sign, landmarker, model, like)
    if clips.any_clip(face, like, output):
        how = clips.Tool(model, aligned, device, number, like_number, landmarker, keep_format)
        check_asked(expression, au, blendshape, like, gaze)
        return clips.change(one, Controls(expression, intensity, aus or None, like, gaze), how)
    clips.check_none(keep_format)
    if not one.begin():
        return
    check_asked(expression, au, blendshape, like, gaze)
    asked = Controls(expression, intensity, aus or None, like, gaze)
    from mien.editing.editor import Editor

    tool = Editor(model, device, aligned, crop, landmarker)
    faces = one.faces(tool)
    photo = tool.edit(faces, expression, intensity, aus or None, like, like_number=like_number, gaze=gaze)
    name = like.name if like else ""
    note = {"expression": expression, "intensity": intensity, "aus": asked.aus, "gaze": gaze, "like": name or None}
    one.write(tool, photo, one.accept(tool, faces, photo), asked.operation(name), note)
    if len(faces) == 1 and not crop:
        print_achieved(tool, faces[0], photo, asked)


def neutralize(
    face: Path,
    output: Output = None,
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
    device: Device = "cpu",
) -> None:
    """Take the expression off FACE.

    Example: `mien neutralize grin.jpg -o calm.png`
    """
    from mien.controls import Controls

    asked = Controls("neutral")
    one = Delivery(face, output, number, every, preview, crop, report, min_identity, sign, landmarker, model)
    if clips.any_clip(face, output):
        how = clips.Tool(model, aligned, device, number, None, landmarker, keep_format)
        return clips.change(one, asked, how)
    clips.check_none(keep_format)
    if not one.begin():
        return
    from mien.editing.editor import Editor

    tool = Editor(model, device, aligned, crop, landmarker)
    faces = one.faces(tool)
    photo = tool.neutralize(faces)
    one.write(tool, photo, one.accept(tool, faces, photo), asked.operation(), {"expression": "neutral"})


def check_asked(expression: object, au: object, blendshape: object, like: object, gaze: object) -> None:
    """Raise InputError, in the options' own words, where they do not ask for one thing."""
    given = ["--expression"] * (expression is not None) + ["--like"] * (like is not None)
    given += ["--au"] * bool(au) or ["--blendshape"] * bool(blendshape)  # units and blendshapes go together
    if len(given) != 1 and (given or gaze is None):
        many = f"{' and '.join(given)}: choose one; " if given else ""
        raise InputError(f"{many}an edit takes one of --expression, --au, --blendshape or --like, or --gaze alone")


def print_achieved(tool: Editor, face: FaceCrop, made: Photo, asked: Controls) -> None:
    """Print which action units were asked for and which a model that moves pixels reads in its result."""
    if "warp" not in tool.engine.abilities:
        return
    units = tool.achieved(face, made, asked.expression, asked.intensity, asked.aus)
    if units:
        text = ", ".join(f"AU{k} {wanted:.1f} → {found:.1f}" for k, (wanted, found) in units.items())
        out.print(f"asked → reached: {text}", markup=False, soft_wrap=True)


def parse_pair(option: str, text: str) -> tuple[str, float]:
    """Return the name and the number of "12=3"."""
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError as error:
        example = {"--au": "12=3", "--blendshape": "mouthSmileLeft=0.6"}[option]
        raise InputError(f"{option} {text}: expected a name and its intensity, as {example}") from error
