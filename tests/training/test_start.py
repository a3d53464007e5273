"""From words to a training: settings, data sets, sheets."""

import json
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from mien.data.checks.report import describe
from mien.data.sets import Sets, training_data
from mien.errors import InputError
from mien.media.sheet import sheet
from mien.models.io import load, save_model
from mien.models.presets import typed_changes
from mien.models.recipe import turns_in_words
from mien.models.registry import create
from mien.nn.images import to_pixels
from mien.training.settings import Settings
from mien.training.start import begin, begin_with, draw_sheet, sampler_of
from mien.weights.resolve import ZOO
from tests.helpers.tiny import TINY

SMALL = {"image_size": "32", "width": "2", "discriminator_width": "2", "batch_size": "6", "pretrain_steps": "2",
         "steps": "2", "recognition_steps": "1"}  # fmt: skip


def test_settings_take_their_configs_types():
    typed = typed_changes("ter_gan", "small", {"steps": "7", "lr": "1e-3", "width": "4"})
    assert typed == {"steps": 7, "lr": 1e-3, "width": 4} and isinstance(typed["steps"], int)
    with pytest.raises(InputError, match="subjects"):
        typed_changes("ter_gan", "small", {"subjects": "4"})  # counted from the data, never set
    with pytest.raises(InputError, match=r"lr=fast: expected a number"):
        typed_changes("ter_gan", "small", {"lr": "fast"})


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("1", True), ("no", False)])
def test_yes_and_no(text, value):
    assert typed_changes("ter_gan", "small", {"supervised": text}) == {"supervised": value}


def test_yes_or_no_takes_no_other_word():
    with pytest.raises(InputError, match="supervised=perhaps"):
        typed_changes("ter_gan", "small", {"supervised": "perhaps"})


def test_a_run_leaves_its_config_and_sheets(faces_folder, tmp_path):
    settings = Settings(precision="32-true", accelerator="cpu", sheet_every=2)
    assert begin("ter_gan", "small", SMALL, Sets((faces_folder,)), tmp_path / "run", settings)
    names = {p.name for p in (tmp_path / "run").iterdir()}
    assert {"run.json", "checkpoint.safetensors", "sheets"} < names
    assert any(name.startswith("events.out.tfevents") for name in names)  # TensorBoard's
    assert len(list((tmp_path / "run" / "sheets").iterdir())) == 2


def test_a_run_says_what_share_of_the_steps_each_turn_had(faces_folder, tmp_path):
    counted = SMALL | {"steps": "5"}  # game_every 2: D and the games play in 3 of these 5
    settings = Settings(precision="32-true", accelerator="cpu", log_every=1)
    seen = []
    assert begin("ter_gan", "small", counted, Sets((faces_folder,)), tmp_path / "run", settings, report=seen.append)
    turns = json.loads((tmp_path / "run" / "run.json").read_text())["turns"]
    taken = Counter(name for p in seen for name in {loss.split("/")[0] for loss in p.losses})
    assert {name: turn["steps"] for name, turn in turns.items()} == taken
    assert taken["synthesize"] == 5 and taken["discriminate"] == 3
    assert all(turn["share"] == pytest.approx(turn["steps"] / 8, abs=1e-6) for turn in turns.values())


@pytest.mark.parametrize("name", ["ter_gan", "rel_gan", "expr_gan", "jesrl", "eet"])
def test_a_papers_card_says_what_share_of_the_steps_each_turn_had(name):
    assert turns_in_words(load(name).stages()) in " ".join((ZOO / f"{name}.md").read_text().split())


def test_test_people_stay_out_of_training(edit_rows):
    def mark(rows):
        for row in rows:
            row["test"] = "1" if row["subject"] == "ann" else "0"

    folder = edit_rows(mark)
    kept, everyone = training_data(Sets((folder,)), 32), training_data(Sets((folder,)), 32, all_people=True)
    assert "ann" not in kept.manifest.subjects and "ann" in everyone.manifest.subjects
    report = describe(everyone.manifest)
    assert report["test people"] == "1" and report["people"] == str(len(everyone.manifest.subjects))
    assert report["people giving no triple"] == "0"  # everybody shares a look with somebody unrelated


def test_sheet_of_transfers(faces_folder, tmp_path):
    data = training_data(Sets((faces_folder,)), 32)
    model = create("ter_gan", image_size=32, width=2, subjects=len(data.manifest.subjects))
    model.train()
    draw_sheet(model, sampler_of(model, data, 0).batch(0), tmp_path / "a.png", rows=3)
    assert model.training
    with Image.open(tmp_path / "a.png") as page:
        assert page.height > 3 * 96 and page.width > 4 * 96


def test_pixels_round_and_unknown_is_white():
    image = torch.tensor([-1.0, 0.0, 1.0, float("nan")]).view(1, 1, 4).expand(3, 1, 4)
    assert to_pixels(image)[0, :, 0].tolist() == [0, 128, 255, 255]


def test_sheet_puts_pictures_where_they_belong():
    red = np.full((16, 16, 3), (255, 0, 0), np.uint8)
    page = np.asarray(sheet([[red, None], [None, red]], ["a", "b"], ["one", "two"], size=16))
    places = np.argwhere((page == (255, 0, 0)).all(-1))
    assert len(places) == 2 * 16 * 16
    assert set(np.diff(np.unique(places[:, 0]))) == {1, 5}  # two bands of 16 rows, 4 apart


