"""Does the gaze arrive? Share of results that look where the example looks: left, ahead or right (EET, Table VII)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.dataset import Data
from mien.evaluate.batches import batches
from mien.evaluate.evaluators.base import Evaluator, all_read, must_measure, read_at_its_size
from mien.evaluate.observations import CHUNK, observations
from mien.evaluate.record import Key, made_with, over_people, people_of, trial_facts, write_protocol
from mien.evaluate.trials import Trials
from mien.metrics.bootstrap import DRAWS, Interval
from mien.metrics.confusion import confusion
from mien.metrics.gaze import ASIDE, SIDES, side_of
from mien.models.contract import Family
from mien.progress import Tell, untold


def by_gaze(
    models: Mapping[str, Family],
    evaluator: Evaluator,
    data: Data,
    t: Trials,
    folder: Path,
    tell: Tell = untold,
    draws: int = DRAWS,
) -> dict[Key, dict[str, Interval]]:
    """Return by model and answer the share that looks where the example does, and write gaze.json and gaze.csv.

    gaze: of all trials; left, right: of those whose example looks there. The copied example, a true picture, is the
    evaluator's own ceiling in these trials; gaze.json also has its accuracy on all labelled pictures of the data. What
    was looked at is kept in `folder`. Raises InputError for an evaluator that measures no gaze.
    """
    must_measure(evaluator, "gaze")
    look, made_by = partial(_look, evaluator), {"protocol": "gaze"}
    work: dict[str, Callable[[], Any]] = {
        "answers": partial(observations, models, evaluator, data, t, look, folder / "seen", made_by, tell),
        "true": partial(_true_sides, evaluator, data),
    }
    read = all_read(work)  # both together, so that a tool outside is asked once
    sides = {key: np.array(found) for key, found in read["answers"].items()}
    people, asked = people_of(data.manifest, t.face), side_of(data.manifest.gaze_x[t.example])
    figures = {key: over_people(partial(_shares, found, asked), people, draws) for key, found in sides.items()}
    about = {
        "trials": trial_facts(data, t), **made_with(data, evaluator, models), "degrees": ASIDE,
        "true_pictures": _accuracy(read["true"], data, draws),
    }  # fmt: skip
    write_protocol(folder, "gaze", about, figures, notes={k: {"looks": _counts(asked, v)} for k, v in sides.items()})
    return figures


def _labelled(data: Data) -> np.ndarray:
    return np.flatnonzero(~np.isnan(data.manifest.gaze_x))


def _true_sides(evaluator: Evaluator, data: Data) -> np.ndarray:
    """Return where the evaluator sees the labelled pictures look, an index into SIDES."""
    rows = _labelled(data)
    chunks = [rows[some] for some in batches(len(rows), CHUNK)]
    work = {
        k: partial(_look, evaluator, [data.images[row] for row in chunk.tolist()], chunk)
        for k, chunk in enumerate(chunks)
    }
    return np.array([side for found in all_read(work).values() for side in found])


def _accuracy(sides: np.ndarray, data: Data, draws: int) -> dict[str, Any]:
    """Return how well the labelled pictures were read: `gaze` of all, and of those of each side."""
    rows = _labelled(data)
    shown = side_of(data.manifest.gaze_x[rows])
    figures = over_people(partial(_shares, sides, shown), people_of(data.manifest, rows), draws)
    return {"pictures": len(rows), **figures, "looks": _counts(shown, sides)}


def _look(evaluator: Evaluator, pictures: list[np.ndarray], rows: np.ndarray) -> list[int]:
    """Return where each picture looks, an index into SIDES; -1 where the evaluator cannot tell."""
    gaze = read_at_its_size(evaluator, pictures).gaze
    return side_of(np.full(len(pictures), np.nan) if gaze is None else gaze[:, 0]).tolist()


def _shares(sides: np.ndarray, asked: np.ndarray, rows: np.ndarray) -> dict[str, float]:
    right, side = sides[rows] == asked[rows], asked[rows]
    each = {name: float(right[side == k].mean()) for k, name in enumerate(SIDES) if (side == k).any()}
    return {"gaze": float(right.mean()), **each}


def _counts(asked: np.ndarray, sides: np.ndarray) -> dict[str, Any]:
    """Return how often each side asked for was read as each; the last column where none was."""
    return {"classes": [*SIDES, "none"], "counts": confusion(asked, np.where(sides < 0, 3, sides), 4)[:3]}
