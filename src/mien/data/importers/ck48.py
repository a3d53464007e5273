"""CK+48: the last three frames of CK+'s labelled sequences, cropped to 48 × 48 and sorted by class.

    ROOT/anger/S010_004_00000017.png …        or ROOT/CK+48/anger/…; happy, sadness, … beside it

All images are taken: they are REL-GAN 4.2's choice already. Subject, sequence and frame come from the file name. There
are no neutral frames, action units or sizes above 48 pixels; the crops are tighter than the template and are taken as
they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mien.data.importers.support.corpus_folder import first_of, folders, pictures, stem, wrong_layout
from mien.data.importers.support.sample import Importer, Options, Sample, Skip
from mien.labels import expression_word

EXPECTS = "the CK+48 folder that holds anger, contempt, disgust, fear, happy, sadness, surprise"
NAME = re.compile(r"(S\d+)_(\d+)_(\d+)")


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield every crop with its class."""
    base = first_of(root, "CK+48", "ck/CK+48", "") or root
    classes = [(folder, word) for folder in folders(base) if (word := expression_word(folder.name))]
    if not any(NAME.match(path.stem) for folder, _ in classes for path in pictures(folder)):
        raise wrong_layout(root, "anger/S010_004_00000017.png", EXPECTS)
    for folder, word in classes:
        for path in pictures(folder):
            match = NAME.match(path.stem)
            if not match:
                yield Skip(str(path), "file name without subject and sequence")
                continue
            person, take, frame = match.groups()
            labels = {"subject": person, "sequence": f"{person}_{take}", "frame": int(frame), "expression": word}
            yield Sample(stem(path, base), path, {**labels, "intensity": 0.0 if word == "neutral" else 1.0})


IMPORTER = Importer(
    "CK+48, 48 × 48 crops by class", samples, EXPECTS, "made from CK+; ask for CK+ itself", aligned=True
)
