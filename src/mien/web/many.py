"""Many photographs changed alike: each from its own pixels, into one archive, from which each can be had by itself."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from mien.editing.look import Look
from mien.errors import InputError
from mien.media.credentials import Signer
from mien.progress import Tell
from mien.web.door.store import Store
from mien.web.jobs import Make
from mien.web.making import new_thing, plain, write
from mien.web.studio import Studio, Work
from mien.web.upload import Upload, open_upload

ARCHIVE = "changed-by-mien.zip"
AS_IT_CAME = ""  # the form of each
LARGEST = 1 << 30  # bytes of an archive; what would come after is told of and left out
THUMB = 192  # pixels of a small picture's longer side
PART = 1 << 18  # bytes that are handed out at once


def change_many(
    studio: Studio, store: Store, owner: str, paths: Sequence[Path], look: Look, model: str, form: str = AS_IT_CAME,
    everybody: bool = False, examples: Mapping[str, Upload] | None = None, signer: Signer | None = None,
) -> Make:  # fmt: skip
    """Give the largest face of each photograph a look, or everybody's; `form` is one of the studio's, or AS_IT_CAME.

    A photograph that cannot be changed has a line that says why, and the others are made. Raises InputError where
    nothing is asked for, where the model cannot, and, once all were tried, where none could be changed.
    """
    if look.empty:
        raise InputError("nothing is asked for yet; change a photograph first, its look is what the others get")
    editor, known = studio.editor(model), dict(examples or {})
    if look.like is None and not look.calm and (asked := look.controls()) is not None:
        editor.engine.require_edit(asked)

    def changed(path: Path, folder: Path) -> Path:
        upload = open_upload(path, studio.landmarker)
        faces = range(1, len(upload.faces) + 1) if everybody else [upload.largest]
        work = Work(upload, dict.fromkeys(faces, look), model, known)
        return write(studio, folder, work, form or upload.form, signer)

    def make(tell: Tell) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        with new_thing(store, owner, *paths) as thing:
            output = thing.folder / ARCHIVE
            with zipfile.ZipFile(output, "w", strict_timestamps=False) as archive:
                for k, path in enumerate(paths):
                    tell(k, len(paths), path.name)
                    rows.append(_added(archive, path, thing.folder, changed))
                    studio.drop({path})
                tell(len(paths), len(paths))
            done = len(archive.namelist())
            if not done:
                raise InputError(rows[0]["error"] if len(rows) == 1 else f"none could be changed: {rows[0]['error']}")
            said = f"{done} of {len(paths)} photographs changed"
            return {"files": {"zip": store.add(thing, output)}, "said": said, "rows": rows}

    return make


def _added(archive: zipfile.ZipFile, path: Path, folder: Path, changed: Any) -> dict[str, Any]:
    """Put a changed photograph into an archive; return what became of it, `part` being its number there."""
    told: dict[str, Any] = {"name": path.name, "part": None, "error": ""}
    if archive.fp and archive.fp.tell() > LARGEST:
        return told | {"error": f"{path.name}: the archive is full; save it, then give those that are left"}
    try:
        file = changed(path, folder)
    except InputError as error:
        return told | {"error": plain(str(error), folder, path.parent)}
    try:
        name, number = file.name, len(archive.namelist())
        if name.casefold() in map(str.casefold, archive.namelist()):  # as of two cameras
            name = f"{file.stem}-{number + 1}{file.suffix}"
        archive.write(file, name)
    finally:
        file.unlink()
    return told | {"part": number, "made": name}


def part_of(path: Path, number: int) -> tuple[str, Iterator[bytes]]:
    """Return the name and the content of one of an archive's files. Raises InputError where there is none."""
    names = []
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    if not 0 <= number < len(names):
        raise InputError("there is no such file in it")

    def content() -> Iterator[bytes]:
        with zipfile.ZipFile(path) as archive, archive.open(names[number]) as file:
            while part := file.read(PART):
                yield part

    return names[number], content()


def thumb_of(path: Path, number: int) -> bytes:
    """Return one of an archive's pictures, small, as JPEG. Raises InputError where there is none."""
    _, content = part_of(path, number)
    with Image.open(io.BytesIO(b"".join(content))) as image:
        image.draft("RGB", (2 * THUMB, 2 * THUMB))
        image.thumbnail((THUMB, THUMB))
        file = io.BytesIO()
        image.convert("RGB").save(file, "JPEG", quality=85)
    return file.getvalue()
