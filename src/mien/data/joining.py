"""The labels of several data sets as one: which names mean the same person, and what is known of them together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from mien.data.manifest import Manifest
from mien.errors import InputError

FACTS = {"test": None, "fold": -1, "parents": "", "gender": ""}
"""Columns that must agree in all pictures of a person, and the value that leaves them open (`test` has none)."""


def join(parts: Sequence[Manifest]) -> Manifest:
    """Return the images of several manifests as one whose folder is above all of them.

    Folders of one `people` mean the same people and expressions by the same names; what one of them leaves open of a
    person another may tell. Folders of several stay apart: a subject that several use gets the number of its folder in
    front (`2:ann`), and so does every expr_id. Raises InputError where folders contradict each other about a person.
    """
    folders = list(dict.fromkeys(part.folder.resolve() for part in parts))
    typed = {part.folder.resolve(): part.folder for part in parts}
    group = [_group(part) for part in parts]
    number: dict[str, int] = {}  # of a group's first folder
    owners: dict[str, set[str]] = {}
    for part, whose in zip(parts, group, strict=True):
        number.setdefault(whose, folders.index(part.folder.resolve()) + 1)
        for name in part.subjects:
            owners.setdefault(name, set()).add(whose)

    def rename(name: str, whose: str) -> str:
        return f"{number[whose]}:{name}" if len(owners.get(name, ())) > 1 else name

    def parents(part: Manifest, whose: str) -> np.ndarray:
        names, back = np.unique(part.parents, return_inverse=True)
        return np.array(["+".join(rename(p.strip(), whose) for p in str(n).split("+")) for n in names])[back]

    pairs = list(zip(parts, group, strict=True))
    subjects = sorted({rename(name, whose) for part, whose in pairs for name in part.subjects})
    index = {name: i for i, name in enumerate(subjects)} | {"": -1}
    arrays = [f.name for f in fields(Manifest) if isinstance(getattr(parts[0], f.name), np.ndarray)]
    new = {name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays}
    new["parents"] = np.concatenate([parents(part, whose) for part, whose in pairs])
    if len(number) > 1:  # an id is one expression within a group; another's anger_v1 may be another anger
        new["expr_id"] = np.concatenate([_numbered(part.expr_id, number[whose]) for part, whose in pairs])
    people = [np.array([index[rename(n, whose)] for n in part.subjects] + [-1])[part.subject] for part, whose in pairs]
    new["subject"] = np.concatenate(people).astype(np.int64)
    whence = np.concatenate([np.full(len(part), folders.index(part.folder.resolve())) for part in parts])
    new |= _agreed(new, whence, subjects, [typed[folder] for folder in folders])
    root = Path(os.path.commonpath(folders))
    files = [(part.folder.resolve() / f).relative_to(root).as_posix() for part in parts for f in part.files]
    word = parts[0].people if len(number) == 1 else ""
    return Manifest(folder=root, subjects=subjects, files=files, people=word, **new)


def united(parts: Sequence[Manifest]) -> list[Manifest]:
    """Return manifests of which those that share a name, directly or through others, are of one `people`."""
    names = [_names(part) for part in parts]
    people = [_group(part) for part in parts]
    for i in range(len(parts)):
        for j in range(i):
            if names[i] & names[j]:
                people = [people[j] if word == people[i] else word for word in people]
    return [replace(part, people=word) for part, word in zip(parts, people, strict=True)]


def namesakes(parts: Sequence[Manifest]) -> str:
    """Return a line on the first two manifests that share half the people of one by name alone, or ''."""
    for i, one in enumerate(parts):
        for other in parts[:i]:
            both = sorted({*one.subjects} & {*other.subjects})
            if _group(one) != _group(other) and 2 * len(both) >= max(1, min(len(one.subjects), len(other.subjects))):
                some = ", ".join(both[:3]) + (", …" if len(both) > 3 else "")
                return (
                    f"{len(both)} names ({some}) stand in {other.folder} and in {one.folder}, and are taken for "
                    "different people; if they are the same: --same-people"
                )
    return ""


def _group(part: Manifest) -> str:
    return part.people or str(part.folder.resolve())


def _names(part: Manifest) -> set[str]:
    """Return everybody a manifest names, parents too."""
    return {*part.subjects} | {p.strip() for n in np.unique(part.parents) for p in str(n).split("+") if p.strip()}


def _numbered(ids: np.ndarray, number: int) -> np.ndarray:
    """Return (N,) ids with a number in front; '' stays."""
    return np.where(ids == "", "", np.char.add(f"{number}:", ids.astype(str)))


def _agreed(
    new: dict[str, np.ndarray], whence: np.ndarray, subjects: list[str], folders: list[Path]
) -> dict[str, np.ndarray]:
    """Return the FACTS of people shown in several folders, each told in all of their rows.

    `whence` (N,) is a row's folder. Raises InputError for the first person of whom two folders tell different things.
    """
    subject = new["subject"]
    seen = np.unique(np.stack([subject, whence], 1)[subject >= 0], axis=0)[:, 0]
    shared = np.append(np.bincount(seen, minlength=len(subjects)) > 1, False)[subject]  # -1 takes the last entry
    agreed = {}
    for column, silent in FACTS.items():
        values = new[column]
        says = np.flatnonzero(shared & (np.ones(len(values), bool) if silent is None else values != silent))
        people, first = np.unique(subject[says], return_index=True)
        given = np.full(len(subjects) + 1, -1)
        given[people] = says[first]
        same = _unordered(values) if column == "parents" else values
        other = says[(same[says] != same[given[subject[says]]]) & (whence[says] != whence[given[subject[says]]])]
        if len(other):
            here, there = int(other[0]), int(given[subject[other[0]]])
            facts = [f"'{_plain(values[row])}' in {folders[whence[row]]}" for row in (there, here)]
            raise InputError(
                f"subject {subjects[subject[here]]} has {column} {facts[0]}, but {facts[1]}; expected one {column} for "
                "a person of folders that share people"
            )
        if silent is not None:
            source = given[subject]
            agreed[column] = np.where(shared & (source >= 0) & (values == silent), values[source], values)
    return agreed


def _unordered(parents: np.ndarray) -> np.ndarray:
    """Return (N,) parents in the order of the alphabet."""
    names, back = np.unique(parents, return_inverse=True)
    return np.array(["+".join(sorted(p.strip() for p in str(n).split("+"))) for n in names])[back]


def _plain(value: np.generic) -> object:
    return int(value) if isinstance(value, np.bool_) else value
