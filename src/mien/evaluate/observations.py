"""Every answer to the trials, looked at once: what is seen is kept, so that a run that was killed goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.dataset import Data, digest
from mien.editing.editor import Editor
from mien.evaluate.answers import FORMER, MADE, TRIVIAL, TRUTH, answers
from mien.evaluate.batches import batches
from mien.evaluate.evaluators.base import Evaluator, all_read, signature
from mien.evaluate.record import Key
from mien.evaluate.trials import Trials
from mien.files import kept
from mien.models.contract import Family
from mien.models.io import fingerprint
from mien.progress import Tell, untold

CHUNK = 128
"""Trials whose pictures are in memory at a time."""

NOBODY = "—"
"""Whose answers the trivial ones are, and the truth."""

Look = Callable[[list[np.ndarray], np.ndarray], Sequence[Any]]
"""What is seen in pictures uint8 (S, S, 3) of the trials with these numbers: a value a picture, which JSON can hold."""

Answers = Callable[[int], dict[str, np.ndarray]]
"""A trial's number -> its pictures uint8 (S, S, 3), by the answer's name."""


@dataclass(frozen=True)
class Part:
    """One model's answers to some trials: what is seen in them lies in a file of its own."""

    model: str
    answers: Answers
    rows: np.ndarray  # the trials' numbers
    look: Look
    path: Path
    made_by: Mapping[str, Any]

    def observe(self) -> dict[str, list[Any]]:
        """Return what is seen in each answer, from the file if it is there."""
        found = kept(self.path, self.made_by, self._observe)
        return {FORMER.get(answer, answer): values for answer, values in found.items()}

    def _observe(self) -> dict[str, list[Any]]:
        pictures = [self.answers(int(trial)) for trial in self.rows]
        looks = {answer: partial(self.look, [each[answer] for each in pictures], self.rows) for answer in pictures[0]}
        return {answer: list(values) for answer, values in all_read(looks).items()}


def observations(
    models: Mapping[str, Family],
    evaluator: Evaluator,
    data: Data,
    t: Trials,
    look: Look,
    folder: Path,
    made_by: Mapping[str, Any],
    tell: Tell = untold,
) -> dict[Key, list[Any]]:
    """Return what is seen in every model's two answers, in the trivial ones, and in the truth where it is known.

    `look` asks `evaluator`. What is seen is kept in `folder`, a file a model and CHUNK trials; `made_by` says what it
    depends on besides evaluator, models and trials. Raises InputError where a model cannot transfer, where `folder`
    keeps something else, or where an outside tool has to read the pictures first, which then are all written.
    """
    about = {
        **made_by, "judge": signature(evaluator),  # as the folders of earlier versions have it
        "trials": digest(data, t.face, t.example, t.truth), "size": data.size,
    }  # fmt: skip
    sources: dict[str, tuple[Answers, str]] = {NOBODY: (partial(_given_pictures, data, t), "given")}
    for name, model in models.items():
        editor = Editor(model, aligned=True)
        sources[name] = partial(_made_pictures, editor, data, t), fingerprint(model)
    parts = [
        Part(name, made, rows, look, folder / mark[:16] / f"{rows[0]:06d}.json", {**about, "model": mark})
        for name, (made, mark) in sources.items()
        for rows in batches(len(t.face), CHUNK)
    ]
    ends = np.cumsum([len(part.rows) for part in parts]).tolist()
    work = {number: part.observe for number, part in enumerate(parts)}
    found: dict[Key, list[Any]] = {}
    for number, seen in all_read(work, lambda number: tell(ends[number], ends[-1])).items():
        for answer, values in seen.items():
            found.setdefault((parts[number].model, answer), []).extend(values)
    return found


def _given_pictures(data: Data, t: Trials, trial: int) -> dict[str, np.ndarray]:
    """Return a trial's trivial answers, and the truth if it is known, as the data have them."""
    rows = dict(zip((*TRIVIAL, TRUTH), (t.face[trial], t.example[trial], t.truth[trial]), strict=True))
    return {answer: data.images[int(row)] for answer, row in rows.items() if row >= 0}


def _made_pictures(editor: Editor, data: Data, t: Trials, trial: int) -> dict[str, np.ndarray]:
    """Return a trial's two answers by a model: generated and composited."""
    found = answers(editor, data, t, trial)
    return {answer: found[answer] for answer in MADE}
