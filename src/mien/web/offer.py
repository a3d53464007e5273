"""What a model can be asked for, so that the page offers that and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from mien.editor import Editor
from mien.labels import AUS
from mien.models.contract import Edits, EstimatesAus, Transfers

WAYS = ("Expression", "Action units", "Photograph", "Gaze")
"""The ways of asking for a change, as the page names them."""


@dataclass(frozen=True)
class Offer:
    """What the page shows for a model."""

    classes: bool  # an expression word, with an intensity
    units: tuple[int, ...]  # action units that it moves
    sides: bool  # of which one side can be moved alone
    gaze: bool
    likes: bool  # another photograph's expression
    fades: bool  # and that at an intensity
    paper: str

    @property
    def ways(self) -> list[str]:
        """The ways of asking that it takes, of WAYS; none for a model that changes no face."""
        taken = (self.classes, bool(self.units), self.likes, self.gaze)
        return [way for way, takes in zip(WAYS, taken, strict=True) if takes]


def offer_of(editor: Editor) -> Offer:
    """Return what an editor's model can be asked for."""
    model = editor.model
    by = type(model).edits_by if isinstance(model, Edits) else ()
    return Offer(
        classes="expression" in by,
        units=units_of(editor) if "aus" in by else (),
        sides="sides" in by,
        gaze="gaze" in by,
        likes=isinstance(model, Transfers),
        fades="like" in by,
        paper=type(model).paper,
    )


@torch.inference_mode()
def units_of(editor: Editor) -> tuple[int, ...]:
    """Return the action units that a model measures, which are those it moves; all if it measures none."""
    if not isinstance(editor.model, EstimatesAus):
        return AUS
    blank = torch.zeros(1, 3, editor.size, editor.size, device=editor.device)
    found = editor.model.estimate_aus(blank)[0].tolist()
    return tuple(au for au, value in zip(AUS, found, strict=True) if not math.isnan(value))
