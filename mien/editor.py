"""Photograph in, photograph out: find the face, ask the model, paste the change back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import mien
from mien.errors import InputError
from mien.faces.align import align, similarity
from mien.faces.detect import choose_face, find_faces
from mien.faces.morph import Maps, morph
from mien.faces.paste import paste_residual
from mien.faces.photo import Photo, read_photo, write_photo
from mien.labels import AUS, CLASSES, sides
from mien.models import (
    Controls,
    Embeds,
    EstimatesAus,
    Family,
    Invents,
    Moves,
    Recognizes,
    Transfers,
    able,
    change,
    editor_by,
    name_of,
)
from mien.models.fields import PROTOTYPES
from mien.nn.field_net import Fields
from mien.provenance import Stamp
from mien.sheet import to_pixels
from mien.weights import load, place


@dataclass(frozen=True)
class Seen:
    """A face in a photograph as the model sees it."""

    photo: Photo
    matrix: np.ndarray  # (2, 3) photo pixels -> crop pixels
    crop: Tensor  # (1, 3, S, S) in [-1, 1]


Picture = str | Path | np.ndarray | Photo | Seen
"""A file, an RGB uint8 array (H, W, 3), a photo that was read, or a face that was found in one."""


class Editor:
    """A model and all that lies between it and a photograph.

    `model` is a zoo name, a file, a run's folder or a model. Pictures may be files, arrays or photos. Methods that
    change a face return a Photo; `save` writes it with a note that it was made. Where a picture shows several faces,
    `number` (1 is the leftmost) says which. With `aligned`, pictures are taken as crops already aligned, as a data
    set's are, and no face is looked for.

    A net that squeezes a face through a few numbers cannot give a stranger's pores back. So not its picture is
    pasted but its change: its picture with the new expression minus its picture with the old one
    (`mien.models.change`).

    Raises InputError for anything a user can get wrong, with what to do about it.
    """

    def __init__(self, model: str | Family = "ter_gan", device: str = "cpu", aligned: bool = False):
        self.model = load(model, device) if isinstance(model, str) else place(model, device)
        self.name = name_of(self.model)
        self.size = int(self.model.config.image_size)
        self.device = device
        self.aligned = aligned

    def see(self, picture: Picture, number: int | None = None) -> Seen:
        """Return the picture's face as the model sees it."""
        if isinstance(picture, Seen):
            return picture
        photo = as_photo(picture)
        if self.aligned:
            height, width = photo.rgb.shape[:2]
            # Pixel centres are whole numbers: the first and last half pixels of both frames meet.
            scale = np.array([self.size / width, self.size / height])
            matrix = np.array([[scale[0], 0, (scale[0] - 1) / 2], [0, scale[1], (scale[1] - 1) / 2]])
        else:
            name = picture if isinstance(picture, str | Path) else "the picture"
            return self.see_at(photo, choose_face(find_faces(photo.rgb), Path(name), number).eyes)
        return self._cut(photo, matrix)

    def see_at(self, photo: Photo, eyes: np.ndarray) -> Seen:
        """Return the face with eye centres (2, 2) as the model sees it; to find them is most of the time of an edit."""
        return self._cut(photo, similarity(eyes, self.size))

    def _cut(self, photo: Photo, matrix: np.ndarray) -> Seen:
        crop = torch.from_numpy(align(photo.rgb, matrix, self.size)).to(self.device)
        image = crop.permute(2, 0, 1)[None].float() / 127.5 - 1
        return Seen(photo, matrix, image.contiguous(memory_format=torch.channels_last))

    def transfer(
        self, face: Picture, like: Picture, number: int | None = None, like_number: int | None = None
    ) -> Photo:
        """Return `face` with the expression that `like` shows."""
        model, example = able(self.model, Transfers), self.see(like, like_number).crop
        return self._change(self.see(face, number), Controls(like=example), lambda crop: model.transfer(crop, example))

    def edit(
        self,
        face: Picture,
        expression: str | None = None,
        intensity: float = 1.0,
        aus: Mapping[int | str, float] | None = None,
        like: Picture | None = None,
        number: int | None = None,
        like_number: int | None = None,
        gaze: tuple[float, float] | None = None,
    ) -> Photo:
        """Return `face` with an asked expression: a class, AU intensities 0-5, or another face's; at 0-1 of it.

        `aus` may name one side, as "12L", and `mien.labels.units_of` makes them of ARKit blendshapes; `gaze` is degrees
        to the right of the picture and up.
        """
        example = self.see(like, like_number).crop if like is not None else None
        controls = Controls(expression, intensity, aus, example, gaze)
        model = editor_by(self.model, controls)
        return self._change(self.see(face, number), controls, lambda crop: model.edit(crop, controls))

    def reached(
        self, made: Photo, expression: str | None = None, intensity: float = 1.0,
        aus: Mapping[int | str, float] | None = None, number: int | None = None,
    ) -> dict[int, tuple[float, float]]:  # fmt: skip
        """Return what was asked of every action unit, and what the model reads of it in the made picture, 0-5.

        Of a class these are its prototype's; of two sides the stronger.
        """
        wanted: dict[int, float] = {au: intensity * v for au, v in PROTOTYPES.get(expression or "", {}).items()}
        for unit, value in (aus or {}).items():
            wanted[sides(unit)[0]] = max(wanted.get(sides(unit)[0], 0.0), intensity * value)
        found = self.estimate_aus(made, number)
        return {au: (value, found[au]) for au, value in wanted.items() if au in found}

    def neutralize(self, face: Picture, number: int | None = None) -> Photo:
        """Return `face` with no expression."""
        return self.edit(face, "neutral", number=number)

    @torch.inference_mode()
    def recognize(self, face: Picture, number: int | None = None) -> dict[str, float]:
        """Return the probability of every expression word, the likeliest first."""
        found = able(self.model, Recognizes).recognize(self.see(face, number).crop).probabilities[0].tolist()
        return dict(sorted(zip(CLASSES, found, strict=True), key=lambda pair: -pair[1]))

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
        made = able(self.model, Invents).invent(count, expression, seed)
        return [Photo(rgb=to_pixels(image), alpha=None, grey=False, icc=None, exif=None) for image in made]

    def stamp(self, operation: str, source: str | None = "of unknown name") -> Stamp:
        """Return the note that a made picture carries; `source` names its photograph, None if there was none."""
        return Stamp(software=f"mien {mien.__version__}", model=self.name, operation=operation, source=source)

    def save(
        self,
        photo: Photo,
        path: str | Path,
        operation: str = "edit",
        source: str | None = "of unknown name",
        stamped: bool = True,
    ) -> None:
        """Write a made picture; its metadata says so, unless `stamped` is False."""
        write_photo(photo, path, self.stamp(operation, source) if stamped else None)

    @torch.inference_mode()
    def _change(self, seen: Seen, controls: Controls, make: Callable[[Tensor], Tensor]) -> Photo:
        if isinstance(self.model, Moves):
            maps = maps_of(self.model.moves(seen.crop, controls), self.size)
            return replace(seen.photo, rgb=morph(seen.photo.rgb, maps, seen.matrix, self.size))
        residual = change(able(self.model, Transfers), seen.crop, make(seen.crop))[0] * 127.5  # (3, S, S) grey levels
        pixels = residual.permute(1, 2, 0).cpu().numpy()
        return replace(seen.photo, rgb=paste_residual(seen.photo.rgb, np.ascontiguousarray(pixels), seen.matrix))


def maps_of(fields: Fields, size: int) -> Maps:
    """Return the first face's fields as arrays, for a crop of `size`."""
    alpha, paint = fields.covering(size)

    def array(x: Tensor) -> np.ndarray:
        return np.ascontiguousarray(x[0].permute(1, 2, 0).float().cpu().numpy())

    return Maps(array(fields.flow), array(fields.shade)[..., 0], array(alpha)[..., 0], (array(paint) + 1) * 127.5)


def as_photo(picture: Picture) -> Photo:
    """Return a photo of a file or an array. Raises InputError for an array that is no RGB picture."""
    if isinstance(picture, Photo):
        return picture
    if isinstance(picture, Seen):
        return picture.photo
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise InputError(f"a picture must be uint8 (H, W, 3) RGB; got {picture.dtype} {picture.shape}")
        return Photo(rgb=picture, alpha=None, grey=False, icc=None, exif=None)
    return read_photo(Path(picture))
