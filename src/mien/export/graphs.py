"""What is exported of a model: its uses as functions of tensors, with real inputs to check them on."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mien.controls import Controls
from mien.export.graph import Graph
from mien.export.papers import edits_of
from mien.models import contract
from mien.models.contract import Family
from mien.models.fields.code import corrected
from mien.models.fields.model import FieldModel, Seen
from mien.models.fields.roll import rolled
from mien.models.reader.code import ANGLE, CODE, STRONGEST, UNITS
from mien.nn.warp import Fields, composed
from mien.runtime.description import FINER

ASKED = (
    Controls("happiness"), Controls(aus={"43L": 5}), Controls("surprise", 0.6), Controls(aus={4: 3}, gaze=(20, -8)),
    Controls("neutral"), Controls("anger", turn=(8, 4)),
)  # fmt: skip
"""What faces are asked for when graphs are checked."""

TILT = 6.0  # degrees, likewise


def graphs_of(model: Family, faces: Tensor) -> Iterator[Graph]:
    """Yield a model's uses, to be checked on faces (B, 3, S, S) in [-1, 1], at least two."""
    face = {"face": faces}
    if isinstance(model, contract.FindsPoints):
        yield Graph("points", model, lambda x: (model.find_points(x),), face, ("points",))
    if names := _readings(model):
        yield Graph("read", model, lambda x: tuple(_read(model, x).values()), face, names)
    if isinstance(model, contract.Embeds):
        yield Graph("embed", model, lambda x: _codes(model, x), face, ("expression", "identity"))
    if isinstance(model, FieldModel):
        yield from _of_fields(model, faces)
    else:
        yield from edits_of(model, faces)


def _codes(model: contract.Embeds, face: Tensor) -> tuple[Tensor, Tensor]:
    found = model.embed(face)
    return found.expression, found.identity


def _read(model: Family, face: Tensor) -> dict[str, Tensor]:
    """Return what a model reads, by the names of the outputs."""
    found: dict[str, Tensor] = {}
    if isinstance(model, contract.Reads):
        code = model.read(face)
        left, right, angles = code.split([UNITS, UNITS, CODE - 2 * UNITS], 1)
        found |= {"code": code, "left": STRONGEST * left, "right": STRONGEST * right, "angles": ANGLE * angles}
    if isinstance(model, contract.EstimatesAus):
        found["units"] = model.estimate_aus(face)
    if isinstance(model, contract.Recognizes):
        found["probabilities"] = model.recognize(face).probabilities
    return found


def _readings(model: Family) -> tuple[str, ...]:
    """Return the names of what a model reads."""
    read = ("code", "left", "right", "angles") if isinstance(model, contract.Reads) else ()
    units = ("units",) if isinstance(model, contract.EstimatesAus) else ()
    return (*read, *units, *(("probabilities",) if isinstance(model, contract.Recognizes) else ()))


def _of_fields(model: FieldModel, faces: Tensor) -> Iterator[Graph]:
    """Yield how a face is edited: seen once, then moved for every request; and both in one."""
    size = int(model.config.image_size)

    def see(face: Tensor) -> tuple[Tensor, ...]:
        seen = model.see(face)
        return (seen.known, *seen.maps)

    def made(face: Tensor, known: Tensor, maps: list[Tensor], asked: Tensor) -> tuple[Fields, Tensor]:
        view = model.view(face)
        fields = model._fields_between(face, view, known, asked, maps)
        return fields, model._read(composed(view, fields))[0]

    def moved(face: Tensor, fields: Fields) -> tuple[Tensor, ...]:
        paint = fields.paint(FINER * size)
        return fields.motion(size), fields.shade, fields.alpha(size), paint, composed(face, fields)

    def move(face: Tensor, known: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        *maps, asked, wanted = rest
        fields, reached = made(face, known, list(maps), asked)
        return (*moved(face, fields), corrected(asked, wanted, reached))

    def tilt(face: Tensor, known: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        *maps, asked, degrees = rest
        fields = model._fields_between(face, model.view(face), known, asked, list(maps))
        return moved(face, rolled(fields, degrees[:, 0], size))

    def edit(face: Tensor, wanted: Tensor) -> tuple[Tensor]:
        seen, asked = model.see(face), wanted
        fields, reached = made(face, seen.known, seen.maps, asked)
        for _ in range(model.config.rounds):
            asked = corrected(asked, wanted, reached)
            fields, reached = made(face, seen.known, seen.maps, asked)
        return (composed(face, fields),)

    def transfer(face: Tensor, like: Tensor) -> tuple[Tensor]:
        example, known = model.read(like), model.see(face).known
        return edit(face, torch.cat([example[:, : 2 * UNITS], known[:, 2 * UNITS :]], 1))

    with torch.no_grad():
        seen = model.see(faces)
        rows = [model.asked(_row(seen, k), ASKED[k % len(ASKED)])[:, :CODE] for k in range(len(faces))]
    wanted = torch.cat(rows)
    known = {"face": faces, "known": seen.known} | {f"map{k}": x for k, x in enumerate(seen.maps)}
    maps = ("flow", "shade", "alpha", "paint", "picture")
    yield Graph("see", model, see, {"face": faces}, ("known", *(f"map{k}" for k in range(len(seen.maps)))))
    yield Graph("move", model, move, known | {"asked": wanted, "wanted": wanted}, (*maps, "better"))
    tilted = torch.linspace(-TILT, TILT, len(faces))[:, None]
    yield Graph("tilt", model, tilt, known | {"asked": wanted, "degrees": tilted}, maps)
    yield Graph("edit", model, edit, {"face": faces, "wanted": wanted}, ("picture",))
    yield Graph("transfer", model, transfer, {"face": faces, "like": faces.roll(1, 0)}, ("picture",))


def _row(seen: Seen, k: int) -> Seen:
    one = slice(k, k + 1)
    return Seen(seen.face[one], seen.view[one], seen.known[one], [x[one] for x in seen.maps])
