"""What a model can be asked for, so that the page offers that and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from mien.controls import Controls
from mien.labels import CLASSES, PRESETS
from mien.runtime.engine import Engine

WORDS = tuple(
    word for word in (*CLASSES, *PRESETS) if word not in ("neutral", "wink")
)  # neutral is a slider, a wink is of one side


@dataclass(frozen=True)
class Abilities:
    """What the page shows for a model."""

    words: tuple[str, ...]  # expressions by name, with an intensity: classes, and presets that it can
    parts: bool  # of which a part of the face can be taken alone
    units: tuple[int, ...]  # action units that it moves
    sides: bool  # of which one side can be moved alone
    gaze: bool
    head: bool  # turned and tilted
    likes: bool  # another photograph's expression
    fades: bool  # and that at an intensity
    paper: str

    @property
    def able(self) -> bool:
        """Whether the model changes faces at all."""
        return bool(self.words or self.units or self.likes or self.gaze)


def abilities_of(engine: Engine) -> Abilities:
    """Return what an engine's model can be asked for."""
    by = engine.edits_by
    return Abilities(
        words=tuple(word for word in WORDS if can(engine, Controls(word))),
        parts="only" in by,
        units=engine.units if "aus" in by else (),
        sides="sides" in by,
        gaze="gaze" in by,
        head={"turn", "roll"} <= {*by},
        likes="transfer" in engine.abilities,
        fades="like" in by,
        paper=engine.paper,
    )


def can(engine: Engine, asked: Controls) -> bool:
    """Whether an engine's model edits so, and knows the action units that it would be asked for."""
    by_units = "aus" in asked.kinds
    known = not by_units or {au for au, *_ in asked.units()} <= {*engine.units}
    return {*asked.kinds} <= {*engine.edits_by} and known
