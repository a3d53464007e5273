"""Data sets joined: who is the same person, and what that means for pairs, folds, truths and training."""

import csv
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mien.cli.data import data_check
from mien.data.checks.leaks import leaks
from mien.data.dataset import Data, Images
from mien.data.folds import given_folds, make_folds, official_split
from mien.data.joining import join, namesakes, united
from mien.data.manifest import check_manifest, read_manifest
from mien.data.relatives import relatives_of
from mien.data.sampling.augment import Warp
from mien.data.sampling.geometry import read_geometry
from mien.data.sampling.sampler import PairSampler
from mien.data.sets import Sets, held_out, training_data
from mien.errors import InputError
from mien.evaluate.trials import trials
from tests.conftest import make_rows, write_rows


def second(folder, change=lambda rows: None, people=("ann", "bob", "mix")):
    """Write a data set of the same drawn people, file names as in the first, with no geometry; returns its folder."""
    rows = [row for row in make_rows(folder) if row["subject"] in people]
    change(rows)
    write_rows(folder, rows)
    return folder


def declare(*folders, people="drawn"):
    for folder in folders:
        (folder / "dataset.json").write_text(json.dumps({"people": people}))


def rows_of(folder):
    with (folder / "metadata.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def two(faces_folder, tmp_path):
    return faces_folder, second(tmp_path / "more")


@pytest.fixture(params=["flag", "file"])
def one_people(request, two):
    """Both ways of saying that the people are the same."""
    if request.param == "file":
        declare(*two)
    return Sets(two, request.param == "flag")


def test_people_expressions_and_relatives_are_one(one_people):
    m = one_people.manifest()
    assert m.subjects == ["ann", "bob", "cid", "dee", "mix"] and len(m) == 25 + 15
    assert set(m.expr_id) == {"neutral", "happiness_v1", "anger_v2", "au_7"} and set(m.parents) == {"", "ann+bob"}
    assert all(m.path(i).is_file() for i in range(len(m)))
    rows = m.select(m.subject == 0)
    assert rows.files == [f"{f}/images/ann_{k}.png" for f in ("faces", "more") for k in range(5)]
    kin = relatives_of(m)
    assert kin.related(np.array([4, 4, 4]), np.array([0, 1, 2])).tolist() == [True, True, False]
    data = one_people.open(8)
    assert data.manifest.subjects == m.subjects and data.manifest.files == m.files
    np.testing.assert_array_equal(data.images[25], data.images[0])  # a file that both have is fine


def test_without_a_word_they_stay_apart(two):
    m = Sets(two).manifest()
    assert len(m.subjects) == 8 and {"1:ann", "2:ann", "cid"} < set(m.subjects)
    assert {e.partition(":")[0] for e in m.expr_id} == {"1", "2"}
    assert "3 names (ann, bob, mix) stand in" in Sets(two).doubt() and "--same-people" in Sets(two).doubt()
    assert Sets(two, True).doubt() == "" and Sets(two[:1]).doubt() == ""
    declare(*two)
    assert Sets(two).doubt() == ""


def test_a_few_common_names_are_no_doubt(two):
    parts = [read_manifest(folder) for folder in two]
    few = parts[1].select(np.isin(parts[1].subject, [0]))
    assert "1 names (ann) stand" in namesakes([parts[0], few])
    others = replace(few, subjects=["zoe", "yan", "ann"])
    assert namesakes([parts[0], others]) == ""


def test_a_set_of_other_people_beside_them_stays_apart(two, tmp_path):
    """As the studio beside two sets of photographs: its happiness_v1 is another happiness."""
    other = second(tmp_path / "studio", lambda rows: [r.update(subject="s_" + r["subject"], parents="") for r in rows])
    m = Sets((*two, other), same_people=True).manifest()
    assert len(m.subjects) == 5 + 3 and not any(":" in name for name in m.subjects)
    assert {e.partition(":")[0] for e in m.expr_id[:40]} == {"1"} and {e.partition(":")[0] for e in m.expr_id[40:]} == {
        "3"
    }
    declare(*two)
    assert list(Sets((*two, other)).manifest().expr_id) == list(m.expr_id)


def test_names_are_shared_through_parents_and_third_folders(two, tmp_path):
    morphs = second(tmp_path / "morphs", people=("mix",))
    dee = second(tmp_path / "dee", people=("dee",))
    alone = second(tmp_path / "alone", people=("ann",))
    words = [m.people for m in united([read_manifest(f) for f in (alone, morphs, dee)])]
    assert words[0] == words[1] != words[2]  # mix descends from ann
    words = [m.people for m in united([read_manifest(f) for f in (alone, dee, two[0])])]
    assert len(set(words)) == 1  # both are in the third
    kin = relatives_of(m := Sets((alone, morphs), True).manifest())
    assert m.subjects == ["ann", "mix"] and kin.related(np.array([0]), np.array([1])).all()


def test_nobody_is_on_both_sides_of_a_fold(one_people):
    m = one_people.manifest()
    for f in range(4):
        train, test = make_folds(m, 4, 0).split(f)
        ids = [set(m.subject[mask].tolist()) for mask in (train, test)]
        assert ids[0].isdisjoint(ids[1]) and len(ids[1]) == 1
        assert not ({0, 1} & ids[1] and 4 in ids[0])  # nor is a morph of who is tested
        for person in ids[1]:
            whence = {name.split("/")[0] for name, s in zip(m.files, m.subject, strict=True) if s == person}
            assert test.sum() == 5 * len(whence)  # all their pictures, of both folders


def test_facts_that_one_folder_leaves_open_come_from_the_other(faces_folder, tmp_path):
    fold = {"ann": "0", "bob": "1", "cid": "2", "dee": "3"}
    write_rows(faces_folder, [row | {"fold": fold.get(row["subject"], "")} for row in rows_of(faces_folder)])
    silent = second(tmp_path / "silent", lambda rows: [row.update(parents="", gender="") for row in rows])
    for folders in ((faces_folder, silent), (silent, faces_folder)):
        m = Sets(folders, True).manifest()
        by = pd.DataFrame({"who": [m.subjects[s] for s in m.subject], "p": m.parents, "g": m.gender, "f": m.fold})
        assert (by.groupby("who").nunique() == 1).all(axis=None)
        assert set(by[by.who == "mix"].p) == {"ann+bob"} and set(by[by.who == "ann"].f) == {0}
        assert set(by[by.who == "bob"].g) == {"male"}
        folds = given_folds(m)
        assert folds.fold.tolist() == [0, 1, 2, 3, -1]
        train, test = folds.split(0)
        assert not np.intersect1d(m.subject[train], m.subject[test]).size and test.sum() == 10


@pytest.mark.parametrize(
    ("column", "here", "there"),
    [("test", "0", "1"), ("gender", "female", "male"), ("fold", "3", "4"), ("parents", "cid", "dee")],
)
def test_contradictions_are_one_line(faces_folder, tmp_path, column, here, there):
    def said(word):
        return lambda rows: [row.update({column: word}) for row in rows if row["subject"] == "ann"]

    one, other = second(tmp_path / "one", said(here)), second(tmp_path / "other", said(there))
    with pytest.raises(InputError) as caught:
        Sets((one, other), True).open(8)
    line = f"subject ann has {column} '{here}' in {one}, but '{there}' in {other}; expected one {column} for a person"
    assert str(caught.value).startswith(line) and "\n" not in str(caught.value)
    Sets((one, other)).open(8)  # two people of one name


def test_parents_in_another_order_are_the_same(faces_folder, tmp_path):
    swapped = second(tmp_path / "s", lambda rows: [r.update(parents="bob+ann") for r in rows if r["parents"]])
    assert Sets((faces_folder, swapped), True).manifest().subjects == ["ann", "bob", "cid", "dee", "mix"]


def test_test_people_and_the_official_split_know_everybody(faces_folder, tmp_path):
    def mark(rows):
        for row in rows:
            row |= {"test": str(int(row["subject"] == "ann")), "split": "train"}

    rows = rows_of(faces_folder)
    mark(rows)
    write_rows(faces_folder, rows)
    sets = Sets((faces_folder, second(tmp_path / "more", mark)), True)
    assert set(held_out(sets, 8).manifest.subjects) == {"ann"} and len(held_out(sets, 8)) == 10
    assert set(training_data(sets, 8).manifest.subjects) == {"bob", "cid", "dee", "mix"}

    tested = second(tmp_path / "tested", lambda rows: [mark(rows), *(r.update(split="test") for r in rows)])
    with pytest.raises(InputError, match=r"train and test share 3 people \(ann, bob, mix\)"):
        official_split(Sets((faces_folder, tested), True).manifest())
    assert any("split=test and split=train share 3" in s for s in leaks(Sets((faces_folder, tested), True).manifest()))


def test_pairs_and_truths_cross_folders(tmp_path):
    """One folder shows ann and bob alone neutral, the other alone happy: only joined is anything paired."""

    def only(look):
        return lambda rows: rows.__setitem__(slice(None), [r for r in rows if look in r["file_name"]])

    still, happy = second(tmp_path / "still", only("_0")), second(tmp_path / "happy", only("_2"))
    apart, joined = Sets((still, happy)).open(8), Sets((still, happy), True).open(8)
    with pytest.raises(InputError, match="no pairs can be made"):
        PairSampler(apart, 4, 0, same=0.0, need_truth=True)
    with pytest.raises(InputError, match="nobody with a neutral face"):
        trials(apart, geometry=False)
    sampler, m = PairSampler(joined, 32, 0, same=0.0, need_truth=True), joined.manifest
    rows = sampler.rows(0)
    source, target, truth = (m.subject[some] for some in (rows.source, rows.target, rows.truth))
    assert (target == truth).all() and (source != truth).all()
    pairs = {(m.files[a].split("/")[0], m.files[b].split("/")[0]) for a, b in zip(rows.target, rows.truth, strict=True)}
    assert pairs == {("still", "happy"), ("happy", "still")}
    assert not relatives_of(m).related(source, target).any()  # mix, of whichever folder, never with ann or bob
    t = trials(joined, geometry=False)
    assert {m.files[r].split("/")[0] for r in t.face} == {"still"} and {m.files[r] for r in t.truth} >= {
        "happy/images/ann_2.png"
    }


def test_a_bad_declaration_is_one_of_the_problems(faces_folder):
    for text, says in (("{", "cannot be read as JSON"), ('{"persons": "x"}', "expected one key"),
                       ('{"people": 3}', "expected one key"), ('["x"]', "expected one key"),
                       ('{"people": " "}', "expected one key")):  # fmt: skip
        (faces_folder / "dataset.json").write_text(text)
        with pytest.raises(InputError, match=rf"one problem in this data set\n  \S*dataset\.json: {says}"):
            read_manifest(faces_folder)
        assert len(check_manifest(faces_folder)) == 1
    (faces_folder / "dataset.json").write_text("{}")
    assert read_manifest(faces_folder).people == ""


def test_joined_parts_of_one_declared_set_can_be_joined_again(one_people):
    m = one_people.manifest()
    again = join([m.select(m.subject == 0), m.select(m.subject != 0)])
    assert again.subjects == m.subjects and set(again.expr_id) == set(m.expr_id) and again.people == m.people != ""


def test_data_check_looks_at_several_folders(two, capsys):
    data_check(list(two), same_people=True)
    said = capsys.readouterr().out
    assert "people  5" in said and "images  40" in said
    assert "copies (1:ann and 2:ann)" not in said and "copies (ann and ann)" not in said  # one person's, on one side
    data_check(list(two))
    both = capsys.readouterr()
    assert "people  8" in both.out and "copies (1:ann and 2:ann)" in both.out
    assert "taken for different people" in both.err


@pytest.fixture
def photographs(photofaces):
    extra = photofaces.parent / "photofaces_extra"
    if not (extra / "metadata.csv").is_file():
        pytest.skip(f"{extra} is not here: the photographs are not part of the repository")
    return photofaces, extra


def blank(manifest, size=256):
    """Black images for labels: what needs no pixel is then not kept waiting for a decoder."""
    none = np.zeros(len(manifest), np.int64)
    return Data(manifest, Images((np.zeros((1, size, size, 3), np.uint8),), none, none))


@pytest.mark.slow
def test_the_photographs_two_sets_are_of_the_same_people(photographs):
    assert "142 names (C003f," in Sets(photographs).doubt()
    m = Sets(photographs, True).manifest()
    assert len(m.subjects) == 262 and len(m) == 9656 + 5112
    mine = m.subject == m.subjects.index("L001")
    assert {name.split("/")[0] for name, own in zip(m.files, mine, strict=True) if own} == {p.name for p in photographs}
    for folds in (make_folds(m, 10, 0), given_folds(m)):
        for f in range(10):
            train, test = folds.split(f)
            assert (mine & test).sum() in (0, mine.sum()) and not ((mine & train).any() and (mine & test).any())
            assert not np.intersect1d(m.subject[train], m.subject[test]).size
    assert m.test.any() and not np.intersect1d(m.subject[m.test], m.subject[~m.test]).size
    assert leaks(m) == leaks(read_manifest(photographs[0]))


@pytest.mark.slow
def test_the_photographs_two_sets_meet_in_one_neutral_picture(photographs):
    m = Sets(photographs, True).manifest()
    some = np.isin([m.subjects[s] for s in m.subject], ["L001", "L002", "L003"])
    data = blank(m.select(some))
    m, geometry = data.manifest, read_geometry(data)
    assert all(len(np.unique(geometry.origin[(m.subject == s) & (geometry.row >= 0)])) == 1 for s in range(3))
    extra = np.array([name.startswith("photofaces_extra/") for name in m.files])
    still = (m.subject == 0) & (m.expression == 0) & (m.gaze_x == 0)
    one, other = (np.flatnonzero(still & (extra == side))[:1] for side in (False, True))
    motion = geometry.motion(one, other, [Warp()])
    assert motion.known.mean() > 0.99
    t, sides = trials(data), set()
    for example, truth in zip(extra[t.example], extra[t.truth], strict=True):
        sides.add((bool(example), bool(truth)))
    assert (False, False) in sides and (True, True) in sides and np.isfinite(t.landmarks).all()
    rows = [PairSampler(data, 500, 0, same=0.5, geometry=geometry).rows(k) for k in range(4)]
    assert any((extra[r.target[r.truth >= 0]] != extra[r.truth[r.truth >= 0]]).any() for r in rows)
