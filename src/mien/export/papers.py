"""What is exported of models that paint: a class, units or an example asked for, at an intensity, each by face."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.export.graph import Graph
from mien.labels import AUS, CLASSES
from mien.models.contract import Edits, Family, Transfers
from mien.models.eet.equations import fused_feature
from mien.models.eet.model import LEVELS, Eet
from mien.models.expr_gan.equations import full_code
from mien.models.expr_gan.model import ExprGan
from mien.models.jesrl.equations import block_mask, switch
from mien.models.jesrl.model import Jesrl
from mien.models.residual import residual_of
from mien.models.two_codes import TwoCodes
from mien.nn.class_codes import ClassCodes

Edit = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Faces (B, 3, S, S), labels (B,) or examples (B, 3, S, S), and intensities (B,) -> pictures."""


@dataclass(frozen=True)
class Coded:
    """A model that paints a face from a code of the expression: `table` holds the classes', the first is neutral."""

    table: Tensor  # (8, …)
    encode: Callable[[Tensor], Tensor]  # an example -> its code
    paint: Callable[[Tensor, Tensor], Tensor]  # face, code -> picture

    def by_class(self, face: Tensor, label: Tensor, intensity: Tensor) -> Tensor:
        """Return faces that show classes."""
        return self.paint(face, self.faded(self.table[label], intensity))

    def by_example(self, face: Tensor, like: Tensor, intensity: Tensor) -> Tensor:
        """Return faces that show what others show."""
        return self.paint(face, self.faded(self.encode(like), intensity))

    def faded(self, code: Tensor, intensity: Tensor) -> Tensor:
        """Return codes on their way from neutral's."""
        neutral = self.table[:1]
        return neutral + intensity.reshape(-1, *[1] * (code.ndim - 1)) * (code - neutral)


def coded(model: Family) -> Coded | None:
    """Return a model as one that paints from codes, None where it is none."""
    if isinstance(model, TwoCodes):
        return Coded(
            means(model.class_codes), model.expression_encoder, lambda x, c: model._decode(c, model.identity_encoder(x))
        )
    if isinstance(model, Eet):
        return Coded(
            means(model.class_codes), model._unit, lambda x, c: model._generate(c, model.free_encoder(model.encoder(x)))
        )
    if isinstance(model, ExprGan):
        table = full_code(torch.eye(len(CLASSES))[:, 1:], model.config.style)
        return Coded(table, model._example_code, lambda x, c: model._decode(model._identity(x), c))
    return None


def means(codes: ClassCodes) -> Tensor:
    """Return every class's mean code (8, …); zero for classes that training never showed, which are not asked for."""
    shown = codes.total / codes.count.clamp(min=1e-6)[:, None]
    return shown.detach().unflatten(1, codes.shape)


def edits_of(model: Family, faces: Tensor) -> Iterator[Graph]:
    """Yield how a model that paints changes faces; each gives the picture and the residual that is to be added."""
    if not isinstance(model, Transfers) or not isinstance(model, Edits):
        return
    both, like = ("picture", "residual"), faces.roll(1, 0)
    count = len(faces)
    intensity = torch.linspace(1, 0.4, count)

    def with_residual(function: Callable[..., Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
        def both_of(face: Tensor, *asked: Tensor) -> tuple[Tensor, Tensor]:
            made = function(face, *asked)
            return made, residual_of(model, face, made)

        return both_of

    yield Graph("transfer", model, with_residual(model.transfer), {"face": faces, "like": like}, both)
    one = coded(model)
    by_class, by_example = (
        _jesrl(model) if isinstance(model, Jesrl) else (one.by_class, one.by_example) if one else (None, None)
    )
    codes = getattr(model, "class_codes", getattr(model, "class_blocks", None))
    if by_class and by_example:
        known = [k for k, word in enumerate(CLASSES) if codes is None or codes.has(word)]
        label = torch.tensor([known[(k + 1) % len(known)] for k in range(count)])
        asked = {"face": faces, "label": label, "intensity": intensity}
        yield Graph("edit", model, with_residual(by_class), asked, both)
        asked = {"face": faces, "like": like, "intensity": intensity}
        yield Graph("edit_like", model, with_residual(by_example), asked, both)
    if isinstance(model, Eet) and one:
        units = torch.full((count, len(AUS)), torch.nan)
        units[:, AUS.index(12)], units[: count // 2, AUS.index(4)] = 4.0, 2.0
        asked = {"face": faces, "units": units, "intensity": intensity}
        yield Graph("edit_units", model, with_residual(_by_units(model, one)), asked, both)
    if isinstance(model, ExprGan):
        c = model.config
        draw = torch.Generator().manual_seed(0)
        identity, style = (torch.rand(4, n, generator=draw) * 2 - 1 for n in (c.identity_code, c.style))
        asked = {"identity": identity, "style": style, "label": torch.arange(1, 5)}
        yield Graph("generate", model, _new_people(model), asked, ("picture",))


def _jesrl(model: Jesrl) -> tuple[Edit, Edit]:
    """Return how JESRL edits: it switches the blocks of the classes that a face may show, and of those asked for."""
    table = means(model.class_blocks)
    always = torch.zeros(1, len(CLASSES), dtype=torch.bool)
    always[0, 0] = model.class_blocks.has("neutral")

    def drawn(face: Tensor, asked: Tensor, named: Tensor, intensity: Tensor) -> Tensor:
        seen = model.encoder(face)
        shown = model._shown(seen) | always | named
        wanted = table[:1] + intensity.reshape(-1, 1, 1, 1) * (asked - table[:1])
        return model.draw(seen, switch(seen.representation, wanted, block_mask(shown, model.shape[0])), shown)

    def by_class(face: Tensor, label: Tensor, intensity: Tensor) -> Tensor:
        named = F.one_hot(torch.where(intensity > 0, label, 0), len(CLASSES)) > 0
        return drawn(face, table[label], named, intensity)

    def by_example(face: Tensor, like: Tensor, intensity: Tensor) -> Tensor:
        example = model.encoder(like)
        named = model._shown(example) & (intensity > 0)[:, None]
        return drawn(face, example.representation, named, intensity)

    return by_class, by_example


def _by_units(model: Eet, one: Coded) -> Edit:
    """Return how EET moves units (B, 21), 0-5, NaN for those that are not asked for."""
    directions = torch.zeros(len(AUS), *model.shape)
    for place, au in enumerate(model.units):
        if model.unit_directions.gram[place, place] > 0:
            directions[AUS.index(au)] = model.unit_directions.direction(place).unflatten(0, model.shape)
    places = list(model.places)

    def by_units(face: Tensor, units: Tensor, intensity: Tensor) -> Tensor:
        maps, estimates = model.unit_encoder(model.encoder(face))
        shown = torch.zeros_like(units).index_copy(1, torch.tensor(places), estimates.float() * LEVELS)
        off = torch.where(units.isnan(), 0.0, units - shown)
        moved = fused_feature(maps) + (off @ directions.flatten(1)).unflatten(1, model.shape)
        return one.paint(face, one.faded(moved, intensity))

    return by_units


def _new_people(model: ExprGan) -> Callable[..., tuple[Tensor]]:
    def new_people(identity: Tensor, style: Tensor, label: Tensor) -> tuple[Tensor]:
        present = F.one_hot(label, len(CLASSES))[:, 1:].float()
        return (model._decode(identity, model.supervision.controlled(present, style, label)),)

    return new_people
