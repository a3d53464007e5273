"""What is asked of a face: what goes together, what counts, and whether presets are what real pictures show."""

import csv
import re

import numpy as np
import pytest
import torch

from mien.controls import Controls
from mien.errors import InputError
from mien.expressions import Expression
from mien.labels import AUS, CLASSES, PARTS, PRESETS, PROTOTYPES, SPEECH, SYNONYMS, by_side, units_by_side


def asked(*args, **kwargs):
    """Return action units 0-5 by their names, as "12L"."""
    return {f"{au}{side}": pytest.approx(5 * value, abs=1e-6) for au, side, value in Controls(*args, **kwargs).units()}


def test_units_beside_an_expression_count_as_they_are():
    both = asked("happiness", 0.5, {"43L": 5.0, 12: 1.0})
    assert both["43L"] == 5 and both["43R"] == 0 and both["12L"] == both["12R"] == 1  # not half of it
    assert both["6L"] == 0.5 * PROTOTYPES["happiness"][6] and len(both) == 2 * len(AUS)
    assert asked(like=1, intensity=0.5, aus={12: 4.0}) == {"12L": 4, "12R": 4}
    assert asked(aus={12: 4.0}, intensity=0.5) == {"12L": 2, "12R": 2}  # alone they are what is asked for


def test_presets_set_their_own_units_and_the_later_count():
    assert asked("wink", 0.5) == {"5L": 0, "6L": 0.875, "43L": 2.5}
    smiling = asked(("happiness", "wink-right"))
    assert smiling["43R"] == 5 and smiling["43L"] == 0 and smiling["12L"] == 5
    assert asked(("happiness", "say-m"))["25L"] == 0 and asked(("say-m", "happiness"))["25L"] == 2.8
    assert Controls(("happiness",)) == Controls("happiness") and Controls(("happiness",)).word == "happiness"


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_face_alone(part):
    assert {int(name[:-1]) for name in asked("fear", only=(part,))} == set(PARTS[part])
    assert {au for au, _ in Controls(like=1, only=(part,)).places()} == set(PARTS[part])
    assert {name[:-1] for name in asked("laugh", only=(part,), aus={43: 5.0})} >= {"43"}  # named beside it


def test_every_unit_is_of_one_part():
    assert sorted(au for part in PARTS.values() for au in part) == sorted(AUS)


@pytest.mark.parametrize(
    ("controls", "kinds"),
    [
        (Controls("happiness"), ["expression"]),
        (Controls("contempt", 0.5, gaze=(1, 0)), ["expression", "gaze"]),
        (Controls("laugh"), ["aus"]),
        (Controls("wink"), ["aus", "sides"]),
        (Controls("fear", only=("mouth",)), ["aus"]),
        (Controls("fear", aus={"43L": 5.0}), ["aus", "sides", "beside"]),
        (Controls(("fear", "blink")), ["aus"]),
        (Controls(aus={"12L": 2.0}), ["aus", "sides"]),
        (Controls(like=1), ["like"]),
        (Controls(like=1, only=("eyes",)), ["like", "only"]),
        (Controls(like=1, aus={12: 2.0}), ["aus", "like", "beside"]),
        (Controls(turn=(8.0, 3.0), roll=-4.0), ["turn", "roll"]),
        (Controls(Expression("mine", {12: 2.0}, (5.0, 0.0))), ["aus", "gaze"]),
    ],
)
def test_what_a_model_must_be_able_to_do(controls, kinds):
    assert controls.kinds == kinds
    assert controls.whole == (kinds == ["like"])


def test_less_than_an_example_is_not_all_of_it():
    assert not Controls(like=1, intensity=0.5).whole


def test_a_saved_gaze_is_asked_for_at_its_share_unless_the_eyes_are_left():
    looks = Expression("aside", {12: 2.0}, (10.0, -4.0))
    assert Controls(looks, 0.5).eyes == (5.0, -2.0) and Controls(looks, gaze=(1.0, 1.0)).eyes == (1.0, 1.0)
    assert Controls(looks, only=("mouth",)).eyes is None and Controls(looks, only=("eyes",)).eyes == (10.0, -4.0)


def test_a_saved_head_is_asked_for_at_its_share_unless_a_part_is_asked_for():
    looks = Expression("aside", {12: 2.0}, None, "", (10.0, -4.0), 6.0)
    asked = Controls(looks, 0.5)
    assert (asked.turned, asked.tilted, asked.kinds) == ((5.0, -2.0), 3.0, ["aus", "turn", "roll"])
    asked = Controls(looks, turn=(1.0, 1.0), roll=2.0)
    assert (asked.turned, asked.tilted) == ((1.0, 1.0), 2.0)
    asked = Controls(looks, only=("mouth",))
    assert (asked.turned, asked.tilted) == (None, None)


