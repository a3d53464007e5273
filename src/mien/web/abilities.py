"""What a model can be asked for, so that the page offers that and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from mien.runtime.engine import Engine

WAYS = ("Expression", "Action units", "Photograph", "Gaze")
"""The ways of asking for a change, as the page names them."""


@dataclass(frozen=True)
class Abilities:
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


def abilities_of(engine: Engine) -> Abilities:
    """Return what an engine's model can be asked for."""
    by = engine.edits_by
    return Abilities(
        classes="expression" in by,
        units=engine.units if "aus" in by else (),
        sides="sides" in by,
        gaze="gaze" in by,
        likes="transfer" in engine.abilities,
        fades="like" in by,
        paper=engine.paper,
    )
