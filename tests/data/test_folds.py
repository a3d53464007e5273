"""Folds: nobody on both sides, everybody tested once, whatever the family ties."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.folds import UNTESTED, given_folds, make_folds, read_folds, write_folds
from mien.data.manifest import read_manifest
from mien.errors import InputError


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A manifest with one image of each of 30 people, whose columns the tests replace."""
    folder = tmp_path_factory.mktemp("people")
    lines = ["file_name,subject"]
    for i in range(30):
        (folder / f"{i}.png").touch()
        lines.append(f"{i}.png,p{i:02d}")
    (folder / "metadata.csv").write_text("\n".join(lines))
    return read_manifest(folder)


def families(manifest, people: int, parents: dict[int, list[int]], images: list[int], **columns):
    """Return a manifest of `people`, with parents and one row for each of `images`, which are person numbers."""
    rows = np.array([*range(people), *images])
    chosen = manifest.select(rows)
    ties = np.array(["+".join(f"p{j:02d}" for j in parents.get(i, ())) for i in rows.tolist()], dtype=np.str_)
    values = {name: np.asarray(of_person)[rows] for name, of_person in columns.items()}
    return replace(chosen, parents=ties, **values)


@st.composite
def worlds(draw):
    """People, of whom some descend from any others (chains and circles too), with images in any order."""
    people = draw(st.integers(2, 30))
    someone = st.integers(0, people - 1)
    ties = draw(st.dictionaries(someone, st.lists(someone, min_size=1, max_size=3), max_size=people - 2))
    images = draw(st.lists(someone, max_size=40))
    return people, ties, images


def ancestors(person: int, ties: dict[int, list[int]]) -> set[int]:
    found: set[int] = set()
    ahead = [person]
    while ahead:
        for parent in ties.get(ahead.pop(), ()):
            if parent not in found:
                found.add(parent)
                ahead.append(parent)
    return found


@settings(max_examples=150, deadline=None)
@given(world=worlds(), k=st.integers(2, 6), seed=st.integers(0, 9))
def test_never_a_person_or_relative_on_both_sides(empty, world, k, seed):
    people, ties, images = world
    manifest = families(empty, people, ties, images)
    photographed = [i for i in range(people) if i not in ties]
    if k > len(photographed):
        with pytest.raises(InputError, match=f"{k} folds were asked for; expected 2 to {len(photographed)}"):
            make_folds(manifest, k, seed)
        return
    folds = make_folds(manifest, k, seed)
    times_tested = np.zeros(people, int)
    for f in range(k):
        train, test = folds.split(f)
        trained, tested = (set(manifest.subject[mask].tolist()) for mask in (train, test))
        assert tested and not trained & tested
        for person in tested:
            times_tested[person] += 1
            assert test[manifest.subject == person].all()  # all their images
        for person in trained:
            assert not ancestors(person, ties) & tested
            assert train[manifest.subject == person].all()
        kept_out = set(range(people)) - trained - tested
        assert all(ancestors(person, ties) & tested for person in kept_out)  # nobody is left out without a reason
    assert [i for i in range(people) if times_tested[i]] == photographed and times_tested.max() == 1


def test_folds_are_alike(empty):
    rng = np.random.default_rng(0)
    gender, source = rng.choice(["f", "m"], 30), rng.choice(["lab", "web"], 30, p=[0.7, 0.3])
    manifest = families(empty, 30, {}, [], gender=gender, source=source)
    folds = make_folds(manifest, 4, seed=1)
    sizes = np.bincount(folds.fold)
    assert sizes.max() - sizes.min() <= 1
    for g in "fm":
        for s in ("lab", "web"):
            spread = np.bincount(folds.fold[(gender == g) & (source == s)], minlength=4)
            assert spread.max() - spread.min() <= 1


def test_seed_decides(empty):
    manifest = families(empty, 30, {}, [])
    a, b, c = (make_folds(manifest, 5, seed).fold for seed in (3, 3, 4))
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_unknown_people_are_on_neither_side(edit_rows):
    manifest = read_manifest(edit_rows(lambda rows: [r.update(subject="", parents="") for r in rows[5:10]]))
    folds = make_folds(manifest, 3, 0)
    for f in range(3):
        train, test = folds.split(f)
        assert not (train | test)[manifest.subject < 0].any()


