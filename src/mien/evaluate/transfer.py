"""Transfer against the exact truth: the real picture of this person showing that expression."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mien.data.dataset import Data
from mien.data.manifest import Manifest
from mien.data.matches import matches_of
from mien.data.neutral import neutral_faces
from mien.data.sampling.geometry import read_landmarks
from mien.editor import Editor
from mien.errors import InputError
from mien.labels import EXPRESSIONS
from mien.metrics.image_similarity import l1, psnr, ssim_map
from mien.metrics.regions import region_boxes
from mien.models.contract import Family, Transfers
from mien.models.registry import able
from mien.nn.images import to_pixels

ANSWERS = ("face unchanged", "example copied", "model's picture", "change pasted")
"""Two trivial answers, the paper's, and what the Editor gives: the photograph plus the model's change."""

STRONG = 0.75
"""Intensity from which an expression counts as strong: weaker ones are hardly more than noise in L1."""


@dataclass(frozen=True)
class Trials:
    """Rows of a data set: example (another person), face and truth; `landmarks` of face and truth, NaN if not read."""

    example: np.ndarray  # (T,)
    face: np.ndarray
    truth: np.ndarray  # -1 where nobody knows what the answer looks like
    landmarks: np.ndarray  # (T, 2, 68, 2) pixels of the data's frames


STARTS = ("neutral", "other")
"""What a face shows before: nothing, or another expression."""


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


def random_pairs(data: Data, partners: int, seed: int = 0) -> Trials:
    """Return every picture as a face, each with random examples by other people, as EET IV-B and IV-C pair them.

    The truth is not known. Where a person has several pictures one is no face, the neutral one that is turned least if
    there is one, so that it can prove who they are. Raises InputError for fewer than two people.
    """
    manifest, rng = data.manifest, np.random.default_rng(seed)
    known = np.flatnonzero(manifest.subject >= 0)
    person = manifest.subject[known]
    if len(np.unique(person)) < 2:
        raise InputError(f"{manifest.folder}: shows fewer than two people; expected a column subject with two or more")
    calm = neutral_faces(manifest)
    aside = [calm.get(p, known[person == p].tolist())[0] for p in np.unique(person) if (person == p).sum() > 1]
    faces = np.setdiff1d(known, aside)
    chosen = [
        (rng.choice(others, min(partners, len(others)), replace=False), face)
        for face in faces
        for others in [known[person != manifest.subject[face]]]
    ]
    example = np.concatenate([few for few, _ in chosen])
    face = np.repeat(faces, [len(few) for few, _ in chosen])
    blank = np.full((len(face), 2, 68, 2), np.nan)
    return Trials(example, face, np.full(len(face), -1), blank)


@torch.inference_mode()
def answers(editor: Editor, data: Data, t: Trials, trial: int) -> dict[str, np.ndarray]:
    """Return a trial's four answers, uint8 (S, S, 3) in the data's frame. The editor must take aligned pictures."""
    face, example = data.images[int(t.face[trial])], data.images[int(t.example[trial])]
    made = able(editor.model, Transfers).transfer(editor.see(face).crop, editor.see(example).crop)
    up = torch.nn.functional.interpolate(made, size=face.shape[:2], mode="bicubic", align_corners=False)
    pasted = editor.transfer(face, example).rgb
    return dict(zip(ANSWERS, (face, example, to_pixels(up[0]), pasted), strict=True))


def transfer_errors(model: Family, data: Data, seed: int = 0) -> pd.DataFrame:
    """Return L1, PSNR and SSIM by trial, answer and region, in columns.

    Columns: subject, expression, intensity, answer, region, l1 (share of white), psnr (dB), ssim.
    """
    editor, t, rows = Editor(model, aligned=True), trials(data, seed), []
    for k in range(len(t.face)):
        for answer, picture in answers(editor, data, t, k).items():
            rows += [{**row, "answer": answer} for row in errors_of(picture, data, t, k)]
    return pd.DataFrame(rows)


def errors_of(picture: np.ndarray, data: Data, t: Trials, trial: int) -> list[dict[str, float | str]]:
    """Return a row a region: a trial's labels and how far `picture`, uint8 (S, S, 3), is from its truth."""
    row = int(t.truth[trial])
    truth, manifest = data.images[row], data.manifest
    labels: dict[str, float | str] = {
        "subject": manifest.subjects[manifest.subject[row]],
        "expression": EXPRESSIONS[manifest.expression[row]],
        "intensity": round(float(manifest.intensity[row]), 3),
    }
    structure = ssim_map(picture, truth)
    return [
        labels
        | {
            "region": region,
            "l1": l1(picture, truth, box),
            "psnr": psnr(picture, truth, box),
            "ssim": float(structure[box].mean()),
        }
        for region, box in region_boxes(t.landmarks[trial], data.size).items()
    ]


def transfer_table(errors: pd.DataFrame, at_least: float = 0.0) -> pd.DataFrame:
    """Return the mean errors by region, model if it is told, and answer, of trials of at least this intensity."""
    chosen = errors[errors.intensity >= at_least]
    return chosen.groupby(_keys(errors), sort=False)[["l1", "psnr", "ssim"]].mean()


def write_transfer(errors: pd.DataFrame, folder: Path) -> None:
    """Write trials.csv, the tables for all and for STRONG expressions, and L1 by expression."""
    folder.mkdir(parents=True, exist_ok=True)
    errors.round(5).to_csv(folder / "trials.csv", index=False)
    for name, least in (("all", 0.0), ("strong", STRONG)):
        transfer_table(errors, least).round(4).to_csv(folder / f"transfer_{name}.csv")
    by_expression(errors).round(4).to_csv(folder / "transfer_by_expression.csv")


def by_expression(errors: pd.DataFrame, at_least: float = STRONG) -> pd.DataFrame:
    """Return the mean L1 by expression (rows), region, model if told, and answer; what hardly moves shows noise."""
    chosen = errors[errors.intensity >= at_least]
    return chosen.pivot_table(index="expression", columns=_keys(errors), values="l1")


def _keys(errors: pd.DataFrame) -> list[str]:
    return [name for name in ("region", "model", "answer") if name in errors]
