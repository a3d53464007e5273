"""What the page does, without the page: photographs and requests in; pictures, readings and a file to download out."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from mien.controls import Controls
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.faces.crop import FaceCrop
from mien.faces.detect import Face
from mien.media.photo import FORMATS, Photo
from mien.web.abilities import Abilities, abilities_of
from mien.web.request import STEP, operation, short_name
from mien.web.store import MADE, SHOWN, Store
from mien.web.upload import Upload, closeup, open_upload, view

FORMS = {"PNG": ".png", "JPEG": ".jpg", "WebP": ".webp"}


@dataclass(frozen=True)
class Result:
    """What became of a face: close-ups uint8 (h, w, 3) for the page, what is read in both, the whole picture's file."""

    before: np.ndarray
    after: np.ndarray
    read_before: Mapping[str, float]
    read_after: Mapping[str, float]
    file: Path
    owner: str = ""  # the browser for which it was made


class Session:
    """Models by the name that the page gives them, and a folder of the server's own for photographs and results.

    `evaluator` reads expressions: one net for all models, none of which was trained with it. Models that change no face
    are left out.
    """

    def __init__(self, editors: Mapping[str, Editor], evaluator: Editor, folder: Path):
        found = {name: abilities_of(editor.engine) for name, editor in editors.items()}
        self.abilities: dict[str, Abilities] = {name: abilities for name, abilities in found.items() if abilities.ways}
        self.editors = {name: editors[name] for name in self.abilities}
        self.evaluator = evaluator
        self.landmarker = evaluator.landmarker
        self.store = Store(folder)
        self._working = threading.Lock()
        self._closed = False

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work on one thing at a time. Raises InputError once the session is closed."""
        with self._working:
            if self._closed:
                raise InputError("the page is being closed")
            yield

    def close(self) -> None:
        """Begin nothing any more, and delete all photographs and results at once."""
        self._closed = True
        self.store.clear()

    def wait(self) -> None:
        """Let what is being worked on end, so that nothing is written any more."""
        with self._working:
            pass

    def open(self, owner: str, sent: Mapping[str, object]) -> Upload:
        """Open a photograph that a browser sent, by what its scripts then say of it.

        Raises InputError for what is no photograph, or none that this browser sent.
        """
        return open_upload(self.store.sent(owner, sent.get("path")), self.landmarker, owner)

    def shown(self, upload: Upload) -> Path:
        """Return the photograph as the page shows it, as a file for its browser; it lies beside the photograph."""
        return self._picture(view(upload), upload.path.parents[1] / "photograph.png")

    def compared(self, result: Result) -> tuple[Path, Path]:
        """Return before and after as files for the browser whose result it is; the last few are kept."""
        folder = self.store.new(result.owner, SHOWN)
        before = self._picture(result.before, folder / "before.png")
        return before, self._picture(result.after, folder / "after.png")

    def _picture(self, rgb: np.ndarray, path: Path) -> Path:
        Image.fromarray(rgb).save(path, compress_level=1)
        self.store.add(path)
        return path

    def read(self, upload: Upload, number: int, photo: Photo | None = None) -> dict[str, float]:
        """Return each expression's probability in a face; of `photo`, if given, where the face is in `upload`."""
        crop = self.evaluator.crop_at(photo or upload.photo, face_of(upload, number))
        return self.evaluator.recognize(crop)

    def starts(self, name: str, upload: Upload, number: int) -> dict[int, float]:
        """Return the action units that a model moves, with what it reads in the face: 0-5 in the sliders' steps."""
        editor, units = self.editors[name], self.abilities[name].units
        if "estimate_aus" not in editor.engine.abilities:
            return dict.fromkeys(units, 0.0)
        found = editor.estimate_aus(editor.crop_at(upload.photo, face_of(upload, number)))
        return {unit: round(min(max(round(found[unit] / STEP) * STEP, 0.0), 5.0), 2) for unit in units}

    def change(self, name: str, upload: Upload, number: int, asked: Controls, form: str = "PNG") -> Result:
        """Return what a model makes of a face, saved whole in `form` with the note that it was made.

        Raises InputError for what the model cannot, and for a photograph that the form cannot hold.
        """
        face, photo = face_of(upload, number), upload.photo
        made = self._change(self.editors[name], self.editors[name].crop_at(photo, face, number), asked)
        stem = re.sub(r"[^\w-]+", "_", f"{upload.path.stem}-{short_name(asked)}")[
            :80
        ]  # letters that every system takes
        file = self.store.new(upload.owner, MADE) / (stem + FORMS[form])
        try:
            self.editors[name].save(made, file, operation(asked), upload.path.name)
        except InputError as error:
            raise InputError(str(error).replace(str(file), file.name)) from error
        self.store.add(file)
        before, after = closeup(photo.rgb, face), closeup(made.rgb, face)
        return Result(before, after, self.read(upload, number), self.read(upload, number, made), file, upload.owner)

    def _change(self, editor: Editor, face: FaceCrop, asked: Controls) -> Photo:
        """Return the photograph of a face with it changed as asked."""
        if asked.like is None:
            return editor.ask(face, asked)
        example = asked.like.upload
        like = editor.crop_at(example.photo, face_of(example, asked.like.number))
        return editor.ask(face, replace(asked, like=like), transfers=asked.whole)


def face_of(upload: Upload, number: int) -> Face:
    """Return the face of a number, from 1. Raises InputError for a number that is not there."""
    if not 1 <= number <= len(upload.faces):
        raise InputError(f"there is no face {number}; the photograph has {len(upload.faces)}")
    return upload.faces[number - 1]


def form_of(path: Path) -> str:
    """Return the form in which a photograph goes back: that in which it came, PNG if mien does not write that."""
    return {"JPEG": "JPEG", "WEBP": "WebP"}.get(FORMATS.get(path.suffix.lower(), ""), "PNG")
