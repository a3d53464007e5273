"""What an evaluator is, and what it says of pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

from mien.data.images import resize_square
from mien.errors import InputError
from mien.labels import AUS
from mien.weights.resolve import OLD_NAMES

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Reading:
    """What an evaluator says of N pictures; None where it says nothing of the kind."""

    aus: np.ndarray | None = None  # (N, 21) 0-5, order of mien.labels.AUS; NaN for units it does not know
    classes: np.ndarray | None = None  # (N,) index into mien.labels.CLASSES; -1 where it found no face
    identity: np.ndarray | None = None  # (N, D)
    gaze: np.ndarray | None = None  # (N, 2) degrees: towards the right of the image, up
    code: np.ndarray | None = None  # (N, E) features of the expression
    probabilities: np.ndarray | None = None  # (N, 8) of mien.labels.CLASSES; NaN where it found no face
    left: np.ndarray | None = None  # (N, 21) as aus, of the person's own left side; `right` likewise
    right: np.ndarray | None = None
    head: np.ndarray | None = None  # (N, 2) degrees: yaw, nose towards the right of the image; pitch, nose down


@runtime_checkable
class Evaluator(Protocol):
    """Reads faces."""

    @property
    def name(self) -> str:
        """As tables name it."""
        ...

    @property
    def size(self) -> int:
        """Pixels of the pictures it wants."""
        ...

    @property
    def measures(self) -> tuple[str, ...]:
        """What it can say: some of the fields of Reading, as aus."""
        ...

    def mark(self) -> str:
        """Return the fingerprint of what it has learnt, "" where that lies outside this program."""
        ...

    def read(self, pictures: np.ndarray) -> Reading:
        """Return what it says of uint8 RGB (N, S, S, 3), S its own size."""
        ...


def signature(evaluator: Evaluator) -> list[str]:
    """Return what distinguishes an evaluator from others: its mark, and its name as earlier versions had it."""
    former = {new: old for old, new in OLD_NAMES.items()}
    return [former.get(evaluator.name, evaluator.name), evaluator.mark()]


def must_measure(evaluator: Evaluator, *kinds: str) -> None:
    """Raise InputError, before anything is read, where an evaluator measures none of `kinds`."""
    if not {*kinds} & {*evaluator.measures}:
        can, needed = ", ".join(evaluator.measures), " or ".join(kinds)
        raise InputError(
            f"the evaluator {evaluator.name} measures {can}, but {needed} is needed here; choose another --evaluator"
        )


def squares(pictures: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Return pictures uint8 (S, S, 3), each of its own S, as one array (N, size, size, 3)."""
    return np.stack([resize_square(picture, size) for picture in pictures])


def read_at_its_size(evaluator: Evaluator, pictures: Sequence[np.ndarray]) -> Reading:
    """Return what an evaluator says of pictures uint8 (S, S, 3) of any size."""
    return evaluator.read(squares(pictures, evaluator.size))


class NeedsToolRun(InputError):
    """A tool outside has to read the pictures first; they lie in a folder now."""


def all_read(work: Mapping[K, Callable[[], V]], report: Callable[[K], None] = lambda key: None) -> dict[K, V]:
    """Do every piece of work, and only then raise NeedsToolRun: one run hands an outside tool all it must read.

    `report` is called with the key of each piece that is done.
    """
    done: dict[K, V] = {}
    needed: NeedsToolRun | None = None
    for key, do in work.items():
        try:
            done[key] = do()
        except NeedsToolRun as error:
            needed = error
        else:
            report(key)
    if needed is not None:
        raise needed
    return done


def empty_aus(count: int) -> np.ndarray:
    """Return (N, 21) NaN, to be filled in."""
    return np.full((count, len(AUS)), np.nan)
