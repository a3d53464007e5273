"""Does the gaze arrive? Share of results that look where the example looks: left, ahead or right (EET, Table VII)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.dataset import Data
from mien.data.images import resize_square
from mien.evaluate.evaluators.base import Evaluator, all_read, must_measure
from mien.evaluate.evaluators.eye_gaze import EyeGaze
from mien.evaluate.evaluators.networks import signature
from mien.evaluate.observations import CHUNK, Key, observations
from mien.evaluate.protocols.transfer import trial_facts
from mien.evaluate.record import made_with, over_people, result_list, whose, write_figures, write_record
from mien.evaluate.trials import Trials
from mien.metrics.bootstrap import DRAWS, Interval
from mien.metrics.confusion import confusion
from mien.metrics.gaze import ASIDE, SIDES, side_of
from mien.models.contract import Family


def by_gaze(
    models: Mapping[str, Family],
    judge: Evaluator,
    data: Data,
    t: Trials,
    folder: Path,
    report: Callable[[int, int], None] = lambda done, total: None,
    draws: int = DRAWS,
) -> dict[Key, dict[str, Interval]]:
    """Return by model and answer the share that looks where the example does, and write gaze.json and gaze.csv.

    gaze: of all trials; left, right: of those whose example looks there. The copied example, a true picture, is the
    judge's own ceiling in these trials; gaze.json tells its accuracy on all labelled pictures of the data beside. What
    was looked at is kept in `folder`. Raises InputError for a judge that tells no gaze.
    """
    must_measure(judge, "gaze")
    mark = [judge.name, judge.mark()] if isinstance(judge, EyeGaze) else signature(judge)
    made_by = {"protocol": "gaze", "judge": mark}
    look = partial(observations, models, data, t, partial(_look, judge), folder / "seen", made_by, report)
    # Both together, so that a tool outside is asked once.
    read: dict[str, Any] = all_read({"answers": look, "true": partial(_true, judge, data)})
    seen, true = read["answers"], read["true"]
    people, asked = whose(data.manifest, t.face), side_of(data.manifest.gaze_x[t.example])
    figures = {key: over_people(partial(_shares, np.array(told), asked), people, draws) for key, told in seen.items()}
    counts = {key: {"looks": _counts(asked, np.array(told))} for key, told in seen.items()}
    folder.mkdir(parents=True, exist_ok=True)
    write_figures(folder / "gaze.csv", figures)
    write_record(
        folder / "gaze.json",
        {
            "protocol": "gaze", "trials": trial_facts(data, t), **made_with(data, mark, models), "degrees": ASIDE,
            "true_pictures": _accuracy(true, data, draws),
            "results": result_list({key: {**found, **counts[key]} for key, found in figures.items()}),
        },
    )  # fmt: skip
    return figures


def true_accuracy(judge: Evaluator, data: Data, draws: int = DRAWS) -> dict[str, Any]:
    """Return how well a judge reads the data's own labelled pictures: `gaze` of all, and of those of each side."""
    return _accuracy(_true(judge, data), data, draws)


def _labelled(data: Data) -> np.ndarray:
    return np.flatnonzero(~np.isnan(data.manifest.gaze_x))


def _true(judge: Evaluator, data: Data) -> np.ndarray:
    """Return where the judge sees the labelled pictures look."""
    rows = _labelled(data)
    parts = {
        k: partial(_look, judge, [data.images[row] for row in rows[k : k + CHUNK].tolist()], rows)
        for k in range(0, len(rows), CHUNK)
    }
    return np.array([side for told in all_read(parts).values() for side in told])


def _accuracy(told: np.ndarray, data: Data, draws: int) -> dict[str, Any]:
    rows = _labelled(data)
    shown = side_of(data.manifest.gaze_x[rows])
    figures = over_people(partial(_shares, told, shown), whose(data.manifest, rows), draws)
    return {"pictures": len(rows), **figures, "looks": _counts(shown, told)}


def _look(judge: Evaluator, pictures: list[np.ndarray], rows: np.ndarray) -> list[int]:
    """Return where each picture looks, an index into SIDES; -1 where the judge cannot tell."""
    found = judge.read(np.stack([resize_square(picture, judge.size) for picture in pictures]))
    return side_of(np.full(len(pictures), np.nan) if found.gaze is None else found.gaze[:, 0]).tolist()


def _shares(told: np.ndarray, asked: np.ndarray, rows: np.ndarray) -> dict[str, float]:
    right, side = told[rows] == asked[rows], asked[rows]
    each = {name: float(right[side == k].mean()) for k, name in enumerate(SIDES) if (side == k).any()}
    return {"gaze": float(right.mean()), **each}


def _counts(asked: np.ndarray, told: np.ndarray) -> dict[str, Any]:
    """Return how often each side asked for was read as each; the last column where none was."""
    return {"classes": [*SIDES, "none"], "counts": confusion(asked, np.where(told < 0, 3, told), 4)[:3]}
