"""Ablations, where pictures are flat colours and the evaluator reads the labels off them."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from mien.cli.evaluate.measures import evaluate_transfer
from mien.cli.evaluate.training import evaluate_ablation
from mien.data.images import resize_square
from mien.errors import InputError
from mien.evaluate.answers import MADE
from mien.evaluate.protocols import ablation
from mien.evaluate.protocols.ablation import ablate
from mien.evaluate.trials import trials
from mien.metrics.regions import region_boxes
from mien.models.io import save_model
from mien.models.presets import ablations
from mien.models.registry import create
from mien.training import start
from mien.training.settings import Settings
from mien.training.start import Training
from mien.weights.resolve import CHECKPOINT
from tests.conftest import write_rows
from tests.evaluate.test_comparison import SIZE, Reader
from tests.evaluate.test_comparison import data as data  # a fixture
from tests.helpers.tiny import TINY


def test_ablation_measures_every_preset_on_strangers(data, tmp_path, monkeypatch):
    assert ablations("jesrl")[0] == "small" and not [p for p in ablations("jesrl") if p.startswith(("paper", "base"))]
    assert not [p for p in ablations("eet") if p.startswith(("paper", "base"))]
    settings = Settings(precision="32-true", accelerator="cpu")
    known, strangers = data.select(~data.manifest.test), data.select(data.manifest.test)
    changes = {name: value for name, value in TINY["eet"].items() if name != "subjects"}
    asked = (["small", "bs_net"], known, strangers, Reader(), tmp_path)
    table = ablate(Training("eet", changes=changes, settings=settings), *asked)
    assert list(table.preset) == ["small", "bs_net"]
    seen = {"icc", "au_mse", "expression", "rank_1", "l1_face", "all_ssim_mouth"}
    assert {"probe", "leak", *seen, *(f"generated_{name}" for name in seen)} < set(table.columns)
    assert (table.icc != table.generated_icc).all()  # the painted picture and the pasted change are two answers
    begun = (tmp_path / "seed0" / "small" / CHECKPOINT).stat().st_mtime_ns
    again = ablate(Training("eet", changes=changes, settings=settings), *asked)
    assert (tmp_path / "seed0" / "small" / CHECKPOINT).stat().st_mtime_ns == begun  # nothing is trained twice
    pd.testing.assert_frame_equal(table, again)
    with pytest.raises(InputError, match="no model named"):
        ablations("no_gan")


@pytest.mark.slow
def test_two_folders_of_test_people(data, tmp_path):
    """The shell's verbs with --data twice and --test twice: nobody is in both, and each folder has its own truth."""
    folder, other = data.manifest.folder, tmp_path / "other"
    shutil.copytree(folder, other, ignore=shutil.ignore_patterns(".mien_cache"))
    rows = list(csv.DictReader((other / "metadata.csv").read_text().splitlines()))
    write_rows(other, rows := [row for row in rows if row["subject"] in ("p0", "p1", "p4")])
    judge = create("judge", **TINY["judge"])
    save_model(judge, tmp_path / "judge.safetensors")
    save_model(create("ter_gan", **TINY["ter_gan"]), tmp_path / "model.safetensors")
    by, both, model = str(tmp_path / "judge.safetensors"), [folder, other], str(tmp_path / "model.safetensors")
    for same, people in ((True, 4), (False, 6)):  # told that they are the same people or not
        out = tmp_path / f"out{people}"
        evaluate_transfer(both, out / "t", [model], by, size=SIZE, same_people=same)
        record = json.loads((out / "t" / "transfer.json").read_text())
        assert record["data"]["people"] == people and record["trials"]["truth_known"]
        errors = pd.read_csv(out / "t" / "trials.csv")
        assert errors.l1.notna().all() and errors.subject.nunique() == people
    asked = {"set_": [f"{k}={v}" for k, v in TINY["ter_gan"].items() if k != "subjects"], "precision": "32-true"}
    evaluate_ablation("ter_gan", both, tmp_path / "a", ["small"], evaluator=by, test=both, same_people=True, **asked)
    assert pd.read_csv(tmp_path / "a" / "ablation.csv").l1_face.notna().all()

    write_rows(other, [row | {"test": "1"} for row in rows])
    with pytest.raises(InputError, match="subject p4 has test '0' in"):
        evaluate_ablation("ter_gan", [folder], tmp_path / "b", ["small"], evaluator=by, test=[other], same_people=True)


def test_ablations_look_at_the_regions_where_they_are_at_the_models_size(data, tmp_path, monkeypatch):
    strangers, size = data.select(data.manifest.test), 2 * SIZE
    t = trials(strangers)
    faces, truths = ([resize_square(strangers.images[k], size) for k in rows] for rows in (t.face, t.truth))
    monkeypatch.setattr(start, "train", lambda *_: True)
    monkeypatch.setattr(ablation, "transfer_all", lambda *_: dict.fromkeys(MADE, np.stack(faces)))
    changes = {name: value for name, value in TINY["eet"].items() if name != "subjects"} | {"image_size": size}
    table = ablate(Training("eet", changes=changes), ["small"], strangers, strangers, Reader(), tmp_path)
    scaled = t.landmarks * size / strangers.size
    for region in ("mouth", "face"):
        off = [
            np.abs(face.astype(float) - truth)[region_boxes(points, size)[region]].mean() / 255
            for face, truth, points in zip(faces, truths, scaled, strict=True)
        ]
        assert table[f"all_l1_{region}"][0] == pytest.approx(np.mean(off), abs=1e-6)


def test_ablations_of_what_takes_units_tell_of_units_asked_and_begin_with_a_run(data, tmp_path, monkeypatch):
    known, strangers = data.select(~data.manifest.test), data.select(data.manifest.test)
    changes = {name: value for name, value in TINY["fields"].items() if name != "subjects"}
    torch.manual_seed(3)
    begun = create("fields", **changes)
    save_model(begun, tmp_path / "begun.safetensors", deployed=False)
    trained = []
    monkeypatch.setattr(start, "train", lambda model, *_: trained.append(model) or True)
    monkeypatch.setattr(start, "sampler_of", lambda *_: None)
    training = Training("fields", changes=changes, start=tmp_path / "begun.safetensors")
    table = ablate(training, ["small"], known, strangers, Reader(), tmp_path)
    assert torch.equal(trained[0].state_dict()["reader.code.weight"], begun.state_dict()["reader.code.weight"])
    assert {"units_l1_face", "units_slope", "units_change_r", "units_expression"} < set(table.columns)
    with pytest.raises(InputError, match="start differ"):  # without the start it is another training
        ablate(replace(training, start=None), ["small"], known, strangers, Reader(), tmp_path)
