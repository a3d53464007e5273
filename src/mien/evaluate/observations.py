"""Every model's answers to trials, looked at once: what is seen is kept, so that a run that was killed goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.dataset import Data, digest
from mien.editing.editor import Editor
from mien.evaluate.answers import ANSWERS, TRUTH, answers
from mien.evaluate.evaluators.base import all_read
from mien.evaluate.trials import Trials
from mien.files import kept
from mien.models.contract import Family
from mien.models.io import fingerprint

CHUNK = 128
"""Trials whose pictures are in memory at a time."""

NOBODY = "—"
"""Whose answers the trivial ones are, and the truth."""

Key = tuple[str, str]
"""A model's name, or NOBODY, and the answer's."""

Look = Callable[[list[np.ndarray], np.ndarray], Sequence[Any]]
"""What is seen in pictures uint8 (S, S, 3) of the trials with these numbers: a value a picture, which JSON can hold."""


def observations(
    models: Mapping[str, Family],
    data: Data,
    t: Trials,
    look: Look,
    folder: Path,
    made_by: Mapping[str, Any],
    report: Callable[[int, int], None] = lambda done, total: None,
) -> dict[Key, list[Any]]:
    """Return for every model's two answers, the trivial ones and the truth, where it is known, what is seen in them.

    What is seen is kept in `folder`, a file a model and CHUNK trials. `made_by` says what it depends on besides models
    and trials. Raises InputError where a model cannot transfer, where `folder` keeps something else, or where an
    outside tool has to read the pictures first, which then are all written.
    """
    count = len(t.face)
    chunks = [np.arange(k, min(k + CHUNK, count)) for k in range(0, count, CHUNK)]
    asked = {**made_by, "trials": digest(data, t.face, t.example, t.truth), "size": data.size}
    sources = {NOBODY: (partial(_given, data, t), "given")} | {
        name: (partial(_made, Editor(model, aligned=True), data, t), fingerprint(model))
        for name, model in models.items()
    }
    total, work = count * len(sources), {}
    for number, (name, (pictures, mark)) in enumerate(sources.items()):
        for rows in chunks:
            place = folder / mark[:16] / f"{rows[0]:06d}.json"
            seen = partial(kept, place, {**asked, "model": mark}, partial(_seen, pictures, look, rows))
            work[name, int(rows[0])] = partial(_told, seen, report, number * count + int(rows[-1]) + 1, total)
    found: dict[Key, list[Any]] = {}
    for (name, _), part in all_read(work).items():
        for answer, values in part.items():
            found.setdefault((name, answer), []).extend(values)
    return found


def _seen(pictures: Callable[[int], dict[str, np.ndarray]], look: Look, rows: np.ndarray) -> dict[str, list[Any]]:
    made = [pictures(int(trial)) for trial in rows]
    seen = all_read({answer: partial(look, [some[answer] for some in made], rows) for answer in made[0]})
    return {answer: list(values) for answer, values in seen.items()}


def _told(work: Callable[[], Any], report: Callable[[int, int], None], done: int, total: int) -> Any:
    value = work()
    report(done, total)
    return value


def _given(data: Data, t: Trials, trial: int) -> dict[str, np.ndarray]:
    """Return a trial's trivial answers, and the truth if it is known, as the data have them."""
    rows: Iterator[tuple[str, int]] = zip(
        (*ANSWERS[:2], TRUTH), (int(t.face[trial]), int(t.example[trial]), int(t.truth[trial])), strict=True
    )
    return {answer: data.images[row] for answer, row in rows if row >= 0}


def _made(editor: Editor, data: Data, t: Trials, trial: int) -> dict[str, np.ndarray]:
    """Return a trial's two answers by a model: painted and pasted."""
    found = answers(editor, data, t, trial)
    return {answer: found[answer] for answer in ANSWERS[2:]}
