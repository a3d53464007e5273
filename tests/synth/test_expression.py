import numpy as np
import pandas as pd
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


def test_the_shared_plan_is_alike_for_everybody_but_their_variants():
    people = [takes(np.random.default_rng(seed), 36, "photofaces_extra") for seed in range(6)]
    for person in people:
        assert len(person) == 36 and person[0].expression == "neutral"
        for a, b in zip(person, people[0], strict=True):
            assert (a.expression, a.intensity, a.yaw, a.pitch, *a.gaze) == pytest.approx(
                (b.expression, b.intensity, b.yaw, b.pitch, *b.gaze), nan_ok=True
            )
            if a.expression in ("neutral", "other"):
                np.testing.assert_array_equal(a.aus, b.aus)


def test_the_shared_plan_has_the_variants_that_the_drawn_one_shows_with_the_gaze_ahead():
    drawn = {t.expr_id for t in takes(np.random.default_rng(3), 36) if t.intensity == 1.0}
    aside = [t for t in takes(np.random.default_rng(3), 36, "photofaces_extra") if t.gaze != (0.0, 0.0)]
    assert {t.expr_id for t in aside} == drawn | {"neutral"}
    assert {t.gaze for t in aside} == {(-18.0, 0.0), (18.0, 0.0)} and len(aside) == 16


def test_another_plan_is_one_clear_line():
    with pytest.raises(InputError, match="photofaces_extra"):
        takes(np.random.default_rng(0), 36, "extra")


def test_the_shared_plan_is_the_list_of_photofaces_extra(photofaces):
    table = photofaces.parent / "photofaces_extra" / "metadata.csv"
    if not table.exists():
        pytest.skip("photofaces_extra is not beside photofaces")
    theirs = pd.read_csv(table).groupby("subject").head(36).iloc[:36]
    ours = takes(np.random.default_rng(0), 36, "photofaces_extra")
    for row, take in zip(theirs.to_dict("records"), ours, strict=True):
        assert take.expression == row["expression"] and take.expr_id.split("_v")[0] == row["expr_id"].split("_v")[0]
        assert (take.yaw, take.pitch, *take.gaze) == (row["yaw"], row["pitch"], row["gaze_x"], row["gaze_y"])
        if take.expression in ("other", "neutral"):
            theirs_aus = [[row[f"AU{au:02d}_{side}"] for side in "LR"] for au in AUS]
            np.testing.assert_allclose(take.aus, theirs_aus)
