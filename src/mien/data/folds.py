"""Folds of people: nobody, and nobody's relative, is ever both trained on and tested on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mien.data.dataset import Data
from mien.data.manifest import Manifest
from mien.data.relatives import parents_of, relatives_of
from mien.data.variants import Variants
from mien.errors import InputError
from mien.files import write_whole
from mien.reading import read_json

UNTESTED = -1
"""The fold of a subject who is in no test: a morph, made of other people's faces."""

GIVEN = "given"
"""In place of a number of folds: those that the data's own column `fold` gives."""

FORM = {"sha256": str, "k": int, "seed": int, "fold": {"*": int}}
"""What a folds file holds."""


@dataclass(frozen=True, eq=False)
class Folds:
    """Which of k folds tests each photographed person of a manifest."""

    manifest: Manifest
    k: int
    seed: int
    fold: np.ndarray  # (S,) int64, 0..k-1, or UNTESTED

    def split(self, f: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (train, test) masks (N,) bool of fold f.

        Test: the images of f's people. Train: the images of everybody else who is not related to one of them; images
        of unknown people are in neither. Raises InputError where there is no such fold.
        """
        if not 0 <= f < self.k:
            raise InputError(f"fold {f} was asked for; expected 0 to {self.k - 1}")
        tested = self.fold == f
        # Who is tested has no parents, so their relatives are those who descend from them.
        kin = np.isin(relatives_of(self.manifest).roots, np.flatnonzero(tested)).any(1)
        person = self.manifest.subject  # -1 takes the last entry
        return np.append(~(tested | kin), False)[person], np.append(tested, False)[person]


@dataclass(frozen=True, eq=False)
class Split:
    """Who is trained on and who is tested: masks (N,) bool."""

    name: str
    train: np.ndarray
    test: np.ndarray


def official_split(manifest: Manifest) -> Split:
    """Return the corpus's own split, from the `split` column: "train" against "test", or "val" where test is held back.

    Raises InputError where the column has no two sides, or where they share people.
    """
    train = manifest.split == "train"
    side = "test" if (manifest.split == "test").any() else "val"
    test = manifest.split == side
    if not train.any() or not test.any():
        raise InputError(f"{manifest.folder}: column split has no train and test (or val); fill it, or ask for folds")
    known = manifest.subject >= 0
    both = np.intersect1d(manifest.subject[train & known], manifest.subject[test & known])
    if len(both):
        names = ", ".join(manifest.subjects[s] for s in both[:5])
        raise InputError(
            f"{manifest.folder}: train and {side} share {len(both)} people ({names}); mien data check says more"
        )
    return Split(side, train, test)


def make_folds(manifest: Manifest, k: int, seed: int) -> Folds:
    """Deal people into k folds, alike in source, ethnicity and gender where those are known, equal to within one.

    Raises InputError where k is below 2 or above the number of people who have no parents.
    """
    dealt = _by_strata(manifest, seed)
    if not 2 <= k <= len(dealt):
        raise InputError(
            f"{manifest.folder}: {k} folds were asked for; expected 2 to {len(dealt)}, the number of people without "
            "parents in this data set"
        )
    fold = np.full(len(manifest.subjects), UNTESTED, dtype=np.int64)
    # Dealing on from stratum to stratum keeps both each stratum and the whole within one of equal.
    fold[dealt] = np.arange(len(dealt)) % k
    return Folds(manifest, k, seed, fold)


def some_people(manifest: Manifest, most: int, seed: int) -> np.ndarray:
    """Return the rows (N,) bool of at most so many people, alike in source, ethnicity and gender to all; no morphs.

    Raises InputError for fewer than two.
    """
    if most < 2:
        raise InputError(f"{manifest.folder}: {most} people were asked for; expected 2 or more")
    dealt = _by_strata(manifest, seed)
    count = min(most, len(dealt))
    return np.isin(manifest.subject, dealt[np.arange(count) * len(dealt) // max(count, 1)])


def _by_strata(manifest: Manifest, seed: int) -> np.ndarray:
    """Return the people who have no parents, stratum by stratum of source, ethnicity and gender, shuffled in each."""
    parents, first = parents_of(manifest), _first_rows(manifest)
    strata: dict[tuple[str, str, str], list[int]] = {}
    for person in (i for i in range(len(manifest.subjects)) if not parents[i]):
        row = first[person]
        key = (str(manifest.source[row]), str(manifest.ethnicity[row]), str(manifest.gender[row]))
        strata.setdefault(key, []).append(person)
    rng = np.random.default_rng(seed)
    dealt = [rng.permutation(strata[key]) for key in sorted(strata)]
    return np.concatenate(dealt) if dealt else np.zeros(0, np.int64)


def given_folds(manifest: Manifest) -> Folds:
    """Take the folds that the manifest's own `fold` column gives; seed is -1.

    Raises InputError where a person without parents has none, or the numbers are not 0 to k-1.
    """
    fold = manifest.fold[_first_rows(manifest)]
    parents = parents_of(manifest)
    fold = np.where([bool(p) for p in parents], UNTESTED, fold)
    if lost := [s for s, p, f in zip(manifest.subjects, parents, fold, strict=True) if not p and f < 0]:
        raise InputError(f"{manifest.folder}: column fold is empty for {', '.join(lost[:5])}; fill it or make folds")
    used = np.unique(fold[fold >= 0])
    if len(used) < 2 or not np.array_equal(used, np.arange(len(used))):
        raise InputError(f"{manifest.folder}: column fold has {used.tolist()}; expected at least two, 0, 1, 2 …")
    return Folds(manifest, len(used), -1, fold)


def write_folds(folds: Folds, path: Path) -> None:
    """Write folds as JSON with a sha256 over its content, whole or not at all. Raises InputError as `whole` does."""
    content = _content(folds)
    text = json.dumps(content | {"sha256": _hash(content)}, indent=1, ensure_ascii=False) + "\n"
    write_whole(path, text)


def read_folds(path: Path, manifest: Manifest) -> Folds:
    """Read folds and bind them to the manifest they were made for.

    Raises InputError where the file is no folds file, was changed by hand, or is about other people.
    """
    content = read_json(path, "expected a folds file; make it anew", FORM)
    hashed, k, seed, assignment = content.pop("sha256"), content["k"], content["seed"], content["fold"]
    try:
        matches = hashed == _hash(content)
    except UnicodeError:  # half a character, which JSON can name, but no text can hold
        matches = False
    if not matches or not all(UNTESTED <= fold < k <= len(assignment) for fold in assignment.values()):
        raise InputError(f"{path}: does not match its own sha256, it was changed after it was made; make it anew")
    if list(assignment) != manifest.subjects:
        odd = sorted(set(assignment) ^ set(manifest.subjects))
        raise InputError(
            f"{path}: was made for other people than {manifest.folder} has ({len(odd)} differ: {', '.join(odd[:5])}); "
            "use the data set it was made for, or make it anew"
        )
    return Folds(manifest, k, seed, np.array(list(assignment.values()), dtype=np.int64))


def _content(folds: Folds) -> dict[str, object]:
    assignment = dict(zip(folds.manifest.subjects, folds.fold.tolist(), strict=True))
    return {"k": folds.k, "seed": folds.seed, "fold": assignment}


def _hash(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def _first_rows(manifest: Manifest) -> np.ndarray:
    """Return (S,) a row of each subject; what marks a person is the same on all of theirs."""
    people, rows = np.unique(manifest.subject, return_index=True)
    return rows[people >= 0]


def splits(
    data: Data, folds: int | str | Path | None, seed: int, folder: Path, variants: Variants | None = None
) -> list[Split]:
    """Return who is trained on and tested, fold by fold.

    `folds`: so many subject folds, dealt by the seed; GIVEN, those of the data's column `fold`; a folds file; or None,
    the data's own split. Folds are kept in `folder`/folds.json. With `variants`, training is their one half and tests
    are the other. Raises InputError where `folder` keeps other folds, and where a side of a fold is empty.
    """
    if folds is None:
        found = [official_split(data.manifest)]
    else:
        dealt = _kept(_folds(data.manifest, folds, seed), folder / "folds.json")
        found = [Split(str(f), *dealt.split(f)) for f in range(dealt.k)]
    if variants:
        found = [replace(s, train=s.train & variants.train_rows, test=s.test & variants.test_rows) for s in found]
    for s in found:
        if not (s.train.any() and s.test.any()):
            raise InputError(
                f"{data.manifest.folder}: fold {s.name} has nobody to train on or to test; make fewer folds"
            )
    return found


def _folds(manifest: Manifest, folds: int | str | Path, seed: int) -> Folds:
    if folds == GIVEN:
        return given_folds(manifest)
    return make_folds(manifest, folds, seed) if isinstance(folds, int) else read_folds(Path(folds), manifest)


def _kept(folds: Folds, path: Path) -> Folds:
    """Write folds, or see that those at `path` are the same: what hangs on them is kept beside it."""
    if path.is_file():
        before = read_folds(path, folds.manifest)
        if before.k != folds.k or not np.array_equal(before.fold, folds.fold):
            raise InputError(
                f"{path}: deals people into {before.k} other folds than are asked for; choose another folder"
            )
    else:
        write_folds(folds, path)
    return folds
