import numpy as np
import pandas as pd
import pytest
import torch

from mien.data.words import named, prototype_scores, shares
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
