"""Photograph in, photograph out: finds the face, asks the model for a change, makes it to the photograph."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mien.about import DEFAULT, VERSION
from mien.controls import Controls
from mien.editing.achieved import Achieved, achieved
from mien.errors import InputError
from mien.expressions import Expression
from mien.faces.align import align, rescaled, similarity
from mien.faces.composite import paste_residual
from mien.faces.crop import FaceCrop, Picture, Which, as_crops, as_photo
from mien.faces.detect import Face, choose_face, find_faces, left_out
from mien.faces.landmarks import Landmarker
from mien.faces.masks import landmark_mask
from mien.faces.morph import Maps, morph
from mien.files import path_text
from mien.labels import AUS, CLASSES
from mien.media.photo import Photo, Seal, write_photo
from mien.media.provenance import Stamp
from mien.reading import article
from mien.runtime.engine import Change, Engine
from mien.runtime.landmarker import find_landmarker
from mien.runtime.open import open_engine

if TYPE_CHECKING:
    import pandas as pd

    from mien.models.contract import Family
    from mien.recognition.face import How


UNNAMED = "of unknown name"
"""The source of what is made of a picture that has no file, in a note."""


class Editor:
    """A model and all that lies between it and a photograph.

    `model` is a zoo name, a file, a run's folder, a hub id, a model or an engine. Pictures may be paths, bytes, open
    files, images of Pillow's, arrays, tensors (`mien.media.given`), photos, or faces that this editor cut out, which
    are not looked for again. Methods that change a face return a Photo, whose `save` writes it with a note that it was
    made. Where a picture shows several faces, `number` (1 is the leftmost) says which, and "all" changes every one;
    without it one by far larger than the others is meant, and its crop says who was left out. With `aligned`, pictures
    are taken as crops already aligned, as a data set's are, and no face is looked for. `backend` runs the model:
    "torch", "onnx", "openvino", or "auto" (`mien.runtime.open`); pictures are the same. `landmarker` finds the eyes:
    "net" our own, "mediapipe:FILE.task", or "cascade", as is None. With `crop_only`, methods that change a face return
    its aligned crop alone, at the model's size.

    A model that can "warp" moves the photograph's own pixels. Of one that generates pictures, the picture itself is not
    used: a net that squeezes a face through a few numbers loses a stranger's pores. Instead the residual, its picture
    with the new expression minus its picture with the old one, is added to the photograph (`mien.models.residual`).

    Raises InputError for anything a user can get wrong, with what to do about it.
    """

    def __init__(
        self,
        model: str | Engine | Family = DEFAULT,
        device: str = "cpu",
        aligned: bool = False,
        crop_only: bool = False,
        landmarker: str | Landmarker | None = "net",
        bare: bool | None = None,  # crop_only's old name, until 0.2
        backend: str = "auto",
    ):
        crop_only = crop_only if bare is None else bare
        self.engine = open_engine(model, device, backend)
        self._asked = model if isinstance(model, str) and not hasattr(self.engine, "model") else self.engine
        self.name, self.size = self.engine.name, self.engine.size
        self.aligned, self.crop_only = aligned, crop_only
        if isinstance(landmarker, str):
            landmarker = None if aligned else find_landmarker(landmarker)
        if landmarker is not None and not hasattr(landmarker, "points"):
            raise InputError(f"expected net, cascade or mediapipe:FILE.task as a landmarker; got {article(landmarker)}")
        self.landmarker = landmarker

    @property
    def model(self) -> Any:
        """The model itself, as PyTorch has it; loaded for that where something else runs it."""
        if isinstance(self._asked, str):
            self._asked = open_engine(self._asked, backend="torch")
        return self._asked.model  # type: ignore[attr-defined]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the model's parameters and buffers."""
        return self.engine.fingerprint

    def crop(self, picture: Picture, number: int | None = None) -> FaceCrop:
        """Return the picture's face as the model sees it."""
        cuts = self.crops(picture, number)
        if len(cuts) != 1:
            raise InputError(f"{len(cuts)} faces were given where one is wanted; choose one of them")
        return cuts[0]

    def crops(self, picture: Picture, number: Which = "all") -> list[FaceCrop]:
        """Return the picture's faces as the model sees them, from left to right."""
        if isinstance(picture, FaceCrop):
            return [picture]
        if isinstance(picture, list):
            return as_crops(picture)
        photo = as_photo(picture)
        if self.aligned:
            height, width = photo.rgb.shape[:2]
            matrix = rescaled(np.eye(2, 3), np.array([self.size / width, self.size / height]))
            return [self._cut(photo, matrix, 1, (0.0, 0.0, float(width), float(height)))]
        name = Path(picture) if isinstance(picture, str | os.PathLike) else Path(photo.name or "the picture")
        found = find_faces(photo.rgb, self.landmarker)
        if number != "all" or not found:
            chosen = choose_face(found, name, None if number == "all" else number)
            cut = self.crop_at(photo, chosen, 1 + found.index(chosen))
            return [replace(cut, left_out=left_out(found, chosen) if number is None else ())]
        return [self.crop_at(photo, face, k) for k, face in enumerate(found, 1)]

    def crop_at(self, picture: Picture, face: Face, number: int = 1) -> FaceCrop:
        """Return a face that was found before as the model sees it; to find it is most of the time of an edit."""
        matrix = similarity(face.eyes, self.size)
        points = None if face.points is None else face.points @ matrix[:, :2].T + matrix[:, 2]
        cut = self._cut(as_photo(picture), matrix, number, face.box)
        return replace(cut, points=points, source=face.source, score=face.score)

    def _cut(self, photo: Photo, matrix: np.ndarray, number: int, box: tuple[float, float, float, float]) -> FaceCrop:
        return FaceCrop(photo, matrix, align(photo.rgb, matrix, self.size), number, box)

    def transfer(
        self,
        face: Picture,
        like: Picture,
        number: Which = None,
        like_number: int | None = None,
        intensity: float = 1.0,
        only: Sequence[str] = (),
    ) -> Photo:
        """Return `face` with the expression that `like` shows, at an intensity, 0 (neutral) to 1 (all of it).

        With `only`, as ("mouth",), the rest of the face keeps its own.
        """
        asked = Controls(like=like, intensity=intensity, only=only)
        return self.ask(face, asked, number, like_number, transfers=True)

    def edit(
        self,
        face: Picture,
        expression: str | Expression | Sequence[str | Expression] | None = None,
        intensity: float = 1.0,
        aus: Mapping[int | str, float] | None = None,
        like: Picture | None = None,
        number: Which = None,
        like_number: int | None = None,
        gaze: tuple[float, float] | None = None,
        turn: tuple[float, float] | None = None,
        roll: float | None = None,
        only: Sequence[str] = (),
    ) -> Photo:
        """Return `face` as asked: with a class or preset, AU intensities 0-5, another face's expression; at 0-1 of it.

        What goes together, and which way angles are, `Controls` says. `mien.labels.units_of` makes `aus` of ARKit
        blendshapes, `mien.expressions.read_expression` an expression of a file.
        """
        asked = Controls(expression, intensity, aus, like, gaze, turn, roll, only)
        return self.ask(face, asked, number, like_number)

    def ask(
        self,
        face: Picture,
        controls: Controls,
        number: Which = None,
        like_number: int | None = None,
        transfers: bool = False,
    ) -> Photo:
        """Return `face` with what is asked, whose example is a picture; by the model's transfer where `transfers`."""
        self.require(controls, transfers)  # before a face is looked for
        example = ""
        if controls.like is not None:
            cut = self.crop(controls.like, like_number)
            controls, example = replace(controls, like=cut.crop), cut.photo.name or "another face"
        faces = self.crops(face, number)
        made = self._changed(faces, controls, transfers)
        return replace(made, stamp=self._stamp_of(faces[0].photo, controls.operation(example, transfers)))

    def require(self, controls: Controls, transfers: bool = False) -> None:
        """Raise InputError where the model cannot do what is asked, or not by transfer where `transfers`."""
        if not isinstance(controls, Controls):
            raise InputError(f"expected Controls, as Controls('happiness'); got {article(controls)}; edit takes words")
        if transfers:
            self.engine.require("transfer")
        if not (transfers and controls.whole):
            self.engine.require_edit(controls)

    def neutralize(self, face: Picture, number: Which = None) -> Photo:
        """Return `face` with no expression."""
        return self.edit(face, "neutral", number=number)

    def achieved(self, cut: FaceCrop, made: Photo, controls: Controls) -> list[Achieved]:
        """Return what was asked of a face's action units, and what the model reads before and after, 0-5."""
        return achieved(self, cut, made, controls)

    def crop_again(self, cut: FaceCrop, made: Photo) -> FaceCrop:
        """Return the place of a face in a photograph that was made of its own."""
        return self._cut(made, cut.matrix, cut.number, cut.box)

    def recognize(self, face: Picture, number: int | None = None) -> dict[str, float]:
        """Return the probability of every expression word, the likeliest first."""
        found = self.engine.probabilities(self.crop(face, number).crop[None])[0].tolist()
        return dict(sorted(zip(CLASSES, found, strict=True), key=lambda pair: -pair[1]))

    def recognize_all(
        self, paths: Sequence[str | Path] | str | Path, number: Which = "all", how: How | None = None
    ) -> pd.DataFrame:  # fmt: skip
        """Return a table of the faces in pictures, clips and folders, as `mien.recognition.read.recognize_all` does."""
        from mien.recognition.read import recognize_all  # pandas, which not everybody has

        return recognize_all(self, paths, number, how=how)

    def embed(self, face: Picture, number: int | None = None) -> dict[str, np.ndarray]:
        """Return the codes of `face`: {"expression": (E,), "identity": (I,)} float32."""
        return {name: code[0] for name, code in self.engine.codes(self.crop(face, number).crop[None]).items()}

    def estimate_aus(self, face: Picture, number: int | None = None) -> dict[int, float]:
        """Return the intensity 0-5 of every action unit that the model knows."""
        found = self.engine.units_of(self.crop(face, number).crop[None])[0].tolist()
        return {au: value for au, value in zip(AUS, found, strict=True) if not math.isnan(value)}

    def sides(self, face: Picture, number: int | None = None) -> dict[tuple[int, str], float]:
        """Return the intensity 0-5 of every action unit that the model knows by side, "L" or "R", the person's own.

        Of a model that reads no sides both are alike.
        """
        crops = self.crop(face, number).crop[None]
        if "read" in self.engine.abilities:
            found = self.engine.readings(crops)
            read = {"L": found.left[0].tolist(), "R": found.right[0].tolist()}
        else:
            read = dict.fromkeys("LR", self.engine.units_of(crops)[0].tolist())
        units = ((au, side, value) for side in "LR" for au, value in zip(AUS, read[side], strict=True))
        return {(au, side): value for au, side, value in units if not math.isnan(value)}

    def expression(self, face: Picture, number: int | None = None, name: str = "a face") -> Expression:
        """Return what a face shows as something that can be asked for: the units that an edit like it would ask for."""
        shown = self.sides(face, number)
        units: dict[int | str, float] = {f"{au}{side}": value for (au, side), value in shown.items()}
        return Expression(name, units, None, f"read from {name} by {self.name}")

    def generate(self, count: int, expression: str | None = None, seed: int = 0) -> list[Photo]:
        """Return pictures of people who do not exist, showing a class or, with None, one drawn for each."""
        stamp = self.stamp(f"generate: {expression or 'any expression'}", source=None)
        made = self.engine.generate(count, expression, seed)
        return [replace(as_photo(picture), stamp=stamp) for picture in made]

    def stamp(self, operation: str, source: str | None = UNNAMED) -> Stamp:
        """Return the note that a made picture carries; `source` names its photograph, None if there was none."""
        source = None if source is None else path_text(source)
        return Stamp(f"mien {VERSION}", self.name, path_text(operation), source, weights=self.fingerprint)

    def _stamp_of(self, photo: Photo, operation: str) -> Stamp:
        """Return the note of what is made of a photo, which may be made itself."""
        before = f"{photo.stamp.operation}, then " if photo.stamp else ""
        return self.stamp(before + operation, photo.name or UNNAMED)

    def save(
        self,
        photo: Photo,
        path: str | Path,
        operation: str | None = None,
        source: str | None = UNNAMED,
        stamped: bool = True,
        seal: Seal | None = None,
    ) -> None:
        """Write a made picture; its metadata says so, unless `stamped` is False. `seal` is as in `write_photo`.

        Without an `operation` the note is the picture's own, as `Photo.save` writes it.
        """
        stamp = photo.stamp if operation is None and photo.stamp else self.stamp(operation or "edit", source)
        write_photo(photo, path, stamp if stamped else None, seal)

    def change(self, cut: FaceCrop, controls: Controls, transfers: bool = False) -> Change:
        """Return what brings a face to what is asked, for `apply`; by the model's transfer where `transfers`."""
        return self.engine.change(cut.crop, controls, transfers)

    def apply(self, cut: FaceCrop, what: Change) -> Photo:
        """Return the photograph of a face with a change made to it."""
        rgb = cut.photo.rgb
        if isinstance(what, Maps):
            return replace(cut.photo, rgb=morph(rgb, what, cut.matrix, self.size))
        mask = None if cut.points is None else landmark_mask(cut.points, self.size)
        return replace(cut.photo, rgb=paste_residual(rgb, what, cut.matrix, mask))

    def _changed(self, faces: Sequence[FaceCrop], controls: Controls, transfers: bool = False) -> Photo:
        """Return the photograph of `faces` with each of them changed, one after the other."""
        photo = faces[0].photo
        if self.crop_only:
            if len(faces) > 1:
                raise InputError(f"{len(faces)} faces found, and a crop is of one; choose one with --face N (number=N)")
            made = self.engine.picture(faces[0].crop, controls, transfers)
            return replace(photo, rgb=made, alpha=None, sixteen=None)
        for cut in faces:
            photo = self.apply(replace(cut, photo=photo), self.change(cut, controls, transfers))
        return photo

    # Old names, until 0.2.
    see, see_at, faces, put, change_of, reached, invent = crop, crop_at, crops, apply, change, achieved, generate
