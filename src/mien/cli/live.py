"""The verb that changes faces as a camera sees them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.about import DEFAULT
from mien.cli.terminal import Force, Intensity, Model, out
from mien.cli.values import Backend, Device, LandmarkerName
from mien.errors import InputError

if TYPE_CHECKING:
    from mien.editing.editor import Editor
    from mien.editing.live import Sink


def live(
    source: Annotated[str, typer.Argument(help="A webcam's number, or a clip that is played in its place.")] = "0",
    to: Annotated[
        str, typer.Option(metavar="WHERE", help="window; camera, which other programs see; or a clip, FILE.mp4.")
    ] = "window",
    force: Force = False,
    expression: Annotated[str, typer.Option(metavar="WORD", help="The class to begin with.")] = "happiness",
    intensity: Intensity = 0.8,
    number: Annotated[
        int | None,
        typer.Option("--face", min=1, help="Whose face: 1 is the leftmost. Without it the largest by far, or that."),
    ] = None,
    reading: Annotated[bool, typer.Option(help="Draw what is seen, and the pace, over the picture.")] = True,
    frames: Annotated[int | None, typer.Option(min=1, help="End after so many.")] = None,
    model: Model = DEFAULT,
    landmarker: LandmarkerName = "net",
    device: Device = "auto",
    backend: Backend = "auto",
) -> None:
    """Change a face as a camera sees it.

    Keys: 0 neutral, 1-7 the other classes, + and - how much, space on and off, r the reading, q the end.

    Example: `mien live`

    Example: `mien live talk.mp4 --to smiling.mp4 --frames 250`
    """
    from mien.controls import Controls
    from mien.editing.editor import Editor
    from mien.editing.live import Wish
    from mien.editing.live import live as run
    from mien.media.video.camera import shots
    from mien.whole_numbers import whole_number

    Controls(expression, intensity)  # says what does not fit, before the model is loaded
    if whole_number(source) is None and not Path(source).is_file():
        raise InputError(f"{source}: no such clip; give one, or the number of a webcam, 0 the first")
    check_sink(to, source, force)
    editor = Editor(model, device, landmarker=landmarker, backend=backend)
    with closing(sink_of(to, editor)) as sink, closing(shots(source)) as seen:  # type: ignore[type-var]
        report = run(editor, seen, sink, Wish(expression, intensity, True, reading), number, most=frames)
    out.print(f"{to}: {report}", markup=False, soft_wrap=True)


def check_sink(to: str, source: str, force: bool = False) -> None:
    """Raise InputError, before long work, for a place to which no frames can go."""
    from mien.cli.output import GIVEN, check_outputs
    from mien.media.video.writer import check_clip_target

    if to not in ("window", "camera"):
        if not Path(to).suffix:
            raise InputError(f"--to {to}: expected window, camera or a clip to write, FILE.mp4")
        check_clip_target(Path(to))
        check_outputs({"the clip": Path(source)}, {"--to": Path(to)}, GIVEN if force else ())


def sink_of(to: str, editor: Editor) -> Sink:
    """Return where frames go."""
    from mien.media.video.sinks import Recording, VirtualCamera, Window

    if to == "window":
        return Window()
    return VirtualCamera() if to == "camera" else Recording(Path(to), editor.stamp("live"))
