"""Verbs on pictures: transfer, edit, neutralize, aus, invent, embed."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import mien
from mien.about import DEFAULT
from mien.cli import video
from mien.cli.delivery import Asked, Delivery, beside
from mien.cli.terminal import (
    Aligned,
    Crop,
    Device,
    Every,
    LandmarkerName,
    LikeNumber,
    MinIdentity,
    Model,
    Number,
    Output,
    Preview,
    Receipt,
    Sign,
    bar,
    errors,
    out,
)
from mien.errors import InputError

if TYPE_CHECKING:
    from mien.editor import Editor, Seen
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
    receipt: Receipt = False,
    min_identity: MinIdentity = None,
    sign: Sign = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    device: Device = "cpu",
) -> None:
    """Give FACE the expression of another picture, or swap the two.

    Example: `mien transfer me.jpg --like grin.jpg -o grinning-me.png`
    """
    operation = f"transfer from {like.name}"
    one = Delivery(face, output, number, every, preview, crop, receipt, min_identity, sign, landmarker)
    if video.asked(face, like, output):
        if swap:
            raise InputError(f"--swap {swap}: swaps pictures, not clips; transfer twice")
        how = video.Tool(model, aligned, device, number, like_number, landmarker)
        return video.change(one, Asked(), like, operation, how, transfers=True)
    if swap and every:
        raise InputError(f"--swap {swap}: takes one face; leave out --all")
    if swap and output and (swap == output or (receipt and beside(swap) == beside(output))):
        raise InputError(f"--swap {swap}: it or its receipt would take the output's place; give it another name")
    other = replace(one, face=like, output=swap, number=like_number, preview=None) if swap else None
    if not one.begin() or (other and not other.begin()):
        return
    tool = mien.Editor(model, device, aligned, crop, landmarker)
    faces, examples = tool.faces(face, one.which), [tool.see(like, like_number)]
    photo = tool.transfer(faces, examples)
    figures = one.accept(tool, faces, photo)
    if other:
        back = tool.transfer(examples, faces)
        other.write(tool, back, other.accept(tool, examples, back), f"transfer from {face.name}", {"like": face.name})
    one.write(tool, photo, figures, operation, {"like": like.name})


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
    receipt: Receipt = False,
    min_identity: MinIdentity = None,
    sign: Sign = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    device: Device = "cpu",
) -> None:
    """Change FACE's expression: to a class, to action units, or towards another picture.

    Example: `mien edit me.jpg --expression happiness --intensity 0.7 -o happier.png`
    """
    from mien.labels import units_of

    aus = units_of(dict(parse_pair("--blendshape", text) for text in blendshape or ()))
    aus |= dict(parse_pair("--au", text) for text in au or ())  # what is named as a unit counts
    wish = Asked(expression, intensity, aus or None, gaze)
    operation = f"edit: {in_words(expression, like, [*(au or ()), *(blendshape or ())], gaze)} {intensity:.2f}"
    one = Delivery(face, output, number, every, preview, crop, receipt, min_identity, sign, landmarker)
    if video.asked(face, like, output):
        how = video.Tool(model, aligned, device, number, like_number, landmarker)
        return video.change(one, wish, like, operation, how)
    if not one.begin():
        return
    tool = mien.Editor(model, device, aligned, crop, landmarker)
    faces = tool.faces(face, one.which)
    photo = tool.edit(faces, expression, intensity, aus or None, like, like_number=like_number, gaze=gaze)
    asked = asdict(wish) | {"like": like.name if like else None}
    one.write(tool, photo, one.accept(tool, faces, photo), operation, asked)
    if len(faces) == 1 and not crop:
        tell_reached(tool, faces[0], photo, wish)


def neutralize(
    face: Path,
    output: Output = None,
    model: Model = DEFAULT,
    number: Number = None,
    every: Every = False,
    preview: Preview = None,
    crop: Crop = False,
    receipt: Receipt = False,
    min_identity: MinIdentity = None,
    sign: Sign = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    device: Device = "cpu",
) -> None:
    """Take the expression off FACE.

    Example: `mien neutralize grin.jpg -o calm.png`
    """
    one = Delivery(face, output, number, every, preview, crop, receipt, min_identity, sign, landmarker)
    if video.asked(face, output):
        how = video.Tool(model, aligned, device, number, landmarker=landmarker)
        return video.change(one, Asked("neutral"), None, "neutralize", how)
    if not one.begin():
        return
    tool = mien.Editor(model, device, aligned, crop, landmarker)
    faces = tool.faces(face, one.which)
    photo = tool.neutralize(faces)
    one.write(tool, photo, one.accept(tool, faces, photo), "neutralize", {"expression": "neutral"})


def aus(
    paths: list[Path],
    model: Model = DEFAULT,
    number: Number = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    device: Device = "cpu",
) -> None:
    """Measure action units, 0-5, in pictures or folders of pictures.

    Example: `mien aus holiday/ --csv > aus.csv`
    """
    from mien.models.contract import EstimatesAus
    from mien.models.registry import able

    tool = mien.Editor(model, device, aligned, landmarker=landmarker)
    able(tool.model, EstimatesAus)  # once, not for every picture
    rows, failed = each_picture(paths, lambda path: tool.estimate_aus(path, number))
    if as_json:
        print(json.dumps([{"file": str(path)} | {f"AU{k:02d}": v for k, v in found.items()} for path, found in rows]))
    elif as_csv and rows:
        writer = csv.writer(sys.stdout)
        writer.writerow(["file", *(f"AU{k:02d}" for k in rows[0][1])])
        writer.writerows([path, *(f"{v:.3f}" for v in found.values())] for path, found in rows)
    else:
        for path, found in rows:
            strong = sorted(((v, k) for k, v in found.items() if v >= 0.5), reverse=True)
            out.print(f"{path}: " + (", ".join(f"AU{k} {v:.1f}" for v, k in strong) or "none"), markup=False)
    if failed:
        raise typer.Exit(2)


def invent(
    folder: Path,
    model: Model = "expr_gan",
    count: int = 8,
    expression: Annotated[str | None, typer.Option(help="A class; without it each shows one drawn for it.")] = None,
    seed: int = 0,
    device: Device = "cpu",
) -> None:
    """Write pictures of people who do not exist to FOLDER.

    Example: `mien invent people --count 16 --expression happiness`
    """
    from mien.controls import Controls

    if expression:
        Controls(expression)  # is it a class?
    if count < 1:
        raise InputError(f"--count {count}: expected 1 or more")
    tool = mien.Editor(model, device)
    folder.mkdir(parents=True, exist_ok=True)
    for k, photo in enumerate(tool.invent(count, expression, seed)):
        tool.save(photo, folder / f"{k:04d}.png", f"invent: {expression or 'any expression'}", source=None)
    out.print(f"{folder}: {count} pictures", markup=False)


def embed(
    paths: list[Path],
    output: Annotated[Path, typer.Option("-o", "--output", help="The .npz file to write.")],
    model: Model = DEFAULT,
    number: Number = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    device: Device = "cpu",
) -> None:
    """Write the expression and identity codes of pictures or folders of pictures.

    Example: `mien embed holiday/ -o codes.npz`
    """
    import numpy as np

    from mien.files import check_place, write_whole
    from mien.models.contract import Embeds
    from mien.models.registry import able

    if output.suffix != ".npz":
        raise InputError(f"{output}: expected a file name ending in .npz")
    check_place(output)
    tool = mien.Editor(model, device, aligned, landmarker=landmarker)
    able(tool.model, Embeds)  # once, not for every picture
    rows, failed = each_picture(paths, lambda path: tool.embed(path, number))
    if not rows:
        raise InputError(f"no face was embedded; {output} was not written")
    expression, identity = (np.stack([codes[name] for _, codes in rows]) for name in ("expression", "identity"))
    data = io.BytesIO()
    np.savez(data, path=np.array([str(path) for path, _ in rows]), expression=expression, identity=identity)
    write_whole(output, data.getvalue())
    out.print(f"{len(rows)} faces in {output}", markup=False)
    if failed:
        raise typer.Exit(2)


def in_words(expression: str | None, like: Path | None, units: list[str], gaze: tuple[float, float] | None) -> str:
    """Return what an edit asks for, as a picture's note tells it."""
    wanted = expression or (f"like {like.name}" if like else ", ".join(units))
    return wanted + (f" gaze {gaze[0]:g} {gaze[1]:g}" if gaze else "")


