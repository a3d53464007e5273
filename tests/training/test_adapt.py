"""A reader fitted to somebody's corpus: figures as scikit-learn has them, and nothing lost."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, recall_score

from mien.cli.train import check_adapted
from mien.data.sets import Sets, training_data
from mien.errors import InputError
from mien.labels import CLASSES
from mien.models.io import load, save_model
from mien.models.registry import create
from mien.training.adapt import adapt, figures, filled, read
from mien.training.settings import Settings
from tests.helpers.tiny import TINY

EXACT = Settings(precision="32-true", accelerator="cpu", log_every=1)


def weights(name, folder):
    torch.manual_seed(3)
    path = folder / f"{name}.safetensors"
    save_model(create(name, **TINY[name]).eval(), path)
    return path


@pytest.mark.parametrize("name", ["fields", "reader", "evaluator"])
def test_an_adapted_reader_goes_back_into_its_model(name, faces_folder, tmp_path):
    start = weights(name, tmp_path)
    made = adapt(str(start), Sets((faces_folder,)), tmp_path / "run", EXACT, steps=2, all_people=True)
    before, after = load(str(start)).state_dict(), load(str(made.weights)).state_dict()
    assert before.keys() == after.keys() and made.weights.name == start.name and made.people > 0
    changed = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    inside = {"fields": {"reader"}, "reader": {"reader"}}
    assert changed and changed <= inside.get(name, changed)
    again = adapt(str(start), Sets((faces_folder,)), tmp_path / "run", EXACT, steps=2, all_people=True)
    assert str(again.after) == str(made.after)  # finished before: the same weights, the same figures


def test_figures_are_scikit_learns(faces_folder, tmp_path):
    data, model = training_data(Sets((faces_folder,)), 32, all_people=True), load(str(weights("reader", tmp_path)))
    found, m = figures(model, data), data.manifest
    known = (m.expression >= 0) & (m.expression < len(CLASSES))
    truth, told = m.expression[known], read(model, data)[1].argmax(1)[known]
    assert found.accuracy == pytest.approx(accuracy_score(truth, told))
    # of scikit-learn the mean recall of the classes that there are, whatever else was answered
    assert found.balanced == pytest.approx(recall_score(truth, told, labels=np.unique(truth), average="macro"))


def test_units_that_a_corpus_lacks_are_those_read_before(faces_folder, tmp_path):
    data, model = training_data(Sets((faces_folder,)), 32, all_people=True), load(str(weights("reader", tmp_path)))
    bare = np.isnan(data.manifest.aus).all(1)
    whole, units = filled(data, model), read(model, data)[0]
    np.testing.assert_array_equal(whole.manifest.left[bare], units[bare, 0])
    np.testing.assert_array_equal(whole.manifest.aus[bare], units[bare].max(1))
    np.testing.assert_array_equal(whole.manifest.aus[~bare], data.manifest.aus[~bare])


def test_weights_of_another_model_are_not_adapted_in_its_place():
    check_adapted("evaluator", "evaluator")
    with pytest.raises(InputError, match="is evaluator; expected weights of reader, or mien train evaluator --adapt"):
        check_adapted("reader", "evaluator")


def test_what_reads_nothing_cannot_be_adapted(faces_folder, tmp_path):
    with pytest.raises(InputError, match="is a ter_gan; fields, reader and evaluator can be adapted"):
        adapt(str(weights("ter_gan", tmp_path)), Sets((faces_folder,)), tmp_path / "run", EXACT)
