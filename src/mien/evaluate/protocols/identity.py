"""Is it still the same person? An evaluator finds results of transfers in a gallery of true pictures (EET IV-C b)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from mien.data.dataset import Data
from mien.errors import InputError
from mien.evaluate.evaluators.base import Evaluator, must_measure, read_at_its_size
from mien.evaluate.evaluators.networks import as_evaluator
from mien.evaluate.identity_gallery import gallery_rows, one_each
from mien.evaluate.observations import observations
from mien.evaluate.record import Key, made_with, over_people, people_of, trial_facts, write_protocol
from mien.evaluate.trials import Trials
from mien.metrics.bootstrap import DRAWS, Interval
from mien.metrics.verification import cosines, rank_1, tar_at_far, verified
from mien.models.contract import Family
from mien.progress import Tell, untold

FALSE_ACCEPTS = {"tar_1": 0.01, "tar_01": 0.001}
"""Figure -> the share of wrong pairs that may be accepted: 1 % and 0.1 %."""


def by_identity(
    models: Mapping[str, Family],
    evaluator: Evaluator | Family,
    data: Data,
    t: Trials,
    folder: Path,
    tell: Tell = untold,
    draws: int = DRAWS,
    crowd: Data | None = None,
) -> dict[Key, dict[str, Interval]]:
    """Return rank_1, own, accuracy, tar_1 and tar_01 by model and answer, and write identity.json and identity.csv.

    own: mean cosine with the person's own picture in the gallery; the truth's says how much an expression takes of it.

    accuracy: of verification, pair by pair, right and wrong pairs weighing the same (`verified`; EET's Tables V, VI).

    The gallery is one other picture of each person (`gallery_rows`), and one of each of the `crowd`. The intervals draw
    people among those whose faces are changed; the gallery stays whole. The unchanged face is the ceiling, the copied
    example is somebody else. What was looked at is kept in `folder`. Raises InputError for an evaluator that measures
    no identity, or fewer than two people.
    """
    evaluator = as_evaluator(evaluator)
    must_measure(evaluator, "identity")
    rows, own = gallery_rows(data, t)
    if len(rows) < 2:
        raise InputError(f"{data.manifest.folder}: shows one person; expected two or more to tell apart")
    shown = [(data, row) for row in rows]
    if crowd is not None:
        known = crowd.manifest.subject[crowd.manifest.subject >= 0]
        shown += [(crowd, row) for row in one_each(crowd.manifest, np.unique(known))]
    gallery = _identity(evaluator, [of.images[row] for of, row in shown])
    made_by = {"protocol": "identity", "gallery": [of.manifest.files[row] for of, row in shown]}
    look = partial(_look, evaluator, gallery)
    seen = observations(models, evaluator, data, t, look, folder / "seen", made_by, tell)
    people = people_of(data.manifest, t.face)
    figures = {key: over_people(_statistics(np.array(alike), own), people, draws) for key, alike in seen.items()}
    proven = len(own) - int(np.isin(t.face, rows).sum())
    about = {
        "trials": trial_facts(data, t), **made_with(data, evaluator, models),
        "gallery": len(shown), "trials_with_another_picture_in_the_gallery": proven,
        "pairs": {"right": len(own), "wrong": len(own) * (len(shown) - 1)}, "false_accepts": FALSE_ACCEPTS,
    }  # fmt: skip
    write_protocol(folder, "identity", about, figures)
    return figures


def _look(
    evaluator: Evaluator, gallery: np.ndarray, pictures: list[np.ndarray], rows: np.ndarray
) -> Sequence[list[float]]:
    """Return each picture's cosine with everybody of the gallery."""
    return cosines(_identity(evaluator, pictures), gallery).tolist()


def _identity(evaluator: Evaluator, pictures: Sequence[np.ndarray]) -> np.ndarray:
    found = read_at_its_size(evaluator, pictures).identity
    if found is None:
        raise InputError(f"the evaluator {evaluator.name} gave nobody's identity; choose another --evaluator")
    return found


def _statistics(alike: np.ndarray, own: np.ndarray) -> Callable[[np.ndarray], dict[str, float]]:
    """Return a function of trials: their figures; alike (T, P). The thresholds of accuracy stay those of all."""
    verdicts = verified(alike, own)

    def statistics(rows: np.ndarray) -> dict[str, float]:
        some, theirs = alike[rows], own[rows]
        return {
            "rank_1": rank_1(some, theirs),
            "own": float(some[np.arange(len(rows)), theirs].mean()),
            "accuracy": float(verdicts[rows].mean()),
            **{name: tar_at_far(some, theirs, far) for name, far in FALSE_ACCEPTS.items()},
        }

    return statistics