def test_written_folds_come_back(faces_folder, tmp_path):
    manifest = read_manifest(faces_folder)
    folds = make_folds(manifest, 4, 7)
    write_folds(folds, tmp_path / "folds.json")
    back = read_folds(tmp_path / "folds.json", manifest)
    np.testing.assert_array_equal(back.fold, folds.fold)
    assert (back.k, back.seed) == (4, 7) and back.fold[4] == UNTESTED
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".part"] == []
    for f in range(4):
        np.testing.assert_array_equal(back.split(f), folds.split(f))


def tamper(content):
    content["fold"]["ann"] = (content["fold"]["ann"] + 1) % 4


BAD_FOLDS = {
    "changed by hand": (lambda c: json.dumps(tamper(c) or c), "does not match its own sha256"),
    "no hash": (lambda c: json.dumps({k: v for k, v in c.items() if k != "sha256"}), "expected a folds file"),
    "words": (lambda c: "fold 1: ann", "expected a folds file"),
    "a list": (lambda c: "[1, 2]", "expected a folds file"),
    "folds in a list": (lambda c: json.dumps(c | {"fold": [0, 1]}), "expected a folds file"),
}


@pytest.mark.parametrize(("spoil", "told"), BAD_FOLDS.values(), ids=BAD_FOLDS.keys())
def test_spoilt_file_is_refused(faces_folder, tmp_path, spoil, told):
    path, manifest = tmp_path / "folds.json", read_manifest(faces_folder)
    write_folds(make_folds(manifest, 4, 7), path)
    path.write_text(spoil(json.loads(path.read_text())))
    with pytest.raises(InputError, match=told) as caught:
        read_folds(path, manifest)
    assert str(path) in str(caught.value) and "make it anew" in str(caught.value)


def test_other_people_are_refused(faces_folder, tmp_path):
    path, manifest = tmp_path / "folds.json", read_manifest(faces_folder)
    write_folds(make_folds(manifest, 4, 7), path)
    with pytest.raises(InputError, match=r"made for other people .* \(1 differ: dee\)"):
        read_folds(path, manifest.select(manifest.subject != 3))
    with pytest.raises(InputError, match="there is no such file"):
        read_folds(tmp_path / "none.json", manifest)


@pytest.mark.parametrize("f", [-1, 4])
def test_no_such_fold(faces_folder, f):
    with pytest.raises(InputError, match="expected 0 to 3"):
        make_folds(read_manifest(faces_folder), 4, 7).split(f)


def test_given_folds(edit_rows):
    of = {"ann": "0", "bob": "1", "cid": "0", "dee": "1", "mix": ""}
    folds = given_folds(read_manifest(edit_rows(lambda rows: [r.update(fold=of[r["subject"]]) for r in rows])))
    assert folds.k == 2 and folds.fold.tolist() == [0, 1, 0, 1, UNTESTED]
    train, test = folds.split(0)
    assert train.sum() == 10 and test.sum() == 10  # the morph has a parent on either side
    with pytest.raises(InputError, match="fold is empty for cid"):
        given_folds(read_manifest(edit_rows(lambda rows: [r.update(fold="") for r in rows if r["subject"] == "cid"])))
    with pytest.raises(InputError, match="expected at least two"):
        given_folds(read_manifest(edit_rows(lambda rows: [r.update(fold="3") for r in rows])))


def test_given_folds_of_the_photographs(photofaces: Path):
    manifest = read_manifest(photofaces)
    folds = given_folds(manifest.select(~manifest.test))
    parts = [folds.split(f) for f in range(folds.k)]
    assert folds.k == 10 and sum(test.sum() for _, test in parts) == (folds.manifest.parents == "").sum()
    for train, test in parts:
        related = np.isin(folds.manifest.fold, np.unique(folds.manifest.fold[test]))
        np.testing.assert_array_equal(train, ~related)  # there, a morph has its parents' fold