def test_stamps_tell_all_that_was_asked():
    everything = Controls(("fear", "wink"), 0.5, {"12L": 3.0}, None, (9.0, 0.0), (8.0, -3.0), 5.0, ("mouth", "eyes"))
    assert everything.operation() == "edit: fear+wink 12L=3 gaze 9 0 turn 8 -3 roll 5 only mouth eyes 0.50"
    part = Controls(like=1, intensity=0.5, only=("mouth",))
    assert part.operation("b.jpg", transfers=True) == "transfer from b.jpg only mouth 0.50"
    assert part.operation("b.jpg") == "edit: like b.jpg only mouth 0.50"
    assert Controls(like=1).operation("b.jpg", transfers=True) == "transfer from b.jpg"


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({}, "got none"),
        ({"expression": ()}, "got none"),
        ({"expression": "fear", "like": 1}, "expression and like; choose one"),
        ({"expression": ("fear", "grin")}, "'grin' is not known; choose one of neutral"),
        ({"expression": "hapiness"}, "'hapiness' is not known (did you mean happiness"),
        ({"turn": (16.0, 0.0)}, "turn 16 0: expected -15 to 15 and -9 to 9 degrees"),
        ({"turn": (0.0, float("nan"))}, "turn 0 nan"),
        ({"roll": 11.0}, "roll 11: expected -10 to 10 degrees, clockwise"),
        ({"expression": "fear", "only": ("nose",)}, "only 'nose': choose from brows, eyes, mouth"),
        ({"expression": "blink", "only": ("mouth",)}, "only mouth: nothing of that is asked for"),
        ({"aus": {12: 3.0}, "only": ("brows", "eyes")}, "only brows, eyes: nothing of that is asked for"),
        ({"gaze": (3.0, 0.0), "only": ("mouth",)}, "nothing of that is asked for"),
        ({"expression": Controls("fear")}, "got a Controls; Editor.ask takes Controls"),
        ({"expression": 3}, "an Expression, or several of these; got an int"),
        ({"expression": ["fear", None]}, "or several of these; got None"),
        ({"expression": {"fear": 0.5}}, "got a dict"),
        ({"expression": "fear", "intensity": "0.5"}, "intensity '0.5': expected a number from 0 (neutral) to 1"),
        ({"expression": "fear", "intensity": None}, "intensity None: expected a number"),
        ({"aus": {"AU12": "3"}}, "AU AU12='3': expected a number, an intensity from 0 to 5"),
        ({"aus": [(12, 3)]}, "action units [(12, 3)]: expected intensities 0-5 by unit, as {12: 3"),
        ({"gaze": "3 4"}, "gaze '3 4': expected 2 numbers of -40 to 40 degrees"),
        ({"gaze": 3}, "gaze 3: expected 2 numbers"),
        ({"turn": (1, "2")}, "turn (1, '2'): expected 2 numbers of -15 to 15 and -9 to 9 degrees"),
        ({"roll": "5"}, "roll '5': expected a number of -10 to 10 degrees"),
        ({"expression": "fear", "only": 3}, "only 3: choose from"),
        ({"expression": "fear", "only": [["mouth"]]}, "only ['mouth']: choose from"),
    ],
)
def test_what_does_not_fit_is_one_line(kwargs, says):
    with pytest.raises(InputError, match=re.escape(says)) as error:
        Controls(**kwargs)
    assert "\n" not in str(error.value)


def test_numbers_may_be_numpys_and_tensors():
    found = Controls("fear", np.float32(0.5), {np.int64(12): torch.tensor(3.0)}, gaze=np.array([1.0, 2.0]))
    assert found.kinds == ["aus", "gaze", "beside"]
    assert {side: float(value) for au, side, value in found.units() if au == 12} == pytest.approx({"L": 0.6, "R": 0.6})


@pytest.mark.parametrize(("said", "meant"), [("Happy", "happiness"), ("sad", "sadness"), ("smirk", "smirk")])
def test_a_class_has_many_names(said, meant):
    assert Controls(said) == Controls(meant) and str(Controls((said, "blink"))) == str(Controls((meant, "blink")))


def test_one_part_may_be_a_word_by_itself():
    assert Controls("fear", only="mouth") == Controls("fear", only=("mouth",))


def test_names_of_classes_are_no_presets():
    assert not set(PRESETS) & {name for names in SYNONYMS.values() for name in names.split()}


def test_words_are_one_namespace():
    assert not set(CLASSES) & set(PRESETS) and SPEECH == ("a", "e", "o", "u", "m")
    for word in PRESETS:
        units = units_by_side(word)
        assert units and all(0 <= value <= 5 for value in units.values()) and any(units.values())


SHOWN = {"blink": "lids_shut", "wink": "wink_left", "wink-left": "wink_left", "wink-right": "wink_right"}
SHOWN |= {"laugh": "laugh"} | {f"say-{sound}": f"say_{sound}" for sound in SPEECH}


@pytest.mark.parametrize(("word", "expr_id"), SHOWN.items())
def test_presets_are_what_pictures_show(photofaces_extra, word, expr_id):
    with (photofaces_extra / "metadata.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["expr_id"] == expr_id]
    assert rows
    units = by_side(PRESETS[word])
    for au in AUS:
        for side in "LR":
            shown = np.unique([float(row[f"AU{au:02d}_{side}"]) for row in rows])
            assert shown.tolist() == [units.get((au, side), 0.0)], (au, side)
