"""Weights made, packed and found again."""

import csv
import hashlib
import json
import shutil

import pandas as pd
import pytest
import torch

from mien.data.sets import Sets
from mien.errors import InputError
from mien.evaluate.protocols.comparison import compare
from mien.models.io import load
from mien.models.tensor_files import read_tensors
from mien.synth.generate import generate
from mien.training.settings import Settings
from mien.training.zoo import make_zoo
from mien.weights.index import VARIABLE
from mien.weights.resolve import OLD_NAMES, zoo
from tests.conftest import write_rows
from tests.evaluate.test_comparison import data as data  # a fixture
from tests.helpers.tiny import TINY

CHANGES = {name: {k: str(v) for k, v in TINY[name].items() if k != "subjects"} for name in ("judge", "ter_gan")}
SETTINGS = Settings(precision="32-true", accelerator="cpu")


@pytest.fixture
def made(edit_rows, tmp_path):
    compared = []
    folder = edit_rows(lambda rows: [row.update(test=str(int(row["subject"] == "ann"))) for row in rows])
    out = tmp_path / "zoo"

    def make(hours=1.0, models=("judge", "ter_gan")):
        return make_zoo(Sets((folder,)), out, hours, measure, models, SETTINGS, CHANGES)

    def measure(models, evaluator, data, folder):
        compared.append((models, evaluator, data))

    return make, out, compared


def test_every_model_is_trained_packed_and_compared(made):
    make, out, compared = made
    assert make() == {"judge": True, "ter_gan": True}
    index = json.loads((out / "index.json").read_text())
    assert set(index) == {"judge", "ter_gan"}
    for name, entry in index.items():
        data = (out / entry["file"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(data).hexdigest() and entry["bytes"] == len(data)
        assert {t.dtype for key, t in read_tensors(out / entry["file"])[0].items() if "weight" in key} == {torch.half}
        assert read_tensors(out / entry["file"])[1]["family"] == OLD_NAMES.get(name, name)
    ((models, evaluator, data),) = compared
    assert set(models) == {"ter_gan"} and evaluator.config.image_size == 32 and set(data.manifest.subjects) == {"ann"}


@pytest.mark.slow
def test_two_folders_get_through_the_comparison(data, tmp_path):
    """As `make zoo` calls it: photographs with test people, and the studio beside them, which marks none."""
    generate(tmp_path / "studio", people=2, per_person=8, size=32, seed=1)
    sets, out = Sets((data.manifest.folder, tmp_path / "studio"), same_people=True), tmp_path / "zoo"
    assert make_zoo(sets, out, 1.0, compare, ("judge", "ter_gan"), SETTINGS, CHANGES) == {
        "judge": True,
        "ter_gan": True,
    }
    table = pd.read_csv(out / "compare" / "comparison.csv")
    assert set(table.model) >= {"ter_gan"} and table.l1_face.notna().any()
    assert load(str(out / "ter_gan.safetensors")).config.subjects == 2 + 2  # the studio's, and those not tested


def test_folders_that_contradict_each_other_are_refused_before_training(made, faces_folder, tmp_path):
    shutil.copytree(faces_folder, tmp_path / "more")
    rows = list(csv.DictReader((tmp_path / "more" / "metadata.csv").read_text().splitlines()))
    write_rows(tmp_path / "more", [row | {"test": "0"} for row in rows])
    with pytest.raises(InputError, match=r"subject ann has test '1' in .*faces, but '0' in .*more"):
        make_zoo(
            Sets((faces_folder, tmp_path / "more"), True), tmp_path / "zoo", 1.0, compare, ("judge",), SETTINGS, CHANGES
        )
    assert not (tmp_path / "zoo").exists()


def test_what_is_cut_short_goes_on(made):
    make, out, _ = made
    assert make(hours=1e-9) == {"judge": False, "ter_gan": False}
    first = read_tensors(out / "runs" / "ter_gan" / "checkpoint.safetensors")[1]
    assert (first["stage"], first["step"]) == (0, 1)  # a step was taken, and kept
    assert make() == {"judge": True, "ter_gan": True}


def test_no_time_and_unknown_models_are_refused(made):
    make, out, _ = made
    with pytest.raises(InputError, match="--hours 0"):
        make(hours=0)
    with pytest.raises(InputError, match="no_gan"):
        make(models=("no_gan",))
    assert not out.exists()


def test_data_without_test_people_are_refused_before_training(faces_folder, tmp_path):
    with pytest.raises(InputError, match=r"faces: no row is marked test=1"):
        make_zoo(Sets((faces_folder,)), tmp_path / "zoo", 1.0, compare, ("judge",), SETTINGS, CHANGES)
    assert not (tmp_path / "zoo").exists()


def test_a_shelf_is_found_by_name_before_the_packages_weights(made, monkeypatch):
    make, out, _ = made
    make(models=("judge",))
    assert load("judge").config.image_size == 64
    monkeypatch.setenv(VARIABLE, str(out))
    assert load("judge").config.image_size == 32 and load("ter_gan").config.image_size == 64 and "judge" in zoo()


def test_damage_on_the_shelf_is_told(made, monkeypatch):
    make, out, _ = made
    make(models=("judge",))
    monkeypatch.setenv(VARIABLE, str(out))
    weights = out / "judge.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    with pytest.raises(InputError, match=r"judge.safetensors.*SHA-256"):
        load("judge")
    weights.unlink()
    with pytest.raises(InputError, match=r"judge.safetensors.*no such file"):
        load("judge")
    (out / "index.json").write_text("[1]")
    with pytest.raises(InputError, match=r"index.json.*MIEN_ZOO"):
        load("judge")


def test_a_shelf_on_the_hub_is_fetched_file_by_file(made, monkeypatch):
    make, out, _ = made
    make(models=("judge",))
    asked = []

    def download(repository, name, revision=None):
        asked.append((repository, name))
        return str(out / name)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    monkeypatch.setenv(VARIABLE, "somebody/zoo")
    assert load("judge").config.image_size == 32
    assert set(asked) == {("somebody/zoo", "index.json"), ("somebody/zoo", "judge.safetensors")}
