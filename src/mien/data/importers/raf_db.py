"""RAF-DB, its basic emotions: 15,339 photographs from the web, seven classes, official split (Li et al. 2017).

    ROOT/EmoLabel/list_patition_label.txt             lines "train_00001.jpg 5"; ROOT/basic/… is found too
    ROOT/Image/aligned/train_00001_aligned.jpg        100 × 100 crops, the default
    ROOT/Image/original/train_00001.jpg               with --align always, where they are there
    ROOT/Annotation/manual/train_00001_manu_attri.txt five points, gender, race, age; gives the originals' eyes

Protocol of JESRL IV-A: the official partition, 12,271 to train on and 3,068 to test. People are not named: every
picture is a person of its own unless `--no-strangers` leaves them unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mien.data.importers.support.corpus_folder import first_of, inside, need, read_text, wrong_layout
from mien.data.importers.support.sample import Importer, Options, Sample, Skip, stranger

EXPECTS = "the RAF-DB folder that holds EmoLabel/list_patition_label.txt and Image/aligned or Image/original"
WORDS = dict(zip("1234567", ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"), strict=True))
GENDERS = {0: "male", 1: "female"}
RACES = {0: "Caucasian", 1: "African-American", 2: "Asian"}


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield the listed pictures."""
    base = need(root, EXPECTS, "EmoLabel", "basic/EmoLabel").parent
    listed = [line.split() for line in read_text(need(base, EXPECTS, "EmoLabel/list_patition_label.txt")).splitlines()]
    crops, originals = (first_of(base, f"Image/{kind}") for kind in ("aligned", "original"))
    if crops is None and originals is None:
        raise wrong_layout(root, "Image/aligned or Image/original", EXPECTS)
    whole = originals is not None and (options.align or crops is None)
    for words in filter(None, listed):
        name, code = words[0], words[-1]
        word, stem = WORDS.get(code), Path(name).stem
        split = stem.partition("_")[0]
        if word is None or split not in ("train", "test"):
            yield Skip(name, "no label")
            continue
        labels = stranger({"expression": word, "split": split, "test": int(split == "test")}, stem, options)
        folder = originals if whole and originals else crops or base
        path = inside(folder, name if folder is originals else f"{stem}_aligned{Path(name).suffix}")
        if path is None:
            yield Skip(str(folder / name), "listed picture is not there")
            continue
        facts, eyes = _attributes(base / "Annotation" / "manual" / f"{stem}_manu_attri.txt")
        yield Sample(stem, path, {**labels, **facts}, eyes if whole else None)


def _attributes(path: Path) -> tuple[dict[str, str], np.ndarray | None]:
    """Return gender and race, and eye centres (2, 2) in the original, as far as an annotation tells them."""
    if not path.is_file():
        return {}, None
    try:
        values = [float(word) for word in read_text(path).split()]
    except ValueError:
        return {}, None
    if len(values) < 10:
        return {}, None
    codes = dict(zip(("gender", "ethnicity"), values[10:12], strict=False))
    facts = {name: words[int(codes[name])] for name, words in (("gender", GENDERS), ("ethnicity", RACES))
             if codes.get(name) in words}  # fmt: skip
    eyes = np.array(values[:4]).reshape(2, 2)
    eyes = eyes[np.argsort(eyes[:, 0])]
    return facts, eyes if np.hypot(*(eyes[1] - eyes[0])) > 1 else None


IMPORTER = Importer(
    "RAF-DB, basic emotions",
    samples,
    EXPECTS,
    "whdeng.cn/raf (agreement, research only)",
    aligned=True,
    options=("strangers",),
)
