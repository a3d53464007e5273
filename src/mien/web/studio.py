"""Models that are ready, the faces that they have read, and pictures made of them: the page's work, without a page."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from PIL import Image

from mien.controls import Controls, Place
from mien.editing.editor import Editor
from mien.editing.look import Look
from mien.errors import InputError
from mien.expressions import Expression
from mien.faces.align import align, similarity
from mien.faces.crop import FaceCrop
from mien.faces.detect import find_faces
from mien.media.photo import Photo
from mien.media.picture import open_picture
from mien.runtime.engine import Change, Sitter
from mien.web.abilities import Abilities, abilities_of
from mien.web.frame import Frame, frame_of
from mien.web.turns import Turns
from mien.web.upload import Upload

VIEW, PREVIEW = 1280, 560  # pixels of the longer side of what is shown, and of what follows a slider
SITTING, FRAMES, CHANGES = 40, 24, 40  # faces that were read, frames and changes in memory: 2 to 6 MB each
LIVE = 1_000_000  # pixels of a webcam's picture
QUALITY = {VIEW: 93, PREVIEW: 85}
FORMS = {"PNG": ".png", "JPEG": ".jpg", "WebP": ".webp"}

T = TypeVar("T")

Example = tuple[Upload, int]
"""The face whose expression is taken: a photograph, and which of its faces."""


@dataclass(frozen=True)
class Work:
    """A photograph, what is asked of its faces by number, by which model, and examples by the name that looks have."""

    upload: Upload
    looks: Mapping[int, Look]
    model: str
    examples: Mapping[str, Upload]

    def example(self, look: Look) -> Example | None:
        """Return the face that a look takes its expression from."""
        return (self.examples[look.like.photo], look.like.face) if look.like else None


@dataclass(frozen=True)
class Sitting:
    """A face as a model has read it."""

    cut: FaceCrop
    sitter: Sitter


class Studio:
    """Models by the name that the page gives them. Each work waits for its turn, whoever asks.

    `evaluator` reads expressions: one net for all models, none of which was trained with it. Models that change no face
    are left out.
    """

    def __init__(self, editors: Mapping[str, Editor], evaluator: Editor):
        found = {name: abilities_of(editor.engine) for name, editor in editors.items()}
        self.abilities: dict[str, Abilities] = {name: abilities for name, abilities in found.items() if abilities.able}
        self.editors = {name: editors[name] for name in self.abilities}
        self.evaluator, self.landmarker = evaluator, evaluator.landmarker
        self.turns = Turns()
        self._sittings: Memory[Sitting] = Memory(SITTING)
        self._frames: Memory[Frame] = Memory(FRAMES)
        self._changes: Memory[Change] = Memory(CHANGES)

    def editor(self, model: str) -> Editor:
        """Return a model. Raises InputError for one that is not there."""
        if model not in self.editors:
            raise InputError(f"model {model!r} is not here; choose one of {', '.join(self.editors)}")
        return self.editors[model]

    def sitting(self, model: str, upload: Upload, face: int) -> Sitting:
        """Return a face that a model has read; it is read once."""

        def read() -> Sitting:
            editor = self.editor(model)
            cut = editor.crop_at(upload.photo, upload.face(face), face)
            small = Photo.of(np.zeros((1, 1, 3), np.uint8))  # the photograph itself would stay in memory
            return Sitting(replace(cut, photo=small), editor.engine.sit(cut.crop))

        return self._sittings.get((model, upload.path, face), read)

    def begin(self, model: str) -> None:
        """Have a model do all of it once: its first time takes longest, and nobody shall wait for that."""
        size = self.editor(model).size
        sitter = self.editor(model).engine.sit(np.full((size, size, 3), 128, np.uint8))
        asked = sitter.asked(Controls(self.abilities[model].words[0]) if self.abilities[model].words else None)
        for draft in (True, False):
            sitter.change(asked, draft)

    def warm(self, model: str, upload: Upload) -> None:
        """Read the largest face and make a frame, so that the first move of a slider does not wait for it."""
        self.sitting(model, upload, upload.largest)
        self.frame(upload, 0, PREVIEW)

    def frame(self, upload: Upload, which: int, side: int) -> Frame:
        """Return a part of a photograph at a screen's size."""
        return self._frames.get((upload.path, which, side), lambda: frame_of(upload, which, side))

    def shown(self, model: str, upload: Upload, face: int) -> dict[Place, float]:
        """Return the action units that a face shows, 0-5 by side, as a model reads them; none where it reads none."""
        editor = self.editor(model)
        if "estimate_aus" not in editor.engine.abilities:
            return {}
        return {
            place: min(max(value, 0.0), 5.0) for place, value in editor.sides(self._whole(model, upload, face)).items()
        }

    def expression(self, model: str, example: Example) -> Expression:
        """Return what a face of another photograph shows."""
        upload, face = example
        units: dict[int | str, float] = {f"{au}{s}": v for (au, s), v in self.shown(model, upload, face).items()}
        if not units:
            raise InputError(f"{model} reads no action units, which an example beside other expressions needs")
        return Expression(upload.path.stem, units, None, f"read from {upload.path.name} by {model}")

    def controls(self, work: Work, face: int, look: Look) -> Controls | None:
        """Return what is asked of a face as one request. Raises InputError where the model cannot."""
        shown = self.shown(work.model, work.upload, face) if look.calm else None
        example: np.ndarray | Expression | None = None
        if found := work.example(look):
            beside = bool(look.words) or bool(look.calm)
            example = self.expression(work.model, found) if beside else self._whole(work.model, *found).crop
        asked = look.controls(shown, example)
        if asked is not None:
            self.editor(work.model).engine.require_edit(asked)
        return asked

    def picture(self, work: Work, which: int, side: int = VIEW, draft: int | None = None) -> np.ndarray:
        """Return a frame of the photograph with all its faces as asked, uint8 (H, W, 3).

        `draft` is a face that is being changed: it is made a little coarser, and sooner.
        """
        frame, editor = self.frame(work.upload, which, side), self.editor(work.model)
        photo = frame.photo
        for face, look in work.looks.items():
            if not look.empty:
                cut = replace(frame.cut(self.sitting(work.model, work.upload, face).cut), photo=photo)
                photo = editor.apply(cut, self.change(work, face, look, face == draft))
        return photo.rgb

    def change(self, work: Work, face: int, look: Look, draft: bool = False) -> Change:
        """Return what brings a face to what is asked."""

        def made() -> Change:
            sitter = self.sitting(work.model, work.upload, face).sitter
            return sitter.change(sitter.asked(self.controls(work, face, look)), draft)

        if draft:
            return made()
        key = (work.model, work.upload.path, face, repr(look), str(work.example(look)))
        return self._changes.get(key, made)

    def full(self, work: Work) -> Photo:
        """Return the whole photograph at its own resolution with all its faces as asked."""
        photo, editor = work.upload.photo, self.editor(work.model)
        for face, look in work.looks.items():
            if not look.empty:
                cut = self._whole(work.model, work.upload, face)
                photo = editor.apply(replace(cut, photo=photo), self.change(work, face, look))
        return photo

    def operation(self, work: Work) -> str:
        """Return what is asked in words, as a stamp tells it."""
        told = []
        for face, look in work.looks.items():
            example, asked = work.example(look), self.controls(work, face, look)
            if asked is not None:
                words = asked.operation(example[0].path.name if example else "")
                told.append(f"face {face}: {words.removeprefix('edit: ')}" if len(work.upload.faces) > 1 else words)
        return told[0] if len(told) == 1 and len(work.upload.faces) == 1 else f"edit: {'; '.join(told)}"

    def estimate(self, work: Work, face: int) -> dict[str, float]:
        """Return how likely the evaluator finds each expression in a face as it is asked for."""
        frame = self.frame(work.upload, face, PREVIEW)
        matrix = similarity(work.upload.face(face).eyes, self.evaluator.size) @ np.vstack([frame.matrix, [0, 0, 1]])
        crop = align(self.picture(work, face, PREVIEW), matrix, self.evaluator.size)
        photo = Photo.of(crop)
        return self.evaluator.recognize(FaceCrop(photo, np.eye(2, 3), crop, face, (0.0, 0.0, 1.0, 1.0)))

    def live(self, picture: bytes, look: Look, model: str) -> np.ndarray:
        """Return a webcam's picture with its largest face as asked; as it is, where it shows none."""
        with open_picture(Path("the webcam"), "expected a JPEG", "send one", LIVE, content=picture) as image:
            rgb = np.asarray(image.convert("RGB"))
        editor, asked = self.editor(model), look.controls()
        found = find_faces(rgb, self.landmarker)
        if not found or asked is None:
            return rgb
        editor.engine.require_edit(asked)
        cut = editor.crop_at(Photo.of(rgb), max(found, key=lambda face: face.box[2]))
        sitter = editor.engine.sit(cut.crop)
        return editor.apply(cut, sitter.change(sitter.asked(asked), draft=True)).rgb

    def _whole(self, model: str, upload: Upload, face: int) -> FaceCrop:
        return replace(self.sitting(model, upload, face).cut, photo=upload.photo)

    def forget(self, paths: set[Path]) -> None:
        """Let go of what was read of photographs."""
        if self.turns.closed:
            return
        with self.turns.turn():
            self.drop(paths)

    def drop(self, paths: set[Path]) -> None:
        """Let go of what was read of photographs, within a turn."""
        for memory in (self._sittings, self._frames, self._changes):
            memory.drop(lambda key: bool(paths & set(key)))


class Memory(Generic[T]):
    """The last few things by key."""

    def __init__(self, most: int):
        self.most, self._kept = most, OrderedDict[tuple[Any, ...], T]()

    def get(self, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Return what has a key, made if it is not there."""
        found = self._kept.pop(key, None)
        self._kept[key] = make() if found is None else found
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)
        return self._kept[key]

    def drop(self, which: Callable[[tuple[Any, ...]], bool]) -> None:
        """Let go of things by their keys."""
        for key in [key for key in self._kept if which(key)]:
            self._kept.pop(key, None)


def encoded(rgb: np.ndarray, quality: int = QUALITY[VIEW]) -> bytes:
    """Return a picture as JPEG, in full colour resolution."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()
