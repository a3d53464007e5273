"""The verb that makes a clip of a photograph, and what those on pictures do where one of the files is a clip."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.about import DEFAULT
from mien.cli.early import check_files
from mien.cli.output import GIVEN, Delivery, check_outputs, example_of, say_left_out
from mien.cli.terminal import Aligned, Force, Model, Number, bar, out
from mien.cli.values import Backend, Device, LandmarkerName, Seed, finite
from mien.errors import InputError

if TYPE_CHECKING:
    from mien.controls import Controls
    from mien.editing.clip import ClipReport
    from mien.editing.editor import Editor
    from mien.editing.timeline import Timeline
    from mien.faces.crop import FaceCrop
    from mien.progress import Tell

LONGEST = 3600.0  # seconds of a clip that is made of a photograph


@dataclass(frozen=True)
class Tool:
    """Which model does the work, and on which faces."""

    model: str
    aligned: bool
    device: str
    number: int | None = None  # of the face
    like_number: int | None = None
    landmarker: str = "net"
    keep_format: bool = False
    backend: str = "auto"

    def editor(self) -> Any:
        """Return the Editor, once it is sure that clips can be read."""
        from mien.media.video.ffmpeg import ffmpeg

        ffmpeg()
        from mien.editing.editor import Editor

        return Editor(self.model, self.device, self.aligned, landmarker=self.landmarker, backend=self.backend)


def any_clip(*paths: Path | None) -> bool:
    """Return whether any of the files is a clip by its name, so that all are taken as clips that can be."""
    from mien.media.video.ffmpeg import is_clip

    return any(path is not None and is_clip(path) for path in paths)


def check_none(keep_format: bool) -> None:
    """Raise InputError for what there is for clips alone."""
    if keep_format:
        raise InputError("--keep-format: is for clips; a photograph is written in the format that its name says")


def change(one: Delivery, asked: Controls, tool: Tool, transfers: bool = False) -> None:
    """Change a face as asked, where it or the example (a file) is a clip; print how steady the result is."""
    from mien.media.video.reader import is_moving
    from mien.media.video.writer import check_clip_target

    output, like = one.clip(), asked.like
    moving = like is not None and is_moving(like)
    if not moving and not is_moving(one.face):
        raise InputError(f"{output}: a photograph stays one; name the output .png, .jpg or .webp")
    check_clip_target(output)
    editor = tool.editor()
    editor.require(asked, transfers)  # before the first frame
    if moving:
        check_saved(one, asked)
    still = example_of(editor, like, tool.like_number) if like and not moving else None
    expression = one.expression(editor, asked, tool.like_number)
    with bar(one.face.name) as tell:
        report = change_one(one, asked, tool, editor, still, transfers, tell)
    out.print(f"{output}: {report}", markup=False, soft_wrap=True)
    one.save(expression)


def check_saved(one: Delivery, asked: Controls) -> None:
    """Raise InputError where the expression to be saved is that of a clip."""
    if one.saved:
        moves = f"is of one face, and {asked.like} moves"
        raise InputError(f"--save-expression {one.saved}: {moves}; give a picture as --like")


def change_one(
    one: Delivery, asked: Controls, tool: Tool, editor: Editor, like: FaceCrop | None, transfers: bool, tell: Tell
) -> ClipReport:
    """Write one clip, with a model that is open; `like` is the example where it is a picture."""
    from mien.editing.clip import change_clip

    output = one.clip()
    drives = asked.like if like is None else None

    def ask(crop: Any) -> Controls:
        return replace(asked, like=crop if like is None else like.crop)

    operation = asked.operation(asked.like.name if asked.like else "", transfers)
    numbers, keep = (tool.number, tool.like_number), tool.keep_format
    return change_clip(editor, one.face, output, ask, operation, drives, *numbers, transfers, tell, keep_format=keep)


def animate(
    face: Path,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The clip to write: .mp4, .mkv, .gif, .webp or .png (APNG).")
    ] = None,
    force: Force = False,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", help="What it begins with: happiness@0.8, action units as 12=3,25=2, or photo, as it is."
        ),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="What it ends with, asked for in the same way.")] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.04, max=LONGEST, callback=finite, help="How long that takes; 2 by default.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="A key frame instead, as 1.2:happiness@0.8; give it again for each.")
    ] = None,
    keys: Annotated[Path | None, typer.Option(help="A .json or .csv file of key frames.")] = None,
    gaze: Annotated[
        list[str] | None, typer.Option(help="A key frame of the eyes, as 1.2:10,-5: degrees right, up; again for each.")
    ] = None,
    loop: Annotated[
        bool, typer.Option("--loop", help="Go back to where it began, so that it repeats smoothly.")
    ] = False,
    blinks: Annotated[bool, typer.Option("--blinks", help="Blink now and then.")] = False,
    fps: Annotated[float, typer.Option(min=1, max=240, callback=finite, help="Frames a second.")] = 25.0,
    size: Annotated[
        int | None, typer.Option(min=16, help="Pixels of the longer side at most; as it is, of a .gif 480.")
    ] = None,
    seed: Seed = 0,
    model: Model = DEFAULT,
    number: Number = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    device: Device = "auto",
    backend: Backend = "auto",
) -> None:
    """Make a clip of a photograph, whose FACE goes from expression to expression.

    Example: `mien animate me.jpg --from neutral --to happiness --seconds 2 --blinks -o me.mp4`
    """
    from mien.editing.animate import animate_photo, check_model, check_output, check_still

    if output is None:
        raise InputError("no -o: name the clip to write, .mp4, .mkv, .gif, .webp or .png")
    if face.is_dir():
        raise InputError(f"{face}: a folder; one photograph is animated at a time, give that")
    read = {"FACE": face, "--keys": keys, "--model": Path(model), "--landmarker": Path(landmarker.partition(":")[2])}
    check_outputs(read, {"-o": output}, GIVEN if force else ())
    check_files(face)
    check_still(face)
    asked = timeline(begin, end, seconds, key, keys, gaze, loop, fps, seed if blinks else None)
    check_output(output, asked)
    from mien.editing.editor import Editor

    tool = Editor(model, device, aligned, landmarker=landmarker, backend=backend)
    check_model(tool, asked)
    cut = tool.crops(face, number)[0]
    say_left_out(face, cut.number, cut.left_out, "--face N")
    with bar(face.name) as tell:
        report = animate_photo(tool, cut, output, asked, face.name, size, tell)
    out.print(f"{output}: {report}", markup=False, soft_wrap=True)


def timeline(
    begin: str | None, end: str | None, seconds: float | None, key: list[str] | None, keys: Path | None,
    gaze: list[str] | None, loop: bool, fps: float, blink_seed: int | None,
) -> Timeline:  # fmt: skip
    """Return what the options of `animate` ask for. Raises InputError where they do not go together."""
    from dataclasses import replace
    from fractions import Fraction

    from mien.editing.keys import AS_IS, parse_gaze, parse_key, parse_request, read_keys
    from mien.editing.timeline import Key, Timeline, blink_times

    short = ["--from"] * (begin is not None) + ["--to"] * (end is not None)
    given = short[:1] + ["--key"] * bool(key) + ["--keys"] * (keys is not None)
    if len(given) != 1:
        told = f"{' and '.join(given)}: choose one; " if given else ""
        raise InputError(f"{told}a clip is asked for by --from and --to, by --key again and again, or by --keys FILE")
    if short:
        first, last = parse_request(begin or AS_IS, "--from"), parse_request(end or AS_IS, "--to")
        steps = [Key(0.0, first), Key(2.0 if seconds is None else seconds, last)]
    else:
        steps = read_keys(keys) if keys else [parse_key(text) for text in key or ()]
    steps.sort(key=lambda step: step.time)
    eyes = sorted((parse_gaze(text) for text in gaze or ()), key=lambda step: step.time)
    rate = Fraction(fps).limit_denominator(1001)  # as 30000/1001
    found = Timeline(tuple(steps), rate, seconds or 0.0, loop, tuple(eyes))
    if seconds and not short and seconds < steps[-1].time:
        raise InputError(f"--seconds {seconds:g}: the last key frame is at {steps[-1].time:g} s; expected no less")
    if found.end > LONGEST:
        raise InputError(f"the clip would last {found.end:g} s; expected at most {LONGEST:g}")
    return found if blink_seed is None else replace(found, blinks=blink_times(found.end, rate, blink_seed))