def test_fine_tuning_begins_with_a_runs_weights(faces_folder, tmp_path):
    settings = Settings(precision="32-true", accelerator="cpu")
    begin("ter_gan", "small", SMALL, Sets((faces_folder,)), tmp_path / "first", settings)
    before = load(str(tmp_path / "first" / "checkpoint.safetensors")).state_dict()
    model = create("ter_gan", **typed_changes("ter_gan", "small", SMALL), subjects=99)
    fresh = begin_with(model, tmp_path / "first")
    assert fresh == [
        f"{n}.{p}" for n in ("discriminator.identity.4", "identity_classifier") for p in ("bias", "weight")
    ]
    after = model.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in after if name not in fresh)
    longer = SMALL | {"steps": "3"}
    assert begin(
        "ter_gan", "small", longer, Sets((faces_folder,)), tmp_path / "second", settings, start=tmp_path / "first"
    )
    wider = create("ter_gan", **typed_changes("ter_gan", "small", SMALL | {"width": "3"}))
    with pytest.raises(InputError, match="has other sizes"):
        begin_with(wider, tmp_path / "first")


def test_fields_begin_with_a_reader_and_others_do_not(tmp_path):
    reader = create("reader", **TINY["reader"])
    save_model(reader, tmp_path / "reader.safetensors")
    fields = create("fields", **TINY["fields"])
    fresh = begin_with(fields, tmp_path / "reader.safetensors")
    assert fresh and not any(name.startswith("reader.") for name in fresh)
    for name, value in reader.reader.state_dict().items():
        torch.testing.assert_close(fields.reader.state_dict()[name], value)
    with pytest.raises(InputError, match="holds a reader; begin with one of the same model"):
        begin_with(create("evaluator", **TINY["evaluator"]), tmp_path / "reader.safetensors")
    with pytest.raises(InputError, match="its reader has other sizes"):
        begin_with(create("fields", **TINY["fields"] | {"reader_width": 3}), tmp_path / "reader.safetensors")


@pytest.mark.parametrize(
    ("name", "drop", "says"),
    [("eet", "AU", "eet learns from.*AU01"), ("ter_gan", "expression", "ter_gan learns from.*column expression")],
)
def test_data_without_what_a_model_learns_from_is_refused(edit_rows, name, drop, says):
    def blank(rows):
        for row in rows:
            row |= {column: "" for column in row if column.startswith(drop)}

    data = training_data(Sets((edit_rows(blank),)), 32)
    with pytest.raises(InputError, match=says):
        sampler_of(create(name, **TINY[name]), data, 0)


@pytest.mark.parametrize("name", ["jesrl", "eet", "expr_gan"])
def test_data_without_known_answers_name_the_settings_to_learn_without(edit_rows, name, tmp_path):
    """One picture a person, as in RAF-DB: the hint, typed as it stands, trains to the end."""
    folder = edit_rows(lambda rows: rows.__setitem__(slice(None), [rows[5 * k + k % 4] for k in range(5)]))
    small = {setting: str(value) for setting, value in TINY[name].items() if setting != "subjects"}
    settings = Settings(precision="32-true", accelerator="cpu")
    with pytest.raises(InputError, match=r"no pairs can be made.*; or learn without .*: --set ") as caught:
        begin(name, "small", small, Sets((folder,)), tmp_path / "run", settings)
    assert "\n" not in str(caught.value)
    words = str(caught.value).partition("answers: ")[2].removeprefix("--set ").split(" --set ")
    assert words == (["exact=false"] if name == "expr_gan" else ["need_truth=false", "truth=0"])
    typed = small | dict(word.split("=") for word in words)
    assert begin(name, "small", typed, Sets((folder,)), tmp_path / "run", settings)


def test_rel_gans_recogniser_learns_where_nobody_has_two_pictures(edit_rows, faces_folder, tmp_path):
    """SFEW: the reenactment is learnt on triples elsewhere; the hint, typed as it stands, then trains the MLP alone."""
    small = {setting: str(value) for setting, value in TINY["rel_gan"].items() if setting != "subjects"}
    settings = Settings(precision="32-true", accelerator="cpu")
    assert begin("rel_gan", "small", small, Sets((faces_folder,)), tmp_path / "begun", settings)
    folder = edit_rows(lambda rows: rows.__setitem__(slice(None), [rows[5 * k + k % 4] for k in range(5)]))
    with pytest.raises(InputError, match=r"no pairs can be made.*--start RUN --set ") as caught:
        begin("rel_gan", "small", small, Sets((folder,)), tmp_path / "run", settings)
    words = str(caught.value).partition("--start RUN ")[2].split()
    typed = small | dict(word.split("=") for word in words if word != "--set")
    assert begin("rel_gan", "small", typed, Sets((folder,)), tmp_path / "run", settings, start=tmp_path / "begun")
    before, after = (load(str(tmp_path / name)).state_dict() for name in ("begun", "run"))
    for name in before:
        if name.startswith(("expression_encoder", "recognizer")) and name.endswith("weight"):
            assert torch.equal(before[name], after[name]) == name.startswith("expression_encoder"), name
    supervised = begin("rel_gan", "small", typed | {"supervised": "true"}, Sets((folder,)), tmp_path / "cnn", settings)
    assert supervised and load(str(tmp_path / "cnn")).stages()[0].steps == TINY["rel_gan"]["recognition_steps"]


def test_where_no_setting_helps_none_is_named(edit_rows):
    def alone(rows):
        del rows[1:]

    data = training_data(Sets((edit_rows(alone),)), 32)
    for name in ("jesrl", "rel_gan"):
        with pytest.raises(InputError, match="no pairs can be made") as caught:
            sampler_of(create(name, **TINY[name]), data, 0)
        assert "--set" not in str(caught.value)
