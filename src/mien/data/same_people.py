"""What a data set says of itself as a whole: `dataset.json`, a file of few keys, which may be missing."""

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
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return "", [f"{FILE}: cannot be read as JSON ({error}); expected one as " + '{"people": "photofaces"}']
    word = content.get(PEOPLE, "") if isinstance(content, dict) and not set(content) - {PEOPLE} else None
    if not isinstance(word, str) or (content and not word.strip()):
        return "", [f'{FILE}: expected one key and a word, as {{"people": "photofaces"}}']
    return word.strip(), []
