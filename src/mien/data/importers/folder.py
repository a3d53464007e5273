"""Any folder of pictures sorted by class, as ImageFolder reads them.

    ROOT/happy/a.jpg …                   class folders by any common name: happy, Happiness, joy, …
    ROOT/train/happy/a.jpg …             train, val (valid, validation, dev) and test above them become the split

Pictures may lie deeper than their class folder. `subject` is a regular expression that is searched for in the path
below ROOT; its first group, or all of it, names the person: `--subject '(S[0-9]+)_'`. Without it nobody is named, and
every picture is a person of its own unless `--no-strangers`. `test` marks the test split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mien.data.importers.support.corpus_folder import clips, folders, pictures, stem, wrong_layout
from mien.data.importers.support.sample import Importer, Labels, Options, Sample, Skip, stranger
from mien.data.importers.support.words import split_word
from mien.errors import InputError
from mien.labels import expression_word

EXPECTS = "a folder that holds one folder for each expression, as happy/*.jpg, or train/happy/*.jpg"


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield every picture below a class folder."""
    who, nobody = person_pattern(options.subject), True
    splits = [(folder, word) for folder in folders(root) if (word := split_word(folder.name))]
    parts = splits or [(root, "")]
    beside = set(folders(root)) - {folder for folder, _ in splits} if splits else set()
    if not any(expression_word(here.name) for part, _ in parts for here in folders(part)):
        raise wrong_layout(root, "folder named after an expression", EXPECTS)
    for folder in sorted(beside):
        yield from (Skip(str(path), "folder beside train, val and test") for path in pictures(folder, below=True))
    for part, split in parts:
        for here in folders(part):
            word = expression_word(here.name)
            for path in pictures(here, below=True):
                if word is None:
                    yield Skip(str(path), f"folder '{here.name}' is named after no expression")
                    continue
                labels: dict[str, str | int | float] = {"expression": word}
                if split:
                    labels |= {"split": split, "test": int(split == "test")}
                named = with_person(labels, path.relative_to(root), who, options)
                nobody = nobody and "subject" not in named
                yield Sample(stem(path, root), path, named)
            yield from (Skip(str(path), "clip, not a picture: extract its frames") for path in clips(here))
    if who is not None and nobody:
        raise InputError(f"{root}: --subject {options.subject} is found in no picture's path; give a pattern that is")


def person_pattern(text: str) -> re.Pattern[str] | None:
    """Return the compiled pattern, None for none. Raises InputError where it is no regular expression."""
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise InputError(f"--subject {text}: is no regular expression ({error}); try '(S[0-9]+)_'") from None


def with_person(labels: Labels, path: Path, who: re.Pattern[str] | None, options: Options) -> Labels:
    """Return labels with the person that the pattern finds in a relative path; unknown where it finds none."""
    if who is None:
        return stranger(labels, path.as_posix(), options)
    match = who.search(path.as_posix())
    return {**labels, "subject": match.group(1 if who.groups else 0)} if match else labels


IMPORTER = Importer(
    "any folder of pictures by class", samples, EXPECTS, "your own pictures", options=("subject", "strangers")
)
