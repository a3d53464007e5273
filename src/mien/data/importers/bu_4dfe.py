"""BU-4DFE: clips from neutral to a peak in their middle and back, six expressions, 101 people (Yin et al. 2008).

    ROOT/F001/Angry/000.jpg …      person, expression, textures of the 3-D frames

Protocol of TER-GAN 4.1: the frames of the peak in the middle of each clip. The paper gives no number of them (60,600
images are all frames of all clips); the middle fifth is taken here, 20 frames of 100, and the first frame as neutral
(`--no-neutral` leaves it out).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mien.data.importers.support.clip_frames import arching, shown
from mien.data.importers.support.corpus_folder import folders, number, pictures, stem, wrong_layout
from mien.data.importers.support.sample import Importer, Options, Sample, Skip
from mien.labels import expression_word

EXPECTS = "the BU-4DFE folder that holds F001/Angry/000.jpg and its like"
PERSON = re.compile(r"[FM]\d{3}")
GENDERS = {"F": "female", "M": "male"}
SHARE = 5  # one frame in so many is the peak


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield the frames of every clip."""
    people = [folder for folder in folders(root) if PERSON.fullmatch(folder.name)]
    if not people:
        raise wrong_layout(root, "F001/Angry", EXPECTS)
    for person in people:
        for clip in folders(person):
            word, files = expression_word(clip.name), pictures(clip)
            if word is None or not files:
                yield Skip(str(clip), "folder without pictures" if word else "folder named after no expression")
                continue
            for k, level in arching(len(files), options, max(1, len(files) // SHARE)):
                labels = {"subject": person.name, "gender": GENDERS[person.name[0]]}
                labels |= {"sequence": f"{person.name}_{clip.name}", "frame": str(number(files[k]) or k)}
                yield Sample(stem(files[k], root), files[k], {**labels, **shown(word, level)})


IMPORTER = Importer(
    "BU-4DFE, texture frames",
    samples,
    EXPECTS,
    "cs.binghamton.edu/~lijun/Research/3DFE (agreement, research only)",
    options=("all_frames", "neutral"),
)
