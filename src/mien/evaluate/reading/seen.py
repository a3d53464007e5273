"""Every picture is read once, in parts that are kept: a measuring that was killed goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.dataset import Data, digest
from mien.evaluate.batches import batches
from mien.evaluate.evaluators.base import Evaluator, Reading, all_read, read_at_its_size, signature
from mien.files import kept
from mien.progress import Tell, untold

CHUNK = 256
"""Pictures that are in memory at a time."""

KINDS = ("aus", "left", "right", "classes", "probabilities", "head", "gaze")
"""What is kept of a Reading."""

Change = Callable[[np.ndarray, int], np.ndarray]
"""A picture uint8 (S, S, 3) and its row -> what is read in its place."""


@dataclass(frozen=True)
class Share:
    """Pictures of the data, and who reads them."""

    rows: np.ndarray  # numbers of the data's rows
    evaluator: Evaluator
    fold: str = ""  # in which these people were left out; "" for people whom nothing was trained on


@dataclass(frozen=True)
class Asked:
    """Rows to be read, as they are or changed; `name` is one of its own."""

    name: str
    rows: np.ndarray
    change: Change | None = None


def read_all(
    data: Data, shares: Sequence[Share], asked: Sequence[Asked], folder: Path, tell: Tell = untold
) -> list[Reading]:
    """Return what is read in the rows of each of `asked`, in their order; every row by who has it among `shares`.

    What is read is kept in `folder`. Raises InputError where it keeps something else, or where an outside tool has to
    read the pictures first, which then are all written.
    """
    work: dict[tuple[int, int, int], Callable[[], Any]] = {}
    places: dict[tuple[int, int, int], np.ndarray] = {}
    for number, one in enumerate(asked):
        for whose, share in enumerate(shares):
            mine = np.flatnonzero(np.isin(one.rows, share.rows))
            mark = hashlib.sha256("\n".join(signature(share.evaluator)).encode()).hexdigest()[:16]
            for part, some in enumerate(batches(len(mine), CHUNK)):
                key = (number, whose, part)
                places[key] = mine[some]
                path = folder / (mark + (f"_fold_{share.fold}" if share.fold else "")) / f"{one.name}_{part:04d}.json"
                work[key] = partial(_part, data, share.evaluator, one, one.rows[places[key]], path)
    total, done = sum(map(len, places.values())), 0

    def report(key: tuple[int, int, int]) -> None:
        nonlocal done
        done += len(places[key])
        tell(done, total)

    found = all_read(work, report)
    return [_together(len(one.rows), [(places[k], found[k]) for k in work if k[0] == n]) for n, one in enumerate(asked)]


def _part(data: Data, evaluator: Evaluator, asked: Asked, rows: np.ndarray, path: Path) -> dict[str, Any]:
    made_by = {"evaluator": signature(evaluator), "pictures": digest(data, rows), "size": data.size, "as": asked.name}

    def read() -> dict[str, Any]:
        pictures = [data.images[row] for row in rows.tolist()]
        if asked.change is not None:
            pictures = [asked.change(picture, row) for picture, row in zip(pictures, rows.tolist(), strict=True)]
        found = read_at_its_size(evaluator, pictures)
        known = {kind: getattr(found, kind) for kind in KINDS if getattr(found, kind) is not None}
        return {kind: _listed(values, 12 if kind == "probabilities" else 5) for kind, values in known.items()}

    found: dict[str, Any] = kept(path, made_by, read)
    return found


def _listed(values: np.ndarray, digits: int) -> list[Any]:
    """Return numbers as JSON holds them: unknown ones (NaN) as null."""
    if values.dtype.kind != "f":
        return list(values.tolist())
    rounded = values.astype(np.float64).round(digits).astype(object)
    rounded[np.isnan(values)] = None
    return list(rounded.tolist())


def _together(count: int, parts: Sequence[tuple[np.ndarray, dict[str, Any]]]) -> Reading:
    """Return the parts as one; a row of which a kind is unknown has NaN, or class -1."""
    found: dict[str, np.ndarray] = {}
    for places, part in parts:
        for kind, values in part.items():
            array = np.array(values, np.int64 if kind == "classes" else np.float64)
            fresh = np.full((count, *array.shape[1:]), -1 if kind == "classes" else np.nan, array.dtype)
            found.setdefault(kind, fresh)[places] = array
    return Reading(**found)


def some_of(reading: Reading, rows: np.ndarray) -> Reading:
    """Return what was read in some rows."""
    return Reading(**{kind: getattr(reading, kind)[rows] for kind in KINDS if getattr(reading, kind) is not None})
