"""AffectNet, its manually annotated part: photographs from the web, eight classes (Mollahosseini et al. 2017).

    ROOT/training.csv, ROOT/validation.csv          subDirectory_filePath, …, facial_landmarks, expression, …
    ROOT/Manually_Annotated_Images/103/29a31e….jpg  whole photographs; the 68 landmarks give the eyes
or
    ROOT/train_set/images/0.jpg, ROOT/val_set/…     224 × 224 crops
    ROOT/train_set/annotations/0_exp.npy, 0_lnd.npy

Classes 0 neutral, 1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 anger, 7 contempt; none, uncertain and no face
(8–10) are left out. None of the five papers uses it. The test labels are not given out, so, as is common, `test` marks
the validation part. People are not named: every picture is a person of its own unless `--no-strangers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mien.arrays import Wanted, read_npy
from mien.data.importers.support.corpus_folder import first_of, inside, natural, pictures, wrong_layout
from mien.data.importers.support.crop import eyes_from_68
from mien.data.importers.support.sample import Importer, Options, Sample, Skip, stranger
from mien.errors import InputError
from mien.labels import POINTS
from mien.reading import csv_records, csv_rows

EXPECTS = "the AffectNet folder that holds training.csv and Manually_Annotated_Images, or train_set/annotations"
WORDS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
CODES = {str(code): word for code, word in enumerate(WORDS)}
COLUMNS = ("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks", "expression")
IMAGES = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images", "")
TABLES = {"training.csv": "train", "validation.csv": "val"}
FOLDERS = {"train_set": "train", "val_set": "val"}


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield every picture of one of the eight classes."""
    tables = {path: split for name, split in TABLES.items()
              if (path := first_of(root, name, f"Manually_Annotated_file_lists/{name}"))}  # fmt: skip
    sets = {root / name: split for name, split in FOLDERS.items() if (root / name / "annotations").is_dir()}
    if not tables and not sets:
        raise wrong_layout(root, "training.csv or train_set/annotations", EXPECTS)
    for table, split in tables.items():
        yield from _table(root, table, split, options)
    for folder, split in sets.items():
        yield from _crops(folder, split, options)


def _labels(code: str, split: str, name: str, options: Options) -> dict[str, str | int | float] | None:
    """Return the cells of class `code`, None where it is none of the eight."""
    if code not in CODES:
        return None
    return dict(stranger({"expression": CODES[code], "split": split, "test": int(split == "val")}, name, options))


def _eyes(points: np.ndarray) -> np.ndarray | None:
    return eyes_from_68(points.reshape(68, 2)) if points.size == 136 else None


def _table(root: Path, table: Path, split: str, options: Options) -> Iterator[Sample | Skip]:
    """Yield the rows of a table; one without a header has the columns of the others."""
    images = first_of(root, *IMAGES) or root
    headed = COLUMNS[0] in next((row for _, row in csv_rows(table, EXPECTS)), [])
    for row in csv_records(table, EXPECTS, None if headed else COLUMNS):
        name = row.get(COLUMNS[0], "")
        path = inside(images, name)
        labels = _labels(row.get("expression", "").strip(), split, Path(name).stem, options)
        if labels is None or path is None:
            yield Skip(str(images / name), "listed picture is not there" if labels else "none, uncertain or no face")
            continue
        try:
            points = np.array(row.get("facial_landmarks", "").split(";"), float)
        except ValueError:
            points = np.zeros(0)
        yield Sample(f"{split}/{path.parent.name}/{path.stem}", path, labels, _eyes(points))


def _array(path: Path) -> np.ndarray:
    """Return a small array of numbers or words; an empty one where the file is missing or is none."""
    try:
        return read_npy(path, Wanted("iufU", None), EXPECTS)
    except InputError:
        return np.zeros(0)


def _crops(folder: Path, split: str, options: Options) -> Iterator[Sample | Skip]:
    """Yield the crops of one part, their labels in .npy files beside."""
    for path in sorted(pictures(folder / "images"), key=natural):
        notes = folder / "annotations"
        code = _array(notes / f"{path.stem}_exp.npy")
        word = str(code.item()) if code.size == 1 else ""
        labels = _labels(word.strip(), split, f"{split}_{path.stem}", options)
        if labels is None:
            yield Skip(str(path), "none, uncertain or no face" if code.size else "no label")
            continue
        points = _array(notes / f"{path.stem}_lnd.npy")
        sound = points.size == 2 * POINTS and points.dtype.kind in "iuf"
        yield Sample(f"{split}/{path.stem}", path, labels, _eyes(points.astype(float)) if sound else None)


IMPORTER = Importer(
    "AffectNet, manually annotated",
    samples,
    EXPECTS,
    "mohammadmahoor.com (agreement, research only)",
    options=("strangers",),
)
