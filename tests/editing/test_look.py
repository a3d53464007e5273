"""What is asked of a face by controls that add up: as one request, as JSON, as a file."""

import pytest

from mien.controls import Controls
from mien.editing.look import MOST, Like, Look, Word, look_of
from mien.errors import InputError
from mien.expressions import Expression
from mien.labels import AUS

HAPPY = Word("happiness", 0.5)
FULL = Look(
    0.25, Like("a", 2, 0.5, ("mouth",)), (HAPPY, Word("wink-left")), {"12L": 3.0}, (10.0, -5.0), (5.0, 0.0), 3.0
)


def units(asked):
    return {(au, side): round(5 * value, 4) for au, side, value in asked.units()}


def test_nothing_asked_is_no_request():
    assert Look().empty and Look().controls() is None and look_of({}) == Look()


@pytest.mark.parametrize(
    ("look", "asked"),
    [
        (Look(words=(HAPPY,)), Controls("happiness", 0.5)),
        (Look(words=(Word("happiness", 0.5, ("mouth",)),)), Controls("happiness", 0.5, only=("mouth",))),
        (Look(units={"12": 3.0}), Controls(aus={"12": 3.0})),
        (Look(gaze=(10.0, 0.0), roll=4.0), Controls(gaze=(10.0, 0.0), roll=4.0)),
        (Look(turn=(5.0, -2.0)), Controls(turn=(5.0, -2.0))),
        (Look(calm=1.0), Controls("neutral")),
        (Look(words=(Word("fear"), Word("joy"))), Controls("happiness")),
        (Look(words=(Word("fear"), Word("anger"))), Controls("anger")),  # a class is of all units
        (Look(words=(HAPPY,), units={"4": 2.0}), Controls("happiness", 0.5, {"4": 2.0})),
    ],
)
def test_what_the_shell_can_ask_for_too_is_the_same_request(look, asked):
    assert look.controls() == asked


def test_parts_of_two_classes_and_a_shape_add_up():
    asked = Look(words=(Word("happiness", 1, ("mouth",)), Word("fear", 0.5, ("brows",)), Word("wink-left"))).controls()
    got = units(asked)
    assert got[12, "L"] == got[12, "R"] == 5 and got[1, "L"] == 2.5 and got[4, "R"] == 2.25
    assert got[43, "L"] == 5 and (43, "R") not in got and got[6, "L"] == 1.75 and (6, "R") not in got


def test_calm_takes_off_a_share_of_what_the_face_shows_and_what_is_asked_for_stays():
    shown = {(12, "L"): 4.0, (12, "R"): 2.0, (1, "L"): 1.0, (1, "R"): 1.0}
    got = units(Look(0.25, words=(Word("wink-right"),), units={"1L": 5.0}).controls(shown))
    assert got[12, "L"] == 3 and got[12, "R"] == 1.5 and got[1, "R"] == 0.75 and got[43, "R"] == 5 and got[1, "L"] == 5


def test_all_calm_needs_not_know_what_the_face_shows():
    got = units(Look(1.0, words=(Word("wink-right"),)).controls())
    assert got[12, "L"] == 0 and got[43, "R"] == 5 and len(got) == 2 * len(AUS)


def test_an_example_comes_before_words_and_alone_is_given_to_the_model():
    like = Look(like=Like("a", strength=0.5, only=("mouth",)))
    assert (
        (asked := like.controls(example="crop")).like == "crop" and asked.intensity == 0.5 and asked.only == ("mouth",)
    )
    shown = Expression("a", {"12": 4.0, "1": 2.0})
    beside = Look(like=Like("a", strength=0.5), words=(Word("blink"),)).controls(example=shown)
    assert units(beside)[12, "L"] == 2 and units(beside)[43, "R"] == 5


def test_a_look_is_json_and_back():
    assert look_of(FULL.as_json()) == FULL
    saved = Look(words=(Word(Expression("mine", {"12L": 2.0}, (3.0, 4.0), "made"), 0.5),))
    assert look_of(saved.as_json()) == saved and saved.controls().eyes == (1.5, 2.0)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (5, "no object"),
        ({"x": 1}, "'x' is not known"), ({"calm": 2}, "calm 2"), ({"calm": None}, "number is missing"),
        ({"units": {"99": 1}}, "AU 99"), ({"units": {"12": 9}}, "AU 12=9"), ({"units": {"12": None}}, "lack a number"),
        ({"gaze": [1]}, "two numbers"), ({"gaze": [90, 0]}, "gaze 90 0"), ({"turn": [0, 60]}, "turn 0 60"),
        ({"roll": "x"}, "roll is 'x'"),
        ({"words": [{"name": "cosy", "strength": 1, "only": []}]}, "'cosy' is not known"),
        ({"words": [{"name": "fear", "strength": 3, "only": []}]}, "intensity 3"), ({"words": [1]}, "no object"),
        ({"words": [{"name": {"name": "x"}, "strength": 1, "only": []}]}, "missing"),
        ({"words": [{"name": "fear", "strength": 1, "only": ["ears"]}]}, "'ears'"), ({"like": {"photo": 5}}, "missing"),
        ({"words": [{"name": "fear", "strength": 1, "only": []}] * (MOST + 1)}, "at most"),
    ],
)  # fmt: skip
def test_what_is_no_look_is_one_line(found, told):
    with pytest.raises(InputError, match=told) as error:
        look_of(found)
    assert "\n" not in str(error.value)


def test_a_look_is_saved_as_the_expression_that_it_asks_for():
    saved = Look(words=(Word("happiness", 0.5),), units={"4": 1.0}, gaze=(10.0, 0.0)).expression("mine", "here")
    assert saved.units["12L"] == pytest.approx(2.5) and saved.units["4R"] == pytest.approx(1) and saved.gaze == (10, 0)
    assert len(saved.units) == 2 * len(AUS)  # a class is of all of them
    tilted = Look(turn=(5.0, -2.0), roll=3.0).expression("mine", "here")
    assert (dict(tilted.units), tilted.turn, tilted.roll) == ({}, (5.0, -2.0), 3.0)
    again = Look(words=(Word(tilted, 0.5), Word("blink"))).controls()
    assert (again.turned, again.tilted) == ((2.5, -1.0), 1.5)
    with pytest.raises(InputError, match="no expression to save"):
        Look().expression("mine", "here")
