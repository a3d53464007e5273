"""What the verbs on pictures do where one of the files is a clip."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.cli.output import Delivery
from mien.cli.terminal import bar, out
from mien.errors import InputError

if TYPE_CHECKING:
    from mien.controls import Controls


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

    def editor(self) -> Any:
        """Return the Editor, once it is sure that clips can be read."""
        from mien.media.video.ffmpeg import ffmpeg

        ffmpeg()
        from mien.editing.editor import Editor

        return Editor(self.model, self.device, self.aligned, landmarker=self.landmarker)


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

    face, output, like = one.face, one.clip(), asked.like
    moving = like is not None and is_moving(like)
    if not moving and not is_moving(face):
        raise InputError(f"{output}: a photograph stays one; name the output .png, .jpg or .webp")
    check_clip_target(output)
    editor = tool.editor()
    from mien.editing.clip import change_clip

    still = editor.crop(like, tool.like_number).crop if like and not moving else None

    def ask(crop: Any) -> Controls:
        return replace(asked, like=still if crop is None else crop)

    editor.require(asked, transfers)  # before the first frame
    if moving and one.saved:
        raise InputError(f"--save-expression {one.saved}: is of one face, and {like} moves; give a picture as --like")
    expression = one.expression(editor, asked, tool.like_number)
    operation = asked.operation(like.name if like else "", transfers)
    with bar(face.name) as tell:
        numbers = tool.number, tool.like_number
        keep = tool.keep_format
        report = change_clip(editor, face, output, ask, operation, like, *numbers, transfers, tell, keep_format=keep)
    out.print(f"{output}: {report}", markup=False, soft_wrap=True)
    one.save(expression)
