"""What an evaluator is, and what it says of pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

from mien.errors import InputError
from mien.labels import AUS

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Reading:
    """What a judge says of N pictures; None where it says nothing of the kind."""

    aus: np.ndarray | None = None  # (N, 21) 0-5, order of mien.labels.AUS; NaN for units it does not know
    classes: np.ndarray | None = None  # (N,) index into mien.labels.CLASSES; -1 where it found no face
    identity: np.ndarray | None = None  # (N, D)
    gaze: np.ndarray | None = None  # (N, 2) degrees: towards the right of the image, up
    code: np.ndarray | None = None  # (N, E) features of the expression


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
    def gives(self) -> tuple[str, ...]:
        """What it can say: some of aus, classes, identity, gaze, code, the fields of Reading."""
        ...

    def read(self, pictures: np.ndarray) -> Reading:
        """Return what it says of uint8 RGB (N, S, S, 3), S its own size."""
        ...


def must_measure(judge: Evaluator, kind: str) -> None:
    """Raise InputError, before anything is read, where a judge says nothing of a kind that is measured."""
    if kind not in judge.gives:
        can = ", ".join(judge.gives)
        raise InputError(f"the judge {judge.name} gives {can}, but {kind} is measured here; choose another --judge")


class NeedsToolRun(InputError):
    """A tool outside has to read the pictures first; they lie in a folder now."""


def all_read(work: Mapping[K, Callable[[], V]]) -> dict[K, V]:
    """Do every piece of work, and only then raise Unread: one run hands an outside tool all it must read."""
    done: dict[K, V] = {}
    unread: NeedsToolRun | None = None
    for key, do in work.items():
        try:
            done[key] = do()
        except NeedsToolRun as error:
            unread = error
    if unread is not None:
        raise unread
    return done


def empty_aus(count: int) -> np.ndarray:
    """Return (N, 21) NaN, to be filled in."""
    return np.full((count, len(AUS)), np.nan)
