"""Faces in a clip: a row a frame and person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mien.faces.crop import Which
from mien.faces.track import Followed, follower
from mien.files import path_text
from mien.media.video.reader import ClipReader, VideoFrame
from mien.progress import Tell, untold
from mien.recognition.everyone import Everyone
from mien.recognition.face import Crops, How, completed, read_faces
from mien.recognition.smooth import Smoother
from mien.recognition.table import Row
from mien.runtime.person_code import person_code


def clip_rows(
    editor: Crops, path: Path, which: Which = None, how: How | None = None, tell: Tell = untold
) -> Iterator[Row]:
    """Yield a clip's rows as its frames are read: one for each person, or one without `number` where nobody is seen.

    `which` is the n-th from the left in the first frame that shows so many; None the only or by far largest one; or
    all, who are numbered from the left and as they come. Raises InputError for what is no clip, or damaged.
    """
    how = how or How()
    smoother = Smoother()
    with ClipReader(path) as reader:
        for k, (frame, people, others) in enumerate(_people(editor, path, which, reader.frames())):
            here: Row = {"path": path_text(path), "frame": k, "time": round(frame.time, 6)}
            cuts = [editor.crop_at(frame.rgb, one.steadied, number) for number, one in people.items()]
            for row, one in zip(read_faces(editor.engine, cuts, how), people.values(), strict=True):
                if how.smooth:
                    row = completed(smoother(row, frame.time, one.anew), how.least)
                yield here | row | ({"left_out": list(others)} if others else {})
            if not people:
                yield here
            tell(k + 1, reader.count)


def _people(
    editor: Crops, path: Path, which: Which, frames: Iterator[VideoFrame]
) -> Iterator[tuple[VideoFrame, dict[int, Followed], tuple[str, ...]]]:
    """Yield every frame with the faces that are followed, by number; with the first also who was left out, in words."""
    if which == "all" and not editor.aligned:
        for frame, people in Everyone(path, person_code(), editor.landmarker).along(frames):
            yield frame, people, ()
        return
    number = None if which == "all" else which
    follow = follower(path, number, editor.aligned, editor.landmarker, person_code)
    told = False
    for frame, found in follow.along(frames):
        yield frame, {follow.chosen: found} if found else {}, follow.left_out if found and not told else ()
        told = told or found is not None