def tell_reached(tool: Editor, seen: Seen, made: Photo, wish: Asked) -> None:
    """Print what was asked of action units and what a model that moves pixels reads of them in its result."""
    from mien.models.contract import Warps

    if not isinstance(tool.model, Warps):
        return
    told = tool.reached(seen, made, wish.expression, wish.intensity, wish.aus)
    if told:
        text = ", ".join(f"AU{k} {asked:.1f} → {reached:.1f}" for k, (asked, reached) in told.items())
        out.print(f"asked → reached: {text}", markup=False, soft_wrap=True)


def parse_pair(option: str, text: str) -> tuple[str, float]:
    """Return the name and the number of "12=3"."""
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError as error:
        example = {"--au": "12=3", "--blendshape": "mouthSmileLeft=0.6"}[option]
        raise InputError(f"{option} {text}: expected a name and its intensity, as {example}") from error


def each_picture(paths: list[Path], work: Callable[[Path], Any]) -> tuple[list[tuple[Path, Any]], int]:
    """Return what `work` makes of every picture and of every picture in folders; what fails is told and counted."""
    from mien.recognize import pictures

    files = pictures(paths)
    rows, failed = [], 0
    with bar("looking") as progress:
        for k, path in enumerate(files):
            try:
                rows.append((path, work(path)))
            except InputError as error:
                failed += 1
                errors.print(f"mien: {error}", markup=False)
            progress(k + 1, len(files))
    return rows, failed
