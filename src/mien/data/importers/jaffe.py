"""JAFFE: ten Japanese women, six expressions and neutral, 213 pictures (Lyons et al. 1998).

    ROOT/KA.AN1.39.tiff     person, expression and take, number

All pictures are taken; there is no official split. The expression is the one that was posed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mien.data.importers.support.corpus_folder import pictures, stem, wrong_layout
from mien.data.importers.support.sample import Importer, Options, Sample, Skip
from mien.labels import expression_word

EXPECTS = "the JAFFE folder that holds KA.AN1.39.tiff and its like"
NAME = re.compile(r"([A-Z]{2})\.(AN|DI|FE|HA|NE|SA|SU)(\d)\.(\d+)")


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield every picture."""
    found = pictures(root, below=True)
    if not any(NAME.fullmatch(path.stem) for path in found):
        raise wrong_layout(root, "KA.AN1.39.tiff", EXPECTS)
    for path in found:
        match = NAME.fullmatch(path.stem)
        if not match:
            yield Skip(str(path), "file name with no known expression")
            continue
        person, code, _, _ = match.groups()
        labels: dict[str, str | float] = {
            "subject": person,
            "expression": expression_word(code) or "",
            "gender": "female",
        }
        yield Sample(stem(path, root), path, labels | ({"intensity": 0.0} if code == "NE" else {}))


IMPORTER = Importer("JAFFE", samples, EXPECTS, "zenodo.org/records/3451524 (agreement, research only)")
