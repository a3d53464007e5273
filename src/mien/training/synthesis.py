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
from mien.models.contract import Edits, Family, Generates, Varies
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
    varied: bool = False,
) -> None:
    """Write `per_class` labelled faces of each class to `folder`, a data set like any other; resumes where it stopped.

    With `data`, its neutral people are edited: a row's person is theirs "(made)", a relative of the true one, so that
    folds and test sets keep both on one side. They show a class at an intensity that is drawn, or with `varied` in a
    way that is drawn, by a code where the model draws such, else as one of the data's people shows it: then how
    strongly is not known. Without data, the model invents people, each in all classes, and it is not known either.
    Pictures carry a stamp that says that they were made. Raises InputError where the model cannot, where the data shows
    nobody neutral, or where `folder` holds faces made otherwise.
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
        made_by = {"weights": fingerprint(model), "faces": shown, "seed": seed}
        claim(folder, made_by | ({"varied": True} if varied else {}))
        rows = _write_faces(model, data, faces, folder, per_class, words, seed, varied, tell)
        table = io.StringIO()
        writer = csv.DictWriter(table, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        write_whole(folder / METADATA, table.getvalue())


def _write_faces(
    model: Family, data: Data | None, faces: np.ndarray, folder: Path, per_class: int, words: Sequence[str], seed: int,
    varied: bool, tell: Tell,
) -> list[dict[str, str]]:  # fmt: skip
    """Write the pictures that are missing, and return all rows of the table."""
    rows: list[dict[str, str]] = []
    for k in range(per_class):  # all classes of one k, so that the first n of every class make a smaller set
        person = int(np.random.default_rng([seed, k]).integers(2**31))
        for word in words:
            rng = np.random.default_rng([seed, k, CLASSES.index(word)])
            intensity, row = WEAKEST + (1 - WEAKEST) * rng.random(), int(rng.choice(faces))
            file = folder / "images" / f"{k:05d}_{word}.png"
            labels = {"subject": f"new{k:05d}"} if data is None else labels_of(data, row, None if varied else intensity)
            rows.append({"file_name": f"images/{file.name}", "expression": word, "kind": "made"} | labels)
            if not file.is_file():
                if data is None:
                    made = able(model, Generates).generate(1, word, seed=person)
                else:
                    face = resized(data.images[row : row + 1], model.config.image_size)
                    shown_so = _varied(model, face, word, data, rng, person) if varied else None
                    asked = Controls(word, intensity)
                    made = able(model, Edits).edit(face, asked) if shown_so is None else shown_so
                how = "varied" if varied else f"{intensity:.2f}"
                write_made(made, file, name_of(model), f"synthesize: {word} {how}", labels["subject"])
        tell(k + 1, per_class)
    return rows


def strong_faces(data: Data, word: str) -> np.ndarray:
    """Return the rows that show a class at intensity `WEAKEST` or more, or at one that is not known."""
    m = data.manifest
    return np.flatnonzero((m.expression == CLASSES.index(word)) & ~(m.intensity < WEAKEST))


def _varied(
    model: Family, face: torch.Tensor, word: str, data: Data, rng: np.random.Generator, seed: int
) -> torch.Tensor | None:
    """Return a face (1, 3, S, S) that shows a class in a way that is drawn; None where nobody shows the class."""
    if isinstance(model, Varies):
        return model.vary(face, word, seed)
    rows = strong_faces(data, word)
    if not len(rows):
        return None
    example = resized(data.images[rng.choice(rows, 1)], model.config.image_size)
    return able(model, Edits).edit(face, Controls(like=example))


def write_made(image: torch.Tensor, file: Path, model: str, operation: str, subject: str) -> None:
    """Write one picture (1, 3, S, S) that a model made, with a stamp that says so."""
    make_folder(file.parent)
    stamp = Stamp(f"mien {VERSION}", model, operation, subject)
    write_photo(Photo.of(to_pixels(image[0])), file, stamp)


def labels_of(data: Data, row: int, intensity: float | None) -> dict[str, str]:
    """Return what is known of a face made from a row's: its person descends from the row's; None is not known."""
    m = data.manifest
    person = m.subjects[m.subject[row]]
    fold = str(m.fold[row]) if m.fold[row] >= 0 else ""
    sides = {"test": str(int(m.test[row])), "fold": fold, "split": str(m.split[row])}
    strength = "" if intensity is None else f"{intensity:.3f}"
    return {"subject": f"{person} (made)", "parents": person, "intensity": strength} | sides
