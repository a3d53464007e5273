"""FER2013: 35,887 grey 48 × 48 crops from the web in one table, seven classes, official split (Goodfellow et al. 2013).

    ROOT/fer2013.csv           columns emotion,pixels,Usage; or ROOT/icml_face_data.csv (emotion, Usage, pixels)

ROOT may be the table itself. Training, PublicTest and PrivateTest become train, val and test; `test` marks
PrivateTest, as in the challenge. The crops are taken as they are. People are not named: every picture is a person of
its own unless `--no-strangers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from mien.data.importers.support.corpus_folder import need, wrong_layout
from mien.data.importers.support.sample import Importer, Labels, Options, Sample, Skip, stranger
from mien.errors import InputError
from mien.reading import csv_records, csv_rows

EXPECTS = "fer2013.csv or icml_face_data.csv with columns emotion, pixels, Usage, or its folder"
WORDS = dict(zip("0123456", ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"), strict=True))
SPLITS = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
SIDE = 48


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield every row's picture."""
    table = root if root.is_file() else need(root, EXPECTS, "fer2013.csv", "icml_face_data.csv", "fer2013/fer2013.csv")
    header = next((row for _, row in csv_rows(table, EXPECTS)), [])
    if not {"emotion", "pixels", "Usage"} <= {name.strip() for name in header}:
        raise wrong_layout(table, "columns emotion, pixels, Usage", EXPECTS)
    for k, row in enumerate(csv_records(table, EXPECTS)):
        word, split = WORDS.get(row["emotion"].strip()), SPLITS.get(row["Usage"].strip())
        if word is None or split is None:
            yield Skip(f"{table.name} row {k + 1}", "no label")
            continue
        labels: Labels = {"expression": word, "split": split, "test": int(split == "test")}
        pixels = partial(_picture, _numbers(row["pixels"]), f"{table}: row {k + 1}")
        yield Sample(f"{split}/{k:05d}", pixels, stranger(labels, f"{k:05d}", options))


def _numbers(text: str) -> np.ndarray:
    """Return numbers 0–255 as uint8 (N,); an empty array where one is none, or there are far too many."""
    if len(text) > 8 * SIDE * SIDE:
        return np.zeros(0, np.uint8)
    try:
        values = np.array(text.split(), dtype=np.int16)
    except (ValueError, OverflowError):
        return np.zeros(0, np.uint8)
    return (
        values.astype(np.uint8) if values.size and 0 <= values.min() <= values.max() <= 255 else np.zeros(0, np.uint8)
    )


def _picture(grey: np.ndarray, where: str) -> np.ndarray:
    """Return the picture that 2,304 numbers are, uint8 (48, 48, 3). Raises InputError where they are not that many."""
    if grey.size != SIDE * SIDE:
        raise InputError(f"{where}: pixels are not {SIDE * SIDE} numbers from 0 to 255; download the table again")
    return np.repeat(grey.reshape(SIDE, SIDE, 1), 3, axis=2)


IMPORTER = Importer(
    "FER2013, the challenge's table",
    samples,
    EXPECTS,
    "Kaggle, Challenges in Representation Learning 2013 (account)",
    aligned=True,
    file=True,
    options=("strangers",),
)
