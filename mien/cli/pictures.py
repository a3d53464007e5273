"""Verbs on pictures: transfer, edit, neutralize, recognize, embed."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

import mien
from mien.cli import video
from mien.cli.terminal import Aligned, Device, LikeNumber, Model, Number, Output, bar, errors, out
from mien.errors import InputError

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


def transfer(
    face: Path,
    like: Annotated[Path, typer.Option(help="The picture or clip whose expression to take.")],
    output: Output,
    swap: Annotated[Path | None, typer.Option(help="Write the other picture too, with FACE's expression.")] = None,
    model: Model = "ter_gan",
    number: Number = None,
    like_number: LikeNumber = None,
    aligned: Aligned = False,
    device: Device = "cpu",
) -> None:
    """Give FACE the expression of another picture, or swap the two.

    Example: `mien transfer me.jpg --like grin.jpg -o grinning-me.png`
    """
    if video.asked(face, like, output):
        if swap:
            raise InputError(f"--swap {swap}: swaps pictures, not clips; transfer twice")
        tool = video.Tool(model, aligned, device, number, like_number)
        return video.change(face, video.Asked(), like, output, f"transfer from {like.name}", tool, transfers=True)
    tool = prepared(model, aligned, device, output)
    if swap:
        from mien.faces.photo import check_target

        check_target(swap)
        if swap == output:
            raise InputError(f"--swap {swap}: is the output too; give it another name")
        tool.save(tool.transfer(like, face, like_number, number), swap, f"transfer from {face.name}", like.name)
    tool.save(tool.transfer(face, like, number, like_number), output, f"transfer from {like.name}", face.name)


def edit(
    face: Path,
    output: Output,
    expression: Annotated[str | None, typer.Option(help="neutral, happiness, sadness, surprise, fear, …")] = None,
    intensity: Annotated[float, typer.Option(help="0 (neutral) to 1 (full).")] = 1.0,
    au: Annotated[
        list[str] | None, typer.Option(help="An action unit and its intensity 0-5, as 12=3 or 12L=3.")
    ] = None,
    blendshape: Annotated[list[str] | None, typer.Option(help="An ARKit blendshape, as mouthSmileLeft=0.6.")] = None,
    gaze: Annotated[tuple[float, float] | None, typer.Option(help="Degrees to the picture's right, and up.")] = None,
    like: Annotated[Path | None, typer.Option(help="A picture or clip whose expression to take.")] = None,
    model: Model = "ter_gan",
    number: Number = None,
    like_number: LikeNumber = None,
    aligned: Aligned = False,
    device: Device = "cpu",
) -> None:
    """Change FACE's expression: to a class, to action units, or towards another picture.

    Example: `mien edit me.jpg --expression happiness --intensity 0.7 -o happier.png`
    """
    from mien.labels import units_of
    from mien.models import Moves

    aus: dict[int | str, float] = dict(parse_pair("--au", text) for text in au or ())
    aus |= units_of(dict(parse_pair("--blendshape", text) for text in blendshape or ()))
    wanted = expression or (f"like {like.name}" if like else ", ".join([*(au or ()), *(blendshape or ())]))
    wanted += f" gaze {gaze[0]:g} {gaze[1]:g}" if gaze else ""
    if video.asked(face, like, output):
        tool = video.Tool(model, aligned, device, number, like_number)
        asked = video.Asked(expression, intensity, aus or None, gaze)
        return video.change(face, asked, like, output, f"edit: {wanted} {intensity:.2f}", tool)
    tool = prepared(model, aligned, device, output)
    photo = tool.edit(face, expression, intensity, aus or None, like, number, like_number, gaze)
    tool.save(photo, output, f"edit: {wanted} {intensity:.2f}", face.name)
    if isinstance(tool.model, Moves) and (expression or aus):
        told = tool.reached(photo, expression, intensity, aus, number)
        out.print(
            "asked and reached: " + ", ".join(f"AU{k} {a:.1f} {b:.1f}" for k, (a, b) in told.items()), markup=False
        )


def neutralize(
    face: Path,
    output: Output,
    model: Model = "ter_gan",
    number: Number = None,
    aligned: Aligned = False,
    device: Device = "cpu",
) -> None:
    """Take the expression off FACE.

    Example: `mien neutralize grin.jpg -o calm.png`
    """
    if video.asked(face, None, output):
        tool = video.Tool(model, aligned, device, number)
        return video.change(face, video.Asked("neutral"), None, output, "neutralize", tool)
    tool = prepared(model, aligned, device, output)
    tool.save(tool.neutralize(face, number), output, "neutralize", face.name)


def recognize(
    paths: list[Path],
    model: Model = "ter_gan",
    number: Number = None,
    aligned: Aligned = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    device: Device = "cpu",
) -> None:
    """Name the expression in pictures or folders of pictures, or in every frame of clips.

    Example: `mien recognize holiday/ --csv > expressions.csv`
    """
    from mien.models import Recognizes, able

    if video.asked(*paths):
        form = "json" if as_json else "csv" if as_csv else "text"
        return video.recognize(paths, form, video.Tool(model, aligned, device, number))
    tool = editor(model, aligned, device)
    able(tool.model, Recognizes)  # once, not for every picture
    rows, failed = each_picture(paths, lambda path: tool.recognize(path, number))
    if as_json:
        print(json.dumps([{"file": str(path)} | found for path, found in rows], indent=2))
    elif as_csv and rows:
        words = sorted(rows[0][1])
        writer = csv.writer(sys.stdout)
        writer.writerow(["file", "expression", *words])
        writer.writerows([path, next(iter(found)), *(f"{found[w]:.4f}" for w in words)] for path, found in rows)
    else:
        for path, found in rows:
            out.print(f"{path}: " + ", ".join(f"{word} {p:.2f}" for word, p in list(found.items())[:3]), markup=False)
    if failed:
        raise typer.Exit(2)


def aus(
    paths: list[Path],
    model: Model = "judge",
    number: Number = None,
    aligned: Aligned = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    device: Device = "cpu",
) -> None:
    """Measure action units, 0-5, in pictures or folders of pictures.

    Example: `mien aus holiday/ --csv > aus.csv`
    """
    from mien.models import EstimatesAus, able

    tool = editor(model, aligned, device)
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
    if expression:
        known_word(expression)
    if count < 1:
        raise InputError(f"--count {count}: expected 1 or more")
    tool = editor(model, False, device)
    folder.mkdir(parents=True, exist_ok=True)
    for k, photo in enumerate(tool.invent(count, expression, seed)):
        tool.save(photo, folder / f"{k:04d}.png", f"invent: {expression or 'any expression'}", source=None)
    out.print(f"{folder}: {count} pictures", markup=False)


def embed(
    paths: list[Path],
    output: Annotated[Path, typer.Option("-o", "--output", help="The .npz file to write.")],
    model: Model = "ter_gan",
    number: Number = None,
    aligned: Aligned = False,
    device: Device = "cpu",
) -> None:
    """Write the expression and identity codes of pictures or folders of pictures.

    Example: `mien embed holiday/ -o codes.npz`
    """
    import numpy as np

    from mien.models import Embeds, able

    if output.suffix != ".npz":
        raise InputError(f"{output}: expected a file name ending in .npz")
    tool = editor(model, aligned, device)
    able(tool.model, Embeds)  # once, not for every picture
    rows, failed = each_picture(paths, lambda path: tool.embed(path, number))
    if not rows:
        raise InputError(f"no face was embedded; {output} was not written")
    beside = output.with_name(f".{output.name}.part.npz")
    try:
        np.savez(
            beside,
            path=np.array([str(p) for p, _ in rows]),
            expression=np.stack([c["expression"] for _, c in rows]),
            identity=np.stack([c["identity"] for _, c in rows]),
        )
        beside.replace(output)
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}); nothing was changed") from error
    finally:
        beside.unlink(missing_ok=True)
    out.print(f"{len(rows)} faces in {output}", markup=False)
    if failed:
        raise typer.Exit(2)


def editor(model: str, aligned: bool, device: str) -> Any:
    """Return an Editor, with whatever it needs imported only now."""
    return mien.Editor(model, device, aligned)


def prepared(model: str, aligned: bool, device: str, output: Path) -> Any:
    """Return an Editor, once the output is known to be writable."""
    from mien.faces.photo import check_target

    check_target(output)
    return editor(model, aligned, device)


def known_word(expression: str) -> None:
    """Raise InputError for a word that is no class."""
    from mien.models import Controls

    Controls(expression)


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
    files: list[Path] = []
    for path in paths:
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in PICTURES) if path.is_dir() else [path]
        if not found:
            raise InputError(f"{path}: the folder holds no picture ({', '.join(sorted(PICTURES))})")
        files += found
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
