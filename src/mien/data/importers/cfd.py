"""CFD, the Chicago Face Database, with its extensions for India and multiracial people (Ma et al. 2015).

    ROOT/…/CFD-WM-001-014-N.jpg     race and gender, person, picture, expression

Expressions: N neutral, A angry, F fearful, HC and HO happy with the mouth closed and open (an `expr_id` tells them
apart). Protocol of EET IV-A: all images; its 1,081 and 126 are drawn at random and not named, so no split is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mien.data.importers.support.corpus_folder import pictures, stem, wrong_layout
from mien.data.importers.support.sample import Importer, Options, Sample, Skip

EXPECTS = "the CFD folder that holds CFD-WM-001-014-N.jpg and its like"
NAME = re.compile(r"CFD-([ABILMW])([FM])-(\d+)-(\d+)-(N|A|F|HC|HO)")
RACES = {"A": "Asian", "B": "Black", "I": "Indian", "L": "Latino", "M": "Multiracial", "W": "White"}
GENDERS = {"F": "female", "M": "male"}
LOOKS: dict[str, dict[str, str | float]] = {
    "N": {"expression": "neutral", "intensity": 0.0},
    "A": {"expression": "anger"},
    "F": {"expression": "fear"},
    "HC": {"expression": "happiness", "expr_id": "happiness_closed"},
    "HO": {"expression": "happiness", "expr_id": "happiness_open"},
}


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield every photograph."""
    found = [path for path in pictures(root, below=True) if path.stem.startswith("CFD-")]
    if not any(NAME.fullmatch(path.stem) for path in found):
        raise wrong_layout(root, "CFD-*-N.jpg", EXPECTS)
    for path in found:
        match = NAME.fullmatch(path.stem)
        if not match:
            yield Skip(str(path), "file name with no known expression")
            continue
        race, gender, person, _, code = match.groups()
        who = {"subject": f"{race}{gender}-{person}", "ethnicity": RACES[race], "gender": GENDERS[gender]}
        yield Sample(stem(path, root), path, {**who, **LOOKS[code]})


IMPORTER = Importer("CFD, Chicago Face Database", samples, EXPECTS, "chicagofaces.org (free, not for sale)")
