"""The sets of pictures that the benchmark measures on: the fixed studio set, and data sets of one's own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.dataset import Data, open_data
from mien.data.neutral import neutral_faces
from mien.errors import InputError
from mien.evaluate.evaluators.independence import labelled_by
from mien.evaluate.trials import STRONG, Trials, trials
from mien.labels import BASIC, CLASSES
from mien.progress import Tell, untold
from mien.reading import read_bytes
from mien.synth.generate import generate

SEED = 36_036_036
"""The studio people of the benchmark. Whoever trains on this seed has seen the test."""

PER_PERSON, SIZE = 36, 128
"""Pictures of each person; pixels at which every set is compared."""

LEAST_PEOPLE = 4
"""The Fréchet distance sets one half of the people against the other, and a half needs two."""


@dataclass(frozen=True, eq=False)
class BenchSet:
    """Pictures with their truth, and the digest that says which pictures they are."""

    name: str
    data: Data
    trials: Trials
    digest: str

    def record(self) -> dict[str, Any]:
        """Return what a reader must know of the set."""
        m = self.data.manifest
        return {
            "digest": self.digest, "people": len(m.subjects), "pictures": len(m), "trials": len(self.trials.face),
            "size": self.data.size, "labels": labelled_by(m),
        }  # fmt: skip


def studio_set(
    folder: Path, people: int = 24, per_person: int = PER_PERSON, size: int = SIZE, jobs: int = 2, tell: Tell = untold
) -> BenchSet:
    """Render the studio set into `folder`, or go on with it, and return it; no model was trained on its people.

    Raises InputError for fewer than LEAST_PEOPLE, or where `folder` holds something else.
    """
    if people < LEAST_PEOPLE:
        raise InputError(f"--people {people}: expected {LEAST_PEOPLE} or more; half of them stand against the others")
    generate(folder, people, per_person, size, SEED, jobs, tell=tell)
    return bench_set("studio", open_data(folder, size))


def marked_set(folder: Path, size: int = SIZE) -> BenchSet:
    """Return the rows marked test of a data set, named as its folder. Raises InputError where none is marked."""
    data = open_data(folder, size)
    if not data.manifest.test.any():
        raise InputError(f"{folder}: no row is marked test=1; mark the people that no model was trained on")
    return bench_set(Path(folder).resolve().name, data.select(data.manifest.test))


def bench_set(name: str, data: Data) -> BenchSet:
    """Return data as a set of the benchmark.

    Raises InputError where it has no exact truth or too few people who show a strong expression.
    """
    t, m = trials(data), data.manifest
    neutral = list(neutral_faces(m))
    strong = (m.intensity >= STRONG) & np.isin(m.subject, neutral)
    for word in BASIC:
        if len(np.unique(m.subject[strong & (m.expression == CLASSES.index(word))])) >= LEAST_PEOPLE:
            return BenchSet(name, data, t, digest(data, t))
    raise InputError(
        f"{m.folder}: none of {', '.join(BASIC)} is shown at {STRONG} or more by {LEAST_PEOPLE} people who "
        "have a neutral face too; the benchmark sets one half of them against the other"
    )


def digest(data: Data, t: Trials) -> str:
    """Return the SHA-256 of the image files' bytes, in the manifest's order, their labels, and the trials."""
    found, m = hashlib.sha256(), data.manifest
    for k in range(len(m)):
        found.update(read_bytes(m.path(k), "expected an image", 1 << 30))
    people = [m.subjects[k] if k >= 0 else "" for k in m.subject]
    found.update(json.dumps([people, m.expression.tolist(), m.expr_id.tolist(), data.size]).encode())
    for numbers in (m.intensity, m.aus, m.yaw, m.pitch, m.roll, m.gaze_x, m.gaze_y, t.landmarks):
        found.update(np.asarray(numbers, np.float64).round(3).tobytes())
    for rows in (t.example, t.face, t.truth):
        found.update(np.asarray(rows, np.int64).tobytes())
    return found.hexdigest()
