"""Steps of work on a photograph: back, forth, and from anywhere on."""

import pytest

from mien.editing.look import Look, Word
from mien.editing.project import KEPT, Project
from mien.errors import InputError

HAPPY, SAD = (Look(words=(Word(word),)) for word in ("happiness", "sadness"))


def test_steps_are_undone_and_done_again():
    one = Project.begin("fields")
    two = one.ask(1, HAPPY, "happy").ask(2, SAD, "sad")
    assert two.now.changed == {1: HAPPY, 2: SAD} and two.undo().now.changed == {1: HAPPY}
    assert two.undo().undo().now.changed == {} and two.undo().undo().undo() == two.undo().undo()
    assert two.undo().redo() == two == two.redo() and not one.now.changed


def test_a_step_from_the_past_takes_the_place_of_those_that_were_undone():
    told = Project.begin("fields").ask(1, HAPPY).ask(1, SAD).undo().ask(1, Look(roll=3.0))
    assert [step.number for step in told.steps] == [0, 1, 3]  # a number is never given twice
    with pytest.raises(InputError, match="no step 2"):
        told.go(2)
    assert told.go(1).now.look(1) == HAPPY and told.go(1).redo() == told


def test_asking_for_the_same_is_no_step_and_another_model_is():
    once = Project.begin("fields").ask(1, HAPPY)
    assert once.ask(1, HAPPY, "again") is once and len(once.ask(1, HAPPY, model="eet").steps) == 3
    assert once.ask(2, Look()) is once


def test_steps_have_a_bound_and_the_photograph_stays():
    told = Project.begin("fields")
    for k in range(KEPT + 30):
        told = told.ask(1, Look(roll=(k % 19) / 2 + 0.1))
    assert len(told.steps) == KEPT and told.steps[0].number == 0 and told.now.number == KEPT + 30
    assert told.as_json()["at"] == KEPT - 1
