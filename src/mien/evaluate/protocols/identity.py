"""Is it still the same person? Results of transfers against a gallery of true pictures, by a judge (EET IV-C b)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from mien.data.dataset import Data
from mien.data.images import resize_square
from mien.errors import InputError
from mien.evaluate.evaluators.base import Evaluator, Reading, must_measure
from mien.evaluate.evaluators.networks import as_evaluator, signature
from mien.evaluate.identity_gallery import gallery_rows, one_each
from mien.evaluate.observations import Key, observations
from mien.evaluate.protocols.transfer import trial_facts
from mien.evaluate.record import made_with, over_people, result_list, whose, write_figures, write_record
from mien.evaluate.trials import Trials
from mien.metrics.bootstrap import DRAWS, Interval
from mien.metrics.verification import cosines, rank_1, tar_at_far, verified
from mien.models.contract import Family

FALSE_ACCEPTS = {"tar_1": 0.01, "tar_01": 0.001}
"""Figure -> the share of wrong pairs that may be accepted: 1 % and 0.1 %."""


def by_identity(
    models: Mapping[str, Family],
    judge: Evaluator | Family,
    data: Data,
    t: Trials,
    folder: Path,
    report: Callable[[int, int], None] = lambda done, total: None,
    draws: int = DRAWS,
    crowd: Data | None = None,
) -> dict[Key, dict[str, Interval]]:
    """Return rank_1, own, accuracy, tar_1 and tar_01 by model and answer, and write identity.json and identity.csv.

    own: mean cosine with the person's own picture in the gallery; the truth's says how much an expression takes of it.

    accuracy: of verification, pair by pair, right and wrong pairs weighing the same (`verified`; EET's Tables V, VI).

    The gallery is one other picture of each person (`gallery_rows`), and one of each of the `crowd`. The intervals draw
    people among those whose faces are changed; the gallery stays whole. The unchanged face is the ceiling, the copied
    example is somebody else. What was looked at is kept in `folder`. Raises InputError for a judge that knows nobody,
    or fewer than two people.
    """
    judge = as_evaluator(judge)
    must_measure(judge, "identity")
    rows, own = gallery_rows(data, t)
    if len(rows) < 2:
        raise InputError(f"{data.manifest.folder}: shows one person; expected two or more to tell apart")
    shown = [(data, row) for row in rows]
    if crowd is not None:
        known = crowd.manifest.subject[crowd.manifest.subject >= 0]
        shown += [(crowd, row) for row in one_each(crowd.manifest, np.unique(known))]
    gallery = _identity(judge, judge.read(np.stack([resize_square(of.images[row], judge.size) for of, row in shown])))
    names = [of.manifest.files[row] for of, row in shown]
    made_by = {"protocol": "identity", "judge": signature(judge), "gallery": names}
    seen = observations(models, data, t, partial(_look, judge, gallery), folder / "seen", made_by, report)
    people = whose(data.manifest, t.face)
    figures = {key: over_people(_statistics(np.array(told), own), people, draws) for key, told in seen.items()}
    proven = len(own) - int(np.isin(t.face, rows).sum())
    folder.mkdir(parents=True, exist_ok=True)
    write_figures(folder / "identity.csv", figures)
    write_record(
        folder / "identity.json",
        {
            "protocol": "identity", "trials": trial_facts(data, t), **made_with(data, signature(judge), models),
            "gallery": len(shown), "trials_with_another_picture_in_the_gallery": proven,
            "pairs": {"right": len(own), "wrong": len(own) * (len(shown) - 1)},
            "false_accepts": FALSE_ACCEPTS, "results": result_list(figures),
        },
    )  # fmt: skip
    return figures


def _look(judge: Evaluator, gallery: np.ndarray, pictures: list[np.ndarray], rows: np.ndarray) -> Sequence[list[float]]:
    """Return each picture's cosine with everybody of the gallery."""
    found = _identity(judge, judge.read(np.stack([resize_square(picture, judge.size) for picture in pictures])))
    return cosines(found, gallery).tolist()


def _identity(judge: Evaluator, found: Reading) -> np.ndarray:
    if found.identity is None:
        raise InputError(f"the judge {judge.name} told nobody's identity; choose another --judge")
    return found.identity


def _statistics(alike: np.ndarray, own: np.ndarray) -> Callable[[np.ndarray], dict[str, float]]:
    """Return what gives the figures of some trials; alike (T, P). The thresholds of accuracy stay those of all."""
    told = verified(alike, own)

    def statistics(rows: np.ndarray) -> dict[str, float]:
        some, theirs = alike[rows], own[rows]
        nearness = float(some[np.arange(len(rows)), theirs].mean())
        return {"rank_1": rank_1(some, theirs), "own": nearness, "accuracy": float(told[rows].mean())} | {
            name: tar_at_far(some, theirs, far) for name, far in FALSE_ACCEPTS.items()
        }

    return statistics
