"""BU-3DFE: six expressions in four intensities and a neutral face, 100 people (Yin et al. 2006); textures only.

    ROOT/F0001/F0001_AN01WH_F2D.bmp      person, expression and level 01–04 (NE00 neutral), race, frontal texture

Protocol of REL-GAN 4.2: the textures of the two highest levels, six expressions; the neutral face comes besides
(`--no-neutral` leaves it out). The level over four is the intensity. `all_frames` takes all four levels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mien.data.importers.support.corpus_folder import pictures, stem, wrong_layout
from mien.data.importers.support.sample import Importer, Options, Sample, Skip
from mien.labels import expression_word

EXPECTS = "the BU-3DFE folder that holds F0001/F0001_AN01WH_F2D.bmp and its like"
NAME = re.compile(r"([FM])(\d{4})_(NE|AN|DI|FE|HA|SA|SU)(\d\d)(AE|AM|BL|IN|LA|WH)_F2D", re.IGNORECASE)
RACES = {"AE": "East Asian", "AM": "Middle East Asian", "BL": "Black", "IN": "Indian", "LA": "Latino", "WH": "White"}
GENDERS = {"F": "female", "M": "male"}
LEVELS, LOWEST = 4, 3


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield the frontal textures."""
    found = [(path, m) for path in pictures(root, below=True) if (m := NAME.fullmatch(path.stem))]
    if not found:
        raise wrong_layout(root, "*_F2D.bmp", EXPECTS)
    for path, match in found:
        gender, person, code, level, race = (text.upper() for text in match.groups())
        low = 0 < int(level) < LOWEST and not options.all_frames
        if low or (code == "NE" and not options.neutral):
            yield Skip(str(path), "intensity below the two highest" if low else "neutral face")
            continue
        labels = {"subject": gender + person, "expression": expression_word(code) or "", "gender": GENDERS[gender]}
        yield Sample(
            stem(path, root), path, {**labels, "ethnicity": RACES[race], "intensity": min(1.0, int(level) / LEVELS)}
        )


IMPORTER = Importer(
    "BU-3DFE, frontal textures",
    samples,
    EXPECTS,
    "cs.binghamton.edu/~lijun/Research/3DFE (agreement, research only)",
    options=("all_frames", "neutral"),
)
