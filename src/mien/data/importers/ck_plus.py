"""CK+, the Extended Cohn-Kanade set, as its zip files unpack (Lucey et al. 2010).

    ROOT/cohn-kanade-images/S005/001/S005_001_00000001.png …       neutral to peak
    ROOT/Emotion/S005/001/S005_001_00000011_emotion.txt            0 neutral, 1 anger … 7 surprise; not every sequence
    ROOT/FACS/S005/001/S005_001_00000011_facs.txt                  lines "unit intensity" of the last frame; optional
    ROOT/Landmarks/S005/001/S005_001_00000001_landmarks.txt        68 lines "x y"; optional, gives the eyes

Protocol of REL-GAN 4.2: sequences with an emotion label, their last three frames (327 sequences, 981 images, seven
classes); the first frame is neutral besides (`--no-neutral` leaves it out). Action units belong to the last frame.
`Emotion_labels/Emotion` and `FACS_labels/FACS` are accepted too. With `all_frames` sequences without an emotion label
come as well, without an expression but for the neutral first frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mien.data.importers.support.clip_frames import rising, shown
from mien.data.importers.support.corpus_folder import (
    first_of,
    folders,
    natural,
    need,
    number,
    pictures,
    read_text,
    stem,
    wrong_layout,
)
from mien.data.importers.support.crop import eyes_from_68
from mien.data.importers.support.facs import au_cells, read_pairs
from mien.data.importers.support.sample import Importer, Options, Sample, Skip

EXPECTS = "the CK+ folder that holds cohn-kanade-images, Emotion and FACS"
WORDS = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield the frames of every labelled sequence."""
    images = need(root, EXPECTS, "cohn-kanade-images")
    need(root, EXPECTS, "Emotion", "Emotion_labels")
    sequences = [clip for person in folders(images) for clip in folders(person) if pictures(clip)]
    if not sequences:
        raise wrong_layout(root, "cohn-kanade-images/S005/001/*.png", EXPECTS)
    for clip in sequences:
        try:
            yield from _sequence(root, clip, options)
        except (ValueError, OverflowError):  # InputError is one too: the file cannot be read
            yield Skip(str(clip), "label file cannot be read")


def _label(root: Path, clip: Path, kinds: tuple[str, ...]) -> str | None:
    """Return the text of a sequence's label file, None where there is none."""
    folder = first_of(root, *(f"{kind}/{clip.parent.name}/{clip.name}" for kind in kinds))
    found = sorted(folder.glob("*.txt"), key=natural) if folder else []
    return read_text(found[-1]) if found else None


def _sequence(root: Path, clip: Path, options: Options) -> list[Sample | Skip]:
    """Return what is taken of one sequence. Raises ValueError where a label is none."""
    emotion = _label(root, clip, ("Emotion", "Emotion_labels/Emotion", "Emotion_labels"))
    word = WORDS[_code(emotion)] if emotion else None
    if word is None and not options.all_frames:
        return [Skip(str(clip), "sequence without an emotion label")]
    facs = _label(root, clip, ("FACS", "FACS_labels/FACS", "FACS_labels"))
    peak = au_cells(read_pairs(facs)) if facs else {}
    files = pictures(clip)
    return [_frame(root, files, k, level, word, peak) for k, level in rising(len(files), options)]


def _code(text: str) -> int:
    code = int(float(text))
    if not 0 <= code < len(WORDS):
        raise ValueError(text)
    return code


def _frame(root: Path, files: list[Path], k: int, level: float, word: str | None, peak: dict) -> Sample:
    path = files[k]
    subject, take = path.parent.parent.name, path.parent.name
    labels: dict[str, str | float] = {"subject": subject, "sequence": f"{subject}_{take}"}
    labels["frame"] = number(path) or k
    if word is not None or level == 0:
        labels |= shown(word or "neutral", level)
    if k == len(files) - 1:
        labels |= peak
    points = root / "Landmarks" / subject / take / f"{path.stem}_landmarks.txt"
    return Sample(stem(path, root / "cohn-kanade-images"), path, labels, _eyes(points))


def _eyes(path: Path) -> np.ndarray | None:
    """Return eye centres from a file of 68 lines "x y"; None where there is none, or it is something else."""
    try:
        points = np.array(read_text(path).split(), float)
    except ValueError:
        return None
    return eyes_from_68(points.reshape(68, 2)) if points.size == 136 else None


IMPORTER = Importer(
    "CK+, original folders",
    samples,
    EXPECTS,
    "jeffcohn.net/resources (agreement, research only)",
    options=("all_frames", "neutral"),
)
