import numpy as np
import pandas as pd
import pytest
import torch

from mien.data.words import in_accord, named, prototype_scores, shares
from mien.evaluate.evaluators.base import Reading
from mien.evaluate.reading.contradictions import contradicted
from mien.labels import AUS, CLASSES, EXPRESSIONS, prototype

UNKNOWN = np.array([-1])


def units(*levels, side=None):
    """A face's units as (1, 21) twice: pairs of unit and level, on one side or both."""
    left, right = np.zeros((2, 1, len(AUS)), np.float32)
    for au, level in levels:
        for name, values in (("L", left), ("R", right)):
            if side in (None, name):
                values[0, AUS.index(au)] = level
    return left, right


@pytest.mark.parametrize("word", CLASSES)
def test_every_prototype_gets_its_own_word(word):
    full = 5 * np.array(prototype(word), np.float32)[None]
    assert CLASSES[named(UNKNOWN, full[:, :21], full[:, 21:])[0]] == word


def test_units_that_fit_no_prototype_get_no_word():
    assert named(UNKNOWN, *units((25, 4), (26, 5)))[0] == -1  # an open mouth
    assert named(UNKNOWN, *units((43, 5)))[0] == -1  # shut eyes
    assert named(UNKNOWN, *units((18, 5)))[0] == -1  # a pucker
    assert named(UNKNOWN, *units((12, 0.5)))[0] == CLASSES.index("neutral")


def test_one_corner_is_contempt_and_two_are_happiness():
    assert CLASSES[named(UNKNOWN, *units((12, 4), (14, 3), side="L"))[0]] == "contempt"
    assert CLASSES[named(UNKNOWN, *units((12, 4), (6, 3)))[0]] == "happiness"


def test_a_label_that_is_a_class_wins_and_other_does_not():
    smile = units((12, 5), (6, 4))
    assert named(np.array([EXPRESSIONS.index("anger")]), *smile)[0] == EXPRESSIONS.index("anger")
    assert named(np.array([EXPRESSIONS.index("other")]), *smile)[0] == CLASSES.index("happiness")
    blank = np.full((1, 21), np.nan, np.float32)
    assert named(np.array([EXPRESSIONS.index("other")]), blank, blank)[0] == -1


def test_sides_change_places_and_scores_stay():
    rng = np.random.default_rng(0)
    left, right = torch.from_numpy(rng.uniform(0, 5, (2, 40, 21)) * (rng.random((2, 40, 21)) < 0.2))
    torch.testing.assert_close(prototype_scores(left, right), prototype_scores(right, left))


def test_shares_grow_with_the_strongest_unit_and_the_rest_is_neutral():
    for level, share in ((0.5, 0.0), (1.5, 0.5), (2.5, 1.0), (5.0, 1.0)):
        found = shares(np.array([1]), *units((12, level)))[0]
        assert found[1] == pytest.approx(share) and found[0] == pytest.approx(1 - share) and found.sum() == 1


def test_a_word_without_units_has_all_and_no_word_has_nothing():
    blank = np.full((2, 21), np.nan, np.float32)
    found = shares(np.array([1, -1]), blank, blank)
    assert found[0].tolist() == [0, 1, 0, 0, 0, 0, 0, 0] and np.isnan(found[1]).all()
    assert shares(np.array([0]), *units((25, 5)))[0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


def test_the_words_of_photofaces_follow_from_their_units(photofaces):
    table = pd.read_csv(photofaces / "metadata.csv")
    table = table[(table.intensity >= 0.75) & table.expression.isin(CLASSES)]
    sides = [table[[f"AU{au:02d}_{side}" for au in AUS]].to_numpy(np.float32) for side in "LR"]
    said = named(np.full(len(table), -1), *sides)
    true = table.expression.map(CLASSES.index).to_numpy()
    assert (said[said >= 0] == true[said >= 0]).all() and (said >= 0).mean() > 0.9


def test_no_word_is_sure_that_units_deny():
    rng = np.random.default_rng(4)
    left, right = 5 * rng.random((2, 4000, len(AUS))) ** rng.uniform(1, 60, (4000, 1))  # from faces at rest to grimaces
    sharp = rng.uniform(0.5, 12, (4000, 1))
    logits = sharp * rng.normal(size=(4000, len(CLASSES)))
    before = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    after = in_accord(*map(torch.from_numpy, (before, left, right))).numpy()
    np.testing.assert_allclose(after.sum(1), 1)
    most = np.maximum(left, right)
    reading = [Reading(aus=most, classes=p.argmax(1), probabilities=p) for p in (before, after)]
    assert contradicted(reading[0])[0].sum() > 1000
    assert not contradicted(reading[1])[0].any()
    # where units bear every word out, nothing changes: all main units there, none moved so far that none is neutral
    calm = np.full((4000, len(AUS)), 1.0)
    same = in_accord(*map(torch.from_numpy, (before, calm, calm))).numpy()
    np.testing.assert_allclose(same, before, atol=1e-12)


def test_what_units_deny_by_numbers():
    units = torch.zeros(1, len(AUS))
    smile = torch.tensor([[0.1, 0.9, 0, 0, 0, 0, 0, 0]])
    # no AU12: happiness keeps .4, nothing denies neutral; .54 of the whole is left over, an eighth for each
    expected = np.array([0.1 + 0.0675, 0.36 + 0.0675, *[0.0675] * 6])
    np.testing.assert_allclose(in_accord(smile, units, units)[0], expected, rtol=1e-5)
