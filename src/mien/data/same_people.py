"""What a data set says of itself as a whole: `dataset.json`, a file of few keys, which may be missing."""

from __future__ import annotations

from pathlib import Path

from mien.errors import InputError
from mien.reading import read_json

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
        content = read_json(path, 'expected one key and a word, as {"people": "photofaces"}')
    except InputError as error:
        return "", [str(error)]
    word = content.get(PEOPLE, "") if isinstance(content, dict) and not set(content) - {PEOPLE} else None
    if not isinstance(word, str) or (content and not word.strip()):
        return "", [f'{FILE}: expected one key and a word, as {{"people": "photofaces"}}']
    return word.strip(), []
