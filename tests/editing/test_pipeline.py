"""Tasks to be called in the Hugging Face libraries' form."""

import pytest
from skimage.data import astronaut

import mien
from mien.labels import AUS, CLASSES

FACE = astronaut()[:256, 96:352]


def test_tasks_give_what_the_editor_does():
    name = mien.pipeline("expression-recognition", "evaluator")
    found = name(FACE)
    assert {one["label"] for one in found} == set(CLASSES) and abs(sum(one["score"] for one in found) - 1) < 1e-5
    assert [one["label"] for one in found] == list(name.editor.recognize(FACE))
    assert name([FACE, FACE], top_k=1) == [found[:1], found[:1]]
    units = mien.pipeline("action-units", "evaluator")(FACE)
    assert len(units) == len(AUS) and units[0]["score"] >= units[-1]["score"] and units[0]["label"].startswith("AU")


def test_tasks_that_make_pictures():
    made = mien.pipeline("expression-editing")(FACE, expression="happiness", intensity=0.5)
    assert made.rgb.shape == FACE.shape and made.stamp.operation == "edit: happiness 0.50"


def test_another_task_is_one_line():
    with pytest.raises(mien.InputError, match="no task 'speech'; choose one of expression-recognition, "):
        mien.pipeline("speech")
