"""What the page makes that takes long: clips of clips, clips of a photograph, tables of what faces show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mien.controls import Controls
from mien.editing.animate import animate_photo
from mien.editing.clip import ClipReport, change_clip
from mien.editing.editor import Editor
from mien.editing.look import Look
from mien.editing.timeline import Key, Timeline, blink_times
from mien.errors import InputError
from mien.files import write_whole
from mien.media.credentials import Signer
from mien.progress import Tell
from mien.recognition.read import find_rows
from mien.recognition.table import csv_text, json_text
from mien.web.door.store import MADE, Store, Thing
from mien.web.jobs import Make
from mien.web.studio import FORMS, Example, Studio, Work

CLIPS = (".mp4", ".gif", ".webp", ".png")
LONGEST = 60.0  # seconds of a photograph that moves
LONGEST_NAME = 60  # characters
ROWS = 200  # of a table that the page shows; the files have all


def edit_clip(
    studio: Studio, store: Store, owner: str, clip: Path, look: Look, model: str, example: Example | None = None
) -> Make:
    """Make a clip with the largest face of it as asked; `example` is the face that its look names.

    Raises InputError for what a clip cannot be asked for.
    """
    if look.calm not in (0, 1):
        raise InputError("a clip's face is calm all the time or as it is; set Calm to 0 or 100 % for it")
    if look.empty:
        raise InputError("nothing is asked for yet; change a photograph first, its look is what the clip gets")
    editor = studio.editor(model)
    if example is None and (known := look.controls()) is not None:
        editor.require(known)

    def make(tell: Tell) -> dict[str, Any]:
        asked = look.controls({}, studio.expression(model, example) if example else None)
        assert asked is not None
        editor.require(asked)
        with new_thing(store, owner, clip) as thing:
            output = thing.folder / f"{clip.stem}-edited.mp4"
            report = change_clip(editor, clip, output, lambda _: asked, asked.operation(), tell=tell)
            return {"files": {"clip": store.add(thing, output)}, "said": _seen(report)}

    return make


def drive(
    studio: Studio, store: Store, owner: str, face: Path, driver: Path, model: str, strength: float = 1.0,
    only: Sequence[str] = (),
) -> Make:  # fmt: skip
    """Make a photograph or a clip do what the face of another clip does. Raises InputError where the model cannot."""
    editor = studio.editor(model)
    asked = Controls(like=driver, intensity=strength, only=only)
    transfers = "transfer" in editor.engine.abilities
    editor.require(asked, transfers)

    def ask(crop: np.ndarray | None) -> Controls:
        return replace(asked, like=crop)

    def make(tell: Tell) -> dict[str, Any]:
        words = asked.operation(driver.name, transfers)
        with new_thing(store, owner, face, driver) as thing:
            output = thing.folder / f"{face.stem}-driven.mp4"
            report = change_clip(editor, face, output, ask, words, driver, transfers=transfers, tell=tell)
            return {"files": {"clip": store.add(thing, output)}, "said": _seen(report)}

    return make


def animate(
    studio: Studio, store: Store, owner: str, work: Work, face: int, looks: Sequence[Look], how: Mapping[str, Any],
    form: str,
) -> Make:  # fmt: skip
    """Make a clip in which a face goes from look to look.

    `how` has seconds between two, fps, loop, blinks and size. Raises InputError for what is out of range.
    """
    if form not in CLIPS:
        raise InputError(f"form {form[:20]}: expected {', '.join(CLIPS)}")
    step, size = how["seconds"], how["size"]
    if not (step >= 0.1 and step * len(looks) <= LONGEST and 1 <= how["fps"] <= 60 and 64 <= size <= 4096):
        raise InputError(
            f"expected at least 0.1 s a step, {LONGEST:g} s in all, 1 to 60 frames a second, 64 to 4096 pixels"
        )
    editor = studio.editor(work.model)

    def make(tell: Tell) -> dict[str, Any]:
        keys = [Key(k * step, studio.controls(work, face, look)) for k, look in enumerate(looks)]
        timeline = Timeline(tuple(keys), Fraction(how["fps"]), 0.0, how["loop"])
        if how["blinks"]:
            timeline = replace(timeline, blinks=blink_times(timeline.end, timeline.fps))
        cut = editor.crop_at(work.upload.photo, work.upload.face(face), face)
        with new_thing(store, owner) as thing:
            output = thing.folder / f"{work.upload.path.stem}-moving{form}"
            report = animate_photo(editor, cut, output, timeline, work.upload.path.name, size, tell)
            return {"files": {"clip": store.add(thing, output)}, "said": str(report)}

    return make


def read(studio: Studio, store: Store, owner: str, paths: Sequence[Path], model: str) -> Make:
    """Make a table of what all faces in photographs and clips show."""
    editor = Editor(studio.editor(model).engine, landmarker=studio.landmarker)

    def make(tell: Tell) -> dict[str, Any]:
        rows = find_rows(editor, paths, tell=tell)
        rows = [row | {"path": Path(row["path"]).name} | _without(row, paths) for row in rows]
        files = {}
        for kind, text in (("csv", csv_text(rows)), ("json", json_text(rows))):
            with new_thing(store, owner) as thing:
                write_whole(thing.folder / f"faces.{kind}", text)
                files[kind] = store.add(thing, thing.folder / f"faces.{kind}")
        return {"files": files, "said": _counted(rows, len(paths)), "rows": rows[:ROWS]}

    return make


def write(studio: Studio, folder: Path, work: Work, form: str, signer: Signer | None = None) -> Path:
    """Write the whole photograph with all its faces as asked, stamped, into a folder; return where.

    Raises InputError where nothing was asked for, and for a photograph that the form cannot hold.
    """
    if form not in FORMS:
        raise InputError(f"form {form[:20]}: expected {', '.join(FORMS)}")
    if all(look.empty for look in work.looks.values()):
        raise InputError("nothing was changed yet; change the face first")
    editor, upload = studio.editor(work.model), work.upload
    operation, made = studio.operation(work), studio.full(work)
    stamp = editor.stamp(operation, upload.path.name)
    seal = (lambda data, kind: signer.sign(data, kind, stamp, upload.path)) if signer else None
    file = folder / f"{word_of(upload.path.stem)}-mien{FORMS[form]}"
    editor.save(made, file, operation, upload.path.name, seal=seal)
    return file


def word_of(name: str) -> str:
    """Return a name in letters that every system takes."""
    return re.sub(r"[^\w-]+", "_", name)[:LONGEST_NAME] or "photograph"


@contextmanager
def new_thing(store: Store, owner: str, *paths: Path) -> Iterator[Thing]:
    """Yield a place for something that is made, which goes if it is not; errors name `paths` without their folders."""
    thing = store.new(owner, MADE)
    try:
        yield thing
    except BaseException as error:
        store.drop(owner, thing.name)
        if isinstance(error, InputError):
            raise InputError(plain(str(error), thing.folder, *(path.parent for path in paths))) from error
        raise


def plain(text: str, *folders: Path) -> str:
    """Return a line without the server's folders."""
    for folder in folders:
        text = text.replace(f"{folder}/", "").replace(str(folder), "")
    return text


def _seen(report: ClipReport) -> str:
    """Return what became of a clip, without the figures that the shell tells."""
    left = f", {report.missed} of them without that person, left as they were" if report.missed else ""
    return "; ".join((f"{report.frames} frames{left}", *report.notes))


def _counted(rows: Sequence[Mapping[str, Any]], files: int) -> str:
    """Return in words how many faces were read in so many files, and how many of them are shown."""
    read = sum("expression" in row for row in rows)
    what = "face" if all(row.get("frame") is None for row in rows) else "reading"
    words = ", ".join(f"{n} {word}{'s' * (n != 1)}" for n, word in ((files, "file"), (read, what)))
    return words + (f"; the first {ROWS} rows are shown" if len(rows) > ROWS else "")


def _without(row: Mapping[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    """Return a row's error without the server's folders."""
    text = row.get("error")
    return {"error": plain(text, *(path.parent for path in paths))} if isinstance(text, str) else {}
