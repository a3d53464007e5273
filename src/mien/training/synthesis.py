"""Labelled faces that a model makes, as a data set."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from mien.about import VERSION
from mien.controls import Controls
from mien.data.columns import METADATA
from mien.data.dataset import Data, digest
from mien.errors import InputError
from mien.files import CLAIM, alone, check_folder, claim, is_new, make_folder, write_whole
from mien.labels import BASIC, CLASSES
from mien.media.photo import Photo, write_photo
from mien.media.provenance import Stamp
from mien.models.contract import Edits, Family, Generates
from mien.models.io import fingerprint
from mien.models.registry import able, name_of
from mien.nn.images import resized, to_pixels
from mien.progress import Tell, untold

WEAKEST = 0.5  # intensity of synthesised faces is drawn from here to 1


@torch.inference_mode()
def synthesize(
    model: Family,
    data: Data | None,
    folder: Path,
    per_class: int,
    words: Sequence[str] = BASIC,
    seed: int = 0,
    tell: Tell = untold,
) -> None:
    """Write `per_class` labelled faces of each class to `folder`, a data set like any other; resumes where it stopped.

    With `data`, its neutral people are edited: a row's person is theirs "(made)", a relative of the true one, so that
    folds and test sets keep both on one side. Without, the model invents people, each in all classes; how strongly
    they show them is not known. Pictures carry a stamp that says that they were made. Raises InputError where the model
    cannot, where the data shows nobody neutral, or where `folder` holds faces made otherwise.
    """
    faces = np.flatnonzero(data.manifest.expression == 0) if data is not None else np.zeros(1, np.int64)
    if data is not None and not len(faces):
        raise InputError(f"{data.manifest.folder}: nobody is neutral; expected neutral faces to edit")
    able(model, Edits if data is not None else Generates)  # before the folder is claimed
    shown = "" if data is None else digest(data, faces)
    check_folder(folder)
    if not (folder / CLAIM).exists() and not is_new(folder):
        raise InputError(f"{folder}: not empty and no set of made faces; give a new folder")
    make_folder(folder)
    with alone(folder):
        claim(folder, {"weights": fingerprint(model), "faces": shown, "seed": seed})
        rows = _write_faces(model, data, faces, folder, per_class, words, seed, tell)
        table = io.StringIO()
        writer = csv.DictWriter(table, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        write_whole(folder / METADATA, table.getvalue())


def _write_faces(
    model: Family, data: Data | None, faces: np.ndarray, folder: Path, per_class: int, words: Sequence[str], seed: int,
    tell: Tell,
) -> list[dict[str, str]]:  # fmt: skip
    """Write the pictures that are missing, and return all rows of the table."""
    rows: list[dict[str, str]] = []
    for k in range(per_class):  # all classes of one k, so that the first n of every class make a smaller set
        person = int(np.random.default_rng([seed, k]).integers(2**31))
        for word in words:
            rng = np.random.default_rng([seed, k, CLASSES.index(word)])
            intensity, row = WEAKEST + (1 - WEAKEST) * rng.random(), int(rng.choice(faces))
            file = folder / "images" / f"{k:05d}_{word}.png"
            labels = {"subject": f"new{k:05d}"} if data is None else labels_of(data, row, intensity)
            rows.append({"file_name": f"images/{file.name}", "expression": word, "kind": "made"} | labels)
            if not file.is_file():
                if data is None:
                    made = able(model, Generates).generate(1, word, seed=person)
                else:
                    face = resized(data.images[row : row + 1], model.config.image_size)
                    made = able(model, Edits).edit(face, Controls(word, intensity))
                write_made(made, file, name_of(model), f"synthesize: {word} {intensity:.2f}", labels["subject"])
        tell(k + 1, per_class)
    return rows


def write_made(image: torch.Tensor, file: Path, model: str, operation: str, subject: str) -> None:
    """Write one picture (1, 3, S, S) that a model made, with a stamp that says so."""
    make_folder(file.parent)
    stamp = Stamp(f"mien {VERSION}", model, operation, subject)
    write_photo(Photo.of(to_pixels(image[0])), file, stamp)


def labels_of(data: Data, row: int, intensity: float) -> dict[str, str]:
    """Return what is known of a face made from a row's: its person descends from the row's."""
    m = data.manifest
    person = m.subjects[m.subject[row]]
    fold = str(m.fold[row]) if m.fold[row] >= 0 else ""
    sides = {"test": str(int(m.test[row])), "fold": fold, "split": str(m.split[row])}
    return {"subject": f"{person} (made)", "parents": person, "intensity": f"{intensity:.3f}"} | sides
