"""The pictures among which a person must be found again."""

from __future__ import annotations

import numpy as np

from mien.data.dataset import Data
from mien.data.manifest import Manifest
from mien.data.neutral import neutral_faces
from mien.evaluate.evaluators.base import Evaluator, squares
from mien.evaluate.trials import Trials

GALLERY = "the neutral faces"


def gallery_rows(data: Data, t: Trials) -> tuple[list[int], np.ndarray]:
    """Return a picture of every person of the trials, and whose (T,) the trials' faces are, as an index of it.

    It is a neutral one, if the person has any, and none of the trials' faces, if there is another: a face is no proof
    of itself.
    """
    people, own = np.unique(data.manifest.subject[t.face], return_inverse=True)
    return one_each(data.manifest, people, t.face), own


def one_each(manifest: Manifest, people: np.ndarray, used: np.ndarray | None = None) -> list[int]:
    """Return a picture of each of `people`: a neutral one, if there is any, and none of `used`, if there is another."""
    neutral, known, rows = neutral_faces(manifest), set() if used is None else set(used.tolist()), []
    for person in people.tolist():
        theirs = neutral.get(person) or np.flatnonzero(manifest.subject == person).tolist()
        rows.append(next((row for row in theirs if row not in known), theirs[0]))
    return rows


def gallery_of(data: Data, t: Trials, evaluator: Evaluator) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures (P, S, S, 3) among which the trials' people are to be found again, and whose each face is."""
    rows, own = gallery_rows(data, t)
    return squares([data.images[row] for row in rows], evaluator.size), own
