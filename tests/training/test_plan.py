"""What a training says before it begins, what it keeps of where it is from, and whom it keeps out."""

import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest

from mien.data.relatives import relatives_of
from mien.data.sets import Sets, training_data
from mien.errors import InputError
from mien.models.build import outline
from mien.models.described import described, presets
from mien.models.presets import preset_config, settings_in, settings_of
from mien.models.registry import FAMILIES, create
from mien.training.settings import Settings
from mien.training.start import begin, stretched
from mien.training.validation import split
from tests.training.test_start import SMALL

EXACT = Settings(precision="32-true", accelerator="cpu", log_every=1, sheet_every=2)


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "landmarks"])
def test_steps_are_those_of_the_whole_recipe(name):
    found = stretched(name, "small", {}, 400)
    built = create(name, "small", **found)
    assert sum(stage.steps for stage in built.stages()) == 400
    before = {stage.name: stage.steps for stage in create(name, "small").stages() if stage.steps}
    share = 400 / sum(before.values())
    for stage in built.stages():
        if stage.steps:
            assert abs(stage.steps - before[stage.name] * share) <= 2, stage.name
    with pytest.raises(InputError, match="--steps 0"):
        stretched(name, "small", {}, 0)


def test_settings_are_told_with_their_comments():
    told = {s.name: s for s in settings_of("ter_gan")}
    assert "subjects" not in told and told["batch_size"].meaning.startswith("paper")
    assert told["lr"].allowed.startswith("a number from 0")
    for name, preset in presets():
        values = asdict(preset_config(name, preset))
        assert {s.name: s.value for s in settings_of(name, preset)} == {
            k: v for k, v in values.items() if k != "subjects"
        }


def test_a_preset_is_told_with_its_size():
    told = described("ter_gan", "small")
    built = outline({"family": "ter_gan", "config": asdict(preset_config("ter_gan", "small"))}, None)
    assert told.steps == sum(s.steps for s in built.stages()) and told.pixels == 64
    assert told.millions == round(sum(p.numel() for p in built.parameters()) / 1e6, 2)


def test_a_run_says_where_it_is_from_and_refuses_other_data(faces_folder, tmp_path):
    planned, run = [], tmp_path / "run"
    first = [SMALL, Sets((faces_folder,)), run, EXACT]
    assert begin("ter_gan", "small", *first, announce=planned.extend)
    assert [p.stage for p in planned] == ["pretrain", "adversarial", "recognition"]
    assert all(p.seconds > 0 and p.turns for p in planned)
    note = json.loads((run / "run.json").read_text())
    assert note["data"] == [str(faces_folder)] and note["preset"] == "small" and "mien" in note["versions"]
    assert note["pictures"] == len(training_data(Sets((faces_folder,)), 32)) and note["command"].startswith("mien")
    planned.clear()
    assert begin("ter_gan", "small", *first, announce=planned.extend) and not planned  # finished: nothing to plan
    fewer = shutil.copytree(faces_folder, tmp_path / "fewer")
    rows = (fewer / "metadata.csv").read_text().splitlines()
    (fewer / "metadata.csv").write_text("\n".join(rows[:-1]) + "\n")
    with pytest.raises(InputError, match=r"was begun on \d+ pictures of .*; give the same --data") as error:
        begin("ter_gan", "small", SMALL, Sets((fewer,)), run, EXACT)
    assert "\n" not in str(error.value)


def test_a_plan_changes_nothing(faces_folder, tmp_path):
    for name, announce in (("planned", lambda _: None), ("straight", None)):
        begin("ter_gan", "small", SMALL, Sets((faces_folder,)), tmp_path / name, EXACT, announce=announce)
    one, other = ((tmp_path / name / "checkpoint.safetensors").read_bytes() for name in ("planned", "straight"))
    assert one == other


def test_people_kept_out_are_strangers_to_those_who_stay(faces_folder, tmp_path):
    data = training_data(Sets((faces_folder,)), 32, all_people=True)
    kept, out = split(data, 0.4)
    names = set(kept.manifest.subjects), set(out.manifest.subjects)
    assert not names[0] & names[1] and names[0] | names[1] <= set(data.manifest.subjects)
    relatives = relatives_of(data.manifest)
    number = {name: k for k, name in enumerate(data.manifest.subjects)}
    for name in names[1]:
        others = np.array([number[other] for other in names[0]])
        assert not relatives.related(np.asarray(number[name]), others).any()
    again = split(data.select(np.isin(data.manifest.subject, [number[n] for n in sorted(number)[1:]])), 0.4)[1]
    assert set(again.manifest.subjects) <= names[1]  # who is kept out hangs on the name alone
    with pytest.raises(InputError, match="--validation 0: keeps 0"):
        split(data, 0.0)


def test_validation_is_watched_and_not_learnt_from(faces_folder, tmp_path):
    seen = {}
    sets = Sets((faces_folder,))
    assert begin(
        "ter_gan", "small", SMALL, sets, tmp_path / "run", EXACT, all_people=True, validation=0.4,
        follow=lambda losses, step: seen.update({step: losses}),
    )  # fmt: skip
    watched = {name for losses in seen.values() for name in losses if name.startswith("validation/")}
    assert watched and all(np.isfinite(v) for losses in seen.values() for v in losses.values())
    learnt = {name for losses in seen.values() for name in losses} - watched
    assert {name.removeprefix("validation/") for name in watched} <= learnt


def test_settings_of_another_run_are_taken(faces_folder, tmp_path):
    begin("ter_gan", "small", SMALL | {"lr": "1e-4"}, Sets((faces_folder,)), tmp_path / "run", EXACT)
    found = settings_in(tmp_path / "run" / "run.json", "ter_gan")
    assert float(found["lr"]) == 1e-4 and found["supervised"] == "false" and "subjects" not in found
    with pytest.raises(InputError, match="holds settings of ter_gan, not of eet"):
        settings_in(tmp_path / "run" / "run.json", "eet")
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(InputError, match=r"other\.json"):
        settings_in(tmp_path / "other.json", "eet")
