"""Photograph in, photograph out: find the face, ask the model, change the photograph's pixels as it says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from mien.about import DEFAULT, VERSION
from mien.controls import Controls
from mien.errors import InputError
from mien.faces.align import align, rescaled, similarity
from mien.faces.detect import Face, choose_face, find_faces
from mien.faces.landmarks import Landmarker
from mien.faces.morph import Maps, morph
from mien.faces.paste import landmark_mask, paste_residual
from mien.labels import AUS, CLASSES, PROTOTYPES, sides
from mien.landmarker import find_landmarker
from mien.media.photo import Photo, Seal, read_photo, write_photo
from mien.media.provenance import Stamp
from mien.models.contract import Embeds, EstimatesAus, Family, Generates, Recognizes, Transfers, Warps
from mien.models.io import fingerprint, load, place
from mien.models.registry import able, editor_by, name_of
from mien.models.residual import change, pasted
from mien.nn.blocks import folded
from mien.nn.images import to_pixels
from mien.nn.modes import native_bf16
from mien.nn.warp import Fields

if TYPE_CHECKING:
    import pandas as pd

Which = int | Literal["all"] | None
"""Faces of a photograph: the n-th from the left, counted from 1; all; or with None the only one there is."""

Change = Maps | np.ndarray
"""What is done to a face: moved, shaded and covered, or (S, S, 3) grey levels added to its crop."""


@dataclass(frozen=True)
class Seen:
    """A face in a photograph as the model sees it."""

    photo: Photo
    matrix: np.ndarray  # (2, 3) photo pixels -> crop pixels
    crop: Tensor  # (1, 3, S, S) in [-1, 1]
    number: int  # 1 is the leftmost
    box: tuple[float, float, float, float]  # x, y, width, height in photo pixels
    points: np.ndarray | None = None  # (68, 2) landmarks in crop pixels, where a landmarker was asked
    source: str = "given"  # what gave the eye centres, as of `Face`; of aligned crops the template


Picture = str | Path | np.ndarray | Photo | Seen | list[Seen]
"""A file, an RGB uint8 array (H, W, 3), a photo that was read, or what this editor saw in one: a face, or several."""


class Editor:
    """A model and all that lies between it and a photograph.

    `model` is a zoo name, a file, a run's folder or a model. Pictures may be files, arrays, photos or faces that this
    editor saw, which are not looked for again. Methods that change a face return a Photo; `save` writes it with a note
    that it was made. Where a picture shows several faces, `number` (1 is the leftmost) says which, and "all" changes
    every one. With `aligned`, pictures are taken as crops already aligned, as a data set's are, and no face is looked
    for. `landmarker` finds the eyes: "net" our own, "mediapipe:FILE.task", or "cascade", which None is too. With
    `bare`, methods that change a face return its aligned crop alone, at the model's size.

    A model that `Warps` says what becomes of the photograph's own pixels, and that is done to them. A net that squeezes
    a face through a few numbers cannot give a stranger's pores back. So not its picture is pasted but its change: its
    picture with the new expression minus its picture with the old one (`mien.models.residual.change`).

    Raises InputError for anything a user can get wrong, with what to do about it.
    """

    def __init__(
        self,
        model: str | Family = DEFAULT,
        device: str = "cpu",
        aligned: bool = False,
        bare: bool = False,
        landmarker: str | Landmarker | None = "net",
    ):
        self.model = load(model, device) if isinstance(model, str) else place(model, device)
        if isinstance(model, str):
            folded(self.model)
        self.name = name_of(self.model)
        self.size = int(self.model.config.image_size)
        self.device = device
        self.aligned = aligned
        self.bare = bare
        if isinstance(landmarker, str):
            landmarker = None if aligned else find_landmarker(landmarker)
        self.landmarker = landmarker

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the model's parameters and buffers."""
        return fingerprint(self.model)

    def see(self, picture: Picture, number: int | None = None) -> Seen:
        """Return the picture's face as the model sees it."""
        (seen,) = self.faces(picture, number)
        return seen

    def faces(self, picture: Picture, number: Which = "all") -> list[Seen]:
        """Return the picture's faces as the model sees them, from left to right."""
        if isinstance(picture, Seen):
            return [picture]
        if isinstance(picture, list):
            return picture
        photo = as_photo(picture)
        if self.aligned:
            height, width = photo.rgb.shape[:2]
            matrix = rescaled(np.eye(2, 3), np.array([self.size / width, self.size / height]))
            return [self._cut(photo, matrix, 1, (0.0, 0.0, float(width), float(height)))]
        name = Path(picture) if isinstance(picture, str | Path) else Path("the picture")
        found = find_faces(photo.rgb, self.landmarker)
        if number != "all" or not found:
            one = None if number == "all" else number
            return [self.see_at(photo, choose_face(found, name, one), one or 1)]
        return [self.see_at(photo, face, k) for k, face in enumerate(found, 1)]

    def see_at(self, picture: Picture, face: Face, number: int = 1) -> Seen:
        """Return a face that was found before as the model sees it; to find it is most of the time of an edit."""
        matrix = similarity(face.eyes, self.size)
        points = None if face.points is None else face.points @ matrix[:, :2].T + matrix[:, 2]
        return replace(self._cut(as_photo(picture), matrix, number, face.box), points=points, source=face.source)

    def _cut(self, photo: Photo, matrix: np.ndarray, number: int, box: tuple[float, float, float, float]) -> Seen:
        crop = torch.from_numpy(align(photo.rgb, matrix, self.size)).to(self.device)
        image = crop.permute(2, 0, 1)[None].float() / 127.5 - 1
        return Seen(photo, matrix, image.contiguous(memory_format=torch.channels_last), number, box)

    def transfer(self, face: Picture, like: Picture, number: Which = None, like_number: int | None = None) -> Photo:
        """Return `face` with the expression that `like` shows."""
        able(self.model, Transfers)  # before a face is looked for
        controls = Controls(like=self.see(like, like_number).crop)
        return self._changed(self.faces(face, number), controls, transfers=True)

    def edit(
        self,
        face: Picture,
        expression: str | None = None,
        intensity: float = 1.0,
        aus: Mapping[int | str, float] | None = None,
        like: Picture | None = None,
        number: Which = None,
        like_number: int | None = None,
        gaze: tuple[float, float] | None = None,
    ) -> Photo:
        """Return `face` with an asked expression: a class, AU intensities 0-5, or another face's; at 0-1 of it.

        `aus` may name one side, as "12L", and `mien.labels.units_of` makes them of ARKit blendshapes; `gaze` turns the
        eyes by degrees to the right of the picture and up.
        """
        example = self.see(like, like_number).crop if like is not None else None
        controls = Controls(expression, intensity, aus, example, gaze)
        editor_by(self.model, controls)  # before a face is looked for
        return self._changed(self.faces(face, number), controls)

    def reached(
        self, seen: Seen, made: Photo, expression: str | None = None, intensity: float = 1.0,
        aus: Mapping[int | str, float] | None = None,
    ) -> dict[int, tuple[float, float]]:  # fmt: skip
        """Return what was asked of a seen face's action units, and what the model reads in what was made of it, 0-5.

        Of a class these are its prototype's; of two sides the stronger.
        """
        wanted: dict[int, float] = {au: intensity * v for au, v in PROTOTYPES.get(expression or "", {}).items()}
        for unit, value in (aus or {}).items():
            wanted[sides(unit)[0]] = max(wanted.get(sides(unit)[0], 0.0), intensity * value)
        found = self.estimate_aus(self._cut(made, seen.matrix, seen.number, seen.box))
        return {au: (value, found[au]) for au, value in wanted.items() if au in found}

    def neutralize(self, face: Picture, number: Which = None) -> Photo:
        """Return `face` with no expression."""
        return self.edit(face, "neutral", number=number)

    @torch.inference_mode()
    def recognize(self, face: Picture, number: int | None = None) -> dict[str, float]:
        """Return the probability of every expression word, the likeliest first."""
        found = able(self.model, Recognizes).recognize(self.see(face, number).crop).probabilities[0].tolist()
        return dict(sorted(zip(CLASSES, found, strict=True), key=lambda pair: -pair[1]))

    def recognize_all(self, paths: Sequence[str | Path], number: Which = "all") -> pd.DataFrame:
        """Return a row a face of pictures and folders of pictures: see `mien.recognize.recognize_all`."""
        from mien.recognize import recognize_all  # pandas, which not everybody has

        return recognize_all(self, paths, number)

    @torch.inference_mode()
    def embed(self, face: Picture, number: int | None = None) -> dict[str, np.ndarray]:
        """Return the codes of `face`: {"expression": (E,), "identity": (I,)} float32."""
        codes = able(self.model, Embeds).embed(self.see(face, number).crop)
        return {name: getattr(codes, name)[0].float().cpu().numpy() for name in ("expression", "identity")}

    @torch.inference_mode()
    def estimate_aus(self, face: Picture, number: int | None = None) -> dict[int, float]:
        """Return the intensity 0-5 of every action unit that the model knows."""
        found = able(self.model, EstimatesAus).estimate_aus(self.see(face, number).crop)[0].tolist()
        return {au: value for au, value in zip(AUS, found, strict=True) if not math.isnan(value)}

    @torch.inference_mode()
    def invent(self, count: int, expression: str | None = None, seed: int = 0) -> list[Photo]:
        """Return pictures of people who do not exist, showing a class or, with None, one drawn for each."""
        made = able(self.model, Generates).generate(count, expression, seed)
        return [Photo(rgb=to_pixels(image), alpha=None, grey=False, icc=None, exif=None) for image in made]

    def stamp(self, operation: str, source: str | None = "of unknown name") -> Stamp:
        """Return the note that a made picture carries; `source` names its photograph, None if there was none."""
        return Stamp(f"mien {VERSION}", self.name, operation, source, weights=self.fingerprint)

    def save(
        self,
        photo: Photo,
        path: str | Path,
        operation: str = "edit",
        source: str | None = "of unknown name",
        stamped: bool = True,
        seal: Seal | None = None,
    ) -> None:
        """Write a made picture; its metadata says so, unless `stamped` is False. `seal` is as in `write_photo`."""
        write_photo(photo, path, self.stamp(operation, source) if stamped else None, seal)

    @torch.inference_mode()
    def change_of(self, seen: Seen, controls: Controls, transfers: bool = False) -> Change:
        """Return what brings a seen face to what is asked, for `put`; by the model's transfer where `transfers`.

        Where the processor computes in bf16, so are the fields: one face differed by 1.4 in 255 at most.
        """
        if isinstance(self.model, Warps):
            with torch.autocast("cpu", torch.bfloat16, enabled=native_bf16()):
                return maps_of(self.model.fields(seen.crop, controls), self.size)
        made = self._painted(seen.crop, controls, transfers)
        residual = change(able(self.model, Transfers), seen.crop, made)[0] * 127.5  # (3, S, S) grey levels
        return np.ascontiguousarray(residual.permute(1, 2, 0).cpu().numpy())

    def put(self, seen: Seen, what: Change) -> Photo:
        """Return the photograph of a seen face with a change made to it."""
        rgb = seen.photo.rgb
        if isinstance(what, Maps):
            return replace(seen.photo, rgb=morph(rgb, what, seen.matrix, self.size))
        mask = None if seen.points is None else landmark_mask(seen.points, self.size)
        return replace(seen.photo, rgb=paste_residual(rgb, what, seen.matrix, mask))

    @torch.inference_mode()
    def _changed(self, faces: Sequence[Seen], controls: Controls, transfers: bool = False) -> Photo:
        """Return the photograph of `faces` with each of them changed, one after the other."""
        photo = faces[0].photo
        if self.bare:
            if len(faces) > 1:
                raise InputError(f"{len(faces)} faces found, and a bare crop is of one; choose one with --face N")
            crop = faces[0].crop
            made = pasted(able(self.model, Transfers), crop, self._painted(crop, controls, transfers))[0]
            return replace(photo, rgb=to_pixels(made), alpha=None, deep=None)
        for seen in faces:
            photo = self.put(replace(seen, photo=photo), self.change_of(seen, controls, transfers))
        return photo

    def _painted(self, crop: Tensor, controls: Controls, transfers: bool) -> Tensor:
        """Return the model's own picture of what is asked, (1, 3, S, S)."""
        if transfers and controls.like is not None:
            return able(self.model, Transfers).transfer(crop, controls.like)
        return editor_by(self.model, controls).edit(crop, controls)


def maps_of(fields: Fields, size: int) -> Maps:
    """Return the first face's fields as arrays, for a crop of `size`."""
    alpha, paint = fields.covering(size)

    def array(x: Tensor) -> np.ndarray:
        return np.ascontiguousarray(x[0].permute(1, 2, 0).float().cpu().numpy())

    return Maps(
        array(fields.motion(size)), array(fields.shade)[..., 0], array(alpha)[..., 0], (array(paint) + 1) * 127.5
    )


def as_photo(picture: Picture) -> Photo:
    """Return a photo of a file or an array. Raises InputError for an array that is no RGB picture."""
    if isinstance(picture, Photo):
        return picture
    if isinstance(picture, Seen):
        return picture.photo
    if isinstance(picture, list):
        return picture[0].photo
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise InputError(f"a picture must be uint8 (H, W, 3) RGB; got {picture.dtype} {picture.shape}")
        return Photo(rgb=picture, alpha=None, grey=False, icc=None, exif=None)
    return read_photo(Path(picture))
