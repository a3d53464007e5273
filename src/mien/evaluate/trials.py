"""Who is changed to what: a face, an example by somebody else, and the truth where it is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.data.dataset import Data
from mien.data.manifest import Manifest
from mien.data.matches import matches_of
from mien.data.neutral import STARTS, neutral_faces
from mien.data.sampling.geometry import read_landmarks
from mien.errors import InputError
from mien.labels import EXPRESSIONS
from mien.metrics.gaze import ASIDE, side_of

STRONG = 0.75
"""Intensity from which an expression counts as strong: weaker ones are hardly more than noise in L1."""


@dataclass(frozen=True)
class Trials:
    """Rows of a data set: example (another person), face and truth; `landmarks` of face and truth, NaN if not read."""

    example: np.ndarray  # (T,)
    face: np.ndarray
    truth: np.ndarray  # -1 where nobody knows what the answer looks like
    landmarks: np.ndarray  # (T, 2, 68, 2) pixels of the data's frames


def trials(data: Data, seed: int = 0, geometry: bool = True, start: str = STARTS[0]) -> Trials:
    """Return every non-neutral picture with a partner: an example by another person, and a face of the same person.

    The face is the person's neutral one, or with `start` "other" one drawn from their strong pictures of other classes.
    With `geometry`, landmarks are read from each folder's geometry.npz, as the face studio and photofaces have it, and
    faces and truths are pictures that it has. Raises InputError where it is missing or no trial can be made.
    """
    manifest, rng = data.manifest, np.random.default_rng(seed)
    landmarks = read_landmarks(data) if geometry else np.full((len(data), 68, 2), np.nan)
    fit = ~np.isnan(landmarks).any((1, 2)) | (not geometry)
    key, neutral = matches_of(manifest).key, EXPRESSIONS.index("neutral")
    faces = {person: [row for row in rows if fit[row]] for person, rows in neutral_faces(manifest).items()}
    chosen = []
    for truth in np.flatnonzero((manifest.expression > neutral) & (manifest.intensity > 0) & fit):
        partners = np.flatnonzero((key == key[truth]) & (manifest.subject != manifest.subject[truth]))
        calm = faces.get(manifest.subject[truth])
        if calm and len(partners):
            example = rng.choice(partners)
            begin = calm[0] if start == STARTS[0] else other_face(manifest, int(truth), rng)
            chosen += [(example, begin, truth)] * (begin is not None and bool(fit[begin]))
    if not chosen:
        raise InputError(
            f"{manifest.folder}: nobody with a neutral face shows what another shows too; expected expression, "
            "intensity and best expr_id columns, or --partners 1 for random pairs"
        )
    example, face, truth_rows = np.array(chosen).T
    return Trials(example, face, truth_rows, np.stack([landmarks[face], landmarks[truth_rows]], 1))


def other_face(manifest: Manifest, truth: int, rng: np.random.Generator) -> int | None:
    """Return a strong picture of the same person, as much turned as this one, of another class; None without one."""
    m = manifest
    fit = (m.subject == m.subject[truth]) & (m.expression > 0) & (m.expression != m.expression[truth])
    fit &= (m.intensity >= STRONG) & (np.nan_to_num(m.yaw) == np.nan_to_num(m.yaw[truth]))
    rows = np.flatnonzero(fit & (np.nan_to_num(m.pitch) == np.nan_to_num(m.pitch[truth])))
    return int(rng.choice(rows)) if len(rows) else None


def random_pairs(data: Data, partners: int, seed: int = 0, both_ways: bool = False) -> Trials:
    """Return every picture as a face, each with random examples by other people, as EET IV-B and IV-C pair them.

    The truth is not known. Where a person has several pictures one is no face, the neutral one that is turned least if
    there is one, so that it can prove who they are. With `both_ways` every pair is swapped, as EET swaps: behind the
    trials stand the same the other way round, and examples are such as may be faces. Raises InputError for fewer than
    two people.
    """
    manifest, rng = data.manifest, np.random.default_rng(seed)
    known = np.flatnonzero(manifest.subject >= 0)
    person = manifest.subject[known]
    if len(np.unique(person)) < 2:
        raise InputError(f"{manifest.folder}: shows fewer than two people; expected a column subject with two or more")
    calm = neutral_faces(manifest)
    aside = [calm.get(p, known[person == p].tolist())[0] for p in np.unique(person) if (person == p).sum() > 1]
    faces = np.setdiff1d(known, aside)
    shown = faces if both_ways else known
    chosen = [
        (rng.choice(others, min(partners, len(others)), replace=False), face)
        for face in faces
        for others in [shown[manifest.subject[shown] != manifest.subject[face]]]
    ]
    example = np.concatenate([few for few, _ in chosen])
    face = np.repeat(faces, [len(few) for few, _ in chosen])
    if both_ways:
        example, face = np.concatenate([example, face]), np.concatenate([face, example])
    blank = np.full((len(face), 2, 68, 2), np.nan)
    return Trials(example, face, np.full(len(face), -1), blank)


def gaze_trials(data: Data, partners: int = 5, seed: int = 0) -> Trials:
    """Return every picture that looks aside as an example for neutral faces, looking ahead, of `partners` others.

    The truth is not looked for. Raises InputError where the data have no such pictures or faces.
    """
    m, rng = data.manifest, np.random.default_rng(seed)
    aside = np.flatnonzero(np.isin(side_of(m.gaze_x), (0, 2)) & (m.subject >= 0))
    if not len(aside):
        raise InputError(
            f"{m.folder}: no tested picture looks aside; expected a column gaze_x with degrees beyond ±{ASIDE:g}"
        )
    ahead = {p: [row for row in rows if side_of(m.gaze_x[row]) in (1, -1)] for p, rows in neutral_faces(m).items()}
    chosen = []
    for example in aside.tolist():
        others = [rows[0] for person, rows in ahead.items() if rows and person != m.subject[example]]
        chosen += [(example, face) for face in rng.choice(others, min(partners, len(others)), replace=False).tolist()]
    if not chosen:
        raise InputError(f"{m.folder}: nobody else has a neutral face that looks ahead; expected some to turn")
    example, face = np.array(chosen, np.int64).T
    return Trials(example, face, np.full(len(face), -1), np.full((len(face), 2, 68, 2), np.nan))
