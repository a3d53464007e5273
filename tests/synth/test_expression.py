import numpy as np
import pytest

from mien.errors import InputError
from mien.labels import AUS, CLASSES
from mien.synth.expression import VARIANTS, free_combination, recipe
from mien.synth.plan import takes

# EMFACS prototypes, as the literature gives them (Friesen & Ekman 1983): units every variant must show
CORE = {
    "happiness": {6, 12}, "sadness": {1, 4, 15}, "surprise": {1, 2, 5, 25, 26}, "fear": {1, 2, 4, 5, 20, 25},
    "anger": {4, 5, 7}, "disgust": {9, 10}, "contempt": {14},
}  # fmt: skip


@pytest.mark.parametrize("variant", range(VARIANTS))
@pytest.mark.parametrize("expression", CORE)
def test_recipes_hold_the_prototypes_units(expression, variant):
    aus = recipe(expression, 1.0, variant)
    shown = {au for au, level in zip(AUS, aus.max(axis=1), strict=True) if level > 0.5}
    assert CORE[expression] <= shown
    assert aus.shape == (21, 2) and aus.min() >= 0 and aus.max() <= 5


@pytest.mark.parametrize("expression", CLASSES)
def test_recipes_are_linear_in_intensity(expression):
    np.testing.assert_allclose(recipe(expression, 0.25, 3) * 4, recipe(expression, 1.0, 3))
    assert not recipe(expression, 0.0).any()


def test_only_contempt_is_one_sided_and_on_both_sides_across_variants():
    sides = {int(np.argmax(recipe("contempt", 1.0, v).sum(axis=0))) for v in range(VARIANTS)}
    assert sides == {0, 1}
    for v in range(VARIANTS):
        weak, strong = sorted(recipe("contempt", 1.0, v).sum(axis=0))
        assert weak < 0.2 * strong
        left, right = recipe("fear", 1.0, v).sum(axis=0)
        assert abs(left - right) < 0.15 * left


def test_anger_variants_differ_in_kind():
    lips_apart = AUS.index(25)
    assert recipe("anger", 1.0, 0)[lips_apart].max() == 0 < recipe("anger", 1.0, 1)[lips_apart].max()


@pytest.mark.parametrize(
    ("expression", "intensity"),
    [("joy", 1.0), ("other", 1.0), ("anger", 1.2), ("anger", -0.1), ("anger", float("nan"))],
)
def test_bad_recipe_is_one_clear_line(expression, intensity):
    with pytest.raises(InputError, match="expected"):
        recipe(expression, intensity)


def test_free_combinations_reach_every_unit_on_either_side():
    every = np.array([free_combination(k) for k in range(300)])
    assert (every.max(axis=(0, 2)) > 0).all()
    assert every.min() >= 0 and every.max() <= 5
    assert ((every[:, :, 0] > 0) & (every[:, :, 1] == 0)).any() and ((every[:, :, 1] > 0) & (every[:, :, 0] == 0)).any()


def test_standard_list_is_that_of_photofaces():
    plan = takes(np.random.default_rng(0), 36)
    words = [t.expression for t in plan]
    assert [words.count(w) for w in ("neutral", *CLASSES[1:], "other")] == [2] + [4] * 7 + [6]
    for word in CLASSES[1:]:
        assert sorted(t.intensity for t in plan if t.expression == word) == [0.25, 0.5, 0.75, 1.0]
        assert len({t.expr_id for t in plan if t.expression == word}) == 1


@pytest.mark.parametrize("count", [1, 2, 8, 20, 35, 36, 50])
def test_lists_of_any_length_begin_neutral_and_frontal(count):
    plan = takes(np.random.default_rng(1), count)
    assert len(plan) == count
    first = plan[0]
    assert first.expression == "neutral" and (first.yaw, first.pitch, first.roll, first.gaze) == (0, 0, 0, (0, 0))
    if count >= 8:
        assert {t.expression for t in plan} >= set(CLASSES)


def test_same_id_and_intensity_are_the_same_units():
    seen: dict[tuple[str, float], np.ndarray] = {}
    for seed in range(12):
        for take in takes(np.random.default_rng(seed), 36):
            key = (take.expr_id, take.intensity if take.intensity == take.intensity else -1.0)
            np.testing.assert_array_equal(seen.setdefault(key, take.aus), take.aus)
