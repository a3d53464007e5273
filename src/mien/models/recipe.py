"""A paper's training section as data: stages run in order, each a fixed cycle of turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Adam:
    """Adam's settings; a paper's "momentum 0.5" is its first beta."""

    lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Sgd:
    """Stochastic gradient descent's settings."""

    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Turn:
    """One optimizer step: which nets move, on which weighted losses."""

    name: str
    nets: tuple[str, ...]  # attributes of the Family, or parts of them, as mover.eyes; nothing else moves
    weights: Mapping[str, float]  # loss name -> lambda; the only place a loss weight is written
    optimizer: Adam | Sgd = field(default_factory=Adam)
    every: int = 1  # takes part in every n-th step of its stage
    rates: Mapping[str, float] = field(default_factory=dict)  # net -> factor of its learning rate; 1 for all others


@dataclass(frozen=True)
class Stage:
    """`steps` batches, each going through all `turns`; a stage starts with fresh optimizers.

    `decay` is the share at the stage's end over which every learning rate falls linearly to zero.
    """

    name: str
    steps: int
    turns: tuple[Turn, ...]
    decay: float = 0.0


def turn_steps(stages: Sequence[Stage]) -> dict[str, int]:
    """Return by turn in how many steps it takes part: in every `every`-th of each stage that has a turn so named."""
    taken: Counter[str] = Counter()
    for stage in stages:
        for turn in stage.turns:
            taken[turn.name] += -(-stage.steps // turn.every)
    return dict(taken)


def turns_in_words(stages: Sequence[Stage]) -> str:
    """Return what share of all steps each turn has, as a model card states it."""
    total = sum(stage.steps for stage in stages)
    shares = (f"{name} {count / max(total, 1):.1%}" for name, count in turn_steps(stages).items())
    return f"Share of the {total:,} steps that each turn takes part in: {', '.join(shares)}."


def rotations(most: float, steps: int = 2) -> tuple[float, ...]:
    """Return degrees from -most to most: 0, and as many equal steps on either side."""
    return tuple(most * k / steps for k in range(-steps, steps + 1))


@dataclass(frozen=True)
class Balance:
    """Of what a batch of single faces consists, as shares: expressions share evenly what is left.

    `photographs` are rows of kind "real", drawn evenly among their words; the other shares are of what is left.
    """

    neutral: float = 0.25
    unnamed: float = 0.3  # faces with action units and without a word
    photographs: float = 0.15


@dataclass(frozen=True)
class Sampling:
    """Which pairs a recipe is fed, and how they are augmented: five crops × rotations × flip, and colour.

    `same` is the share of same-person pairs among sources that have a partner of either kind, `alike` the share of the
    others in which both people show the same expression, as far as there are such; `need_truth` keeps to pairs whose
    answer is a real picture;
    `independent` gives source and target augmentations of their own; `margin` is how far a corner crop shifts, as a
    share of the size, or with `anywhere` the most that any crop does; `rotations` are degrees; `colour` and `scale` are
    ± shares; `motion` asks for the exact flow from target to truth; `neutral` is the share of same-person pairs whose
    target is made to be neutral, where there is one. `cycled` takes one class after the other: all sources of a step
    show it, all targets are other people who show another class; only faces of known class that show it at intensity
    `least` or more take part, and no other setting chooses pairs. With `balance` a batch is single faces in place of
    pairs, neither augmented nor related; all else here then plays no part.
    """

    same: float = 0.5
    alike: float = 0.0
    need_truth: bool = False
    independent: bool = True
    margin: float = 0.06
    rotations: tuple[float, ...] = (-6.0, -3.0, 0.0, 3.0, 6.0)
    colour: float = 0.0
    scale: float = 0.0
    motion: bool = False
    neutral: float = 0.0
    anywhere: bool = False
    cycled: bool = False
    least: float = 0.0
    balance: Balance | None = None
