"""What a data set says of itself beside its labels: `dataset.json`, a file of few keys that may be missing."""

from __future__ import annotations

import json
from pathlib import Path

FILE = "dataset.json"
"""The declaration's file name, beside metadata.csv."""

PEOPLE = "people"
"""Its one key: a word; sets that say the same word mean the same people and expressions by the same names."""


def read_declaration(folder: Path) -> tuple[str, list[str]]:
    """Return the word for the people of a data set, '' where it says none, and what is wrong with its dataset.json."""
    path = folder / FILE
    if not path.is_file():
        return "", []
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return "", [f"{FILE}: cannot be read as JSON ({error}); expected one as " + '{"people": "photofaces"}']
    word = said.get(PEOPLE, "") if isinstance(said, dict) and not set(said) - {PEOPLE} else None
    if not isinstance(word, str) or (said and not word.strip()):
        return "", [f'{FILE}: expected one key and a word, as {{"people": "photofaces"}}']
    return word.strip(), []
