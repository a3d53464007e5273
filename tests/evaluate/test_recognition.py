"""Recognition in the papers' regime: few people, animations unseen, equal starts, seeds, and what leaks."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mien.data.dataset import open_data
from mien.data.folds import GIVEN, make_folds, some_people, splits, write_folds
from mien.data.variants import halved
from mien.errors import InputError
from mien.evaluate.predictions import protocol_rows
from mien.evaluate.probes import probe_hits
from mien.evaluate.protocols import recognition
from mien.evaluate.protocols.recognition import by_folds, cut_to, left_out, nets_of, recipe_of
from mien.evaluate.protocols.recognition_record import recognition_figures_of
from mien.labels import BASIC, CLASSES
from mien.models.io import load
from mien.training.pace import lengths, seconds, shortened
from mien.training.settings import Settings
from mien.training.start import Training, train_to_end
from tests.cli.test_cli import run

PEOPLE, WORDS = 8, ("neutral", "happiness", "anger")
FEW = {"image_size": 32, "width": 2, "discriminator_width": 2, "batch_size": 8, "pretrain_steps": 3, "steps": 4,
       "recognition_steps": 3}  # fmt: skip
SHORT = Training("ter_gan", changes=FEW, settings=Settings(precision="32-true", accelerator="cpu"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """8 people and a morph of two; each expression in four variants at two strengths; two folds."""
    folder, rng = tmp_path_factory.mktemp("faces"), np.random.default_rng(0)
    rows = ["file_name,subject,expression,intensity,expr_id,parents,fold,gender,test"]
    for person in (*range(PEOPLE), "m"):
        name, morph = f"p{person}", person == "m"
        colour = rng.integers(60, 190, 3)
        for k, word in enumerate(WORDS):
            for variant in range(4 if k else 1):
                for strength in (0.25, 1.0) if k else (0.0,):
                    image = np.tile(colour, (32, 32, 1))
                    image[16:, :, k] = 30 + 40 * k + 8 * variant * strength
                    file = f"{name}_{word}{variant}_{strength:g}.png"
                    Image.fromarray(image.astype(np.uint8)).save(folder / file)
                    shown = f"{word}_v{variant}" if k else "neutral"
                    whose = f"{'p0+p2' if morph else ''},{0 if morph else person % 2},{'fm'[not morph and person > 3]}"
                    rows.append(f"{file},{name},{word},{strength},{shown},{whose},{int(person == 7)}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def data(folder):
    return open_data(folder, 32)


def names(manifest, rows):
    return {manifest.subjects[s] for s in manifest.subject[rows]}


def test_neutral_counts_at_any_intensity(data):
    m = data.manifest
    shown = protocol_rows(data, WORDS, 0.5)
    calm = m.expression == CLASSES.index("neutral")
    np.testing.assert_array_equal(shown, calm | (m.intensity == 1))
    assert calm.sum() == PEOPLE + 1 and not protocol_rows(data, BASIC, 0.5)[calm].any()


def test_variants_are_halved_class_by_class(data):
    m = data.manifest
    halves = halved(m, 0)
    for word in WORDS[1:]:
        for side in (halves.train, halves.test):
            assert sum(name.startswith(word) for name in side) == 2
    assert not set(halves.train) & set(halves.test)
    calm = m.expression == 0
    np.testing.assert_array_equal(halves.train_rows & halves.test_rows, calm)  # who shows nothing is on both sides
    assert (halves.train_rows | halves.test_rows).all()
    assert {halved(m, seed).train for seed in range(20)} != {halves.train}  # dealt by the seed
    unknown = np.where(np.arange(len(m)) == np.flatnonzero(~calm)[0], "", m.expr_id)
    told = halved(replace(m, expr_id=unknown), 0)
    assert not (told.train_rows | told.test_rows)[unknown == ""].any()
    with pytest.raises(InputError, match=r"gives anger 1 variant; --split variants needs two"):
        halved(replace(m, expr_id=np.where(m.expression == CLASSES.index("anger"), "anger", m.expr_id)), 0)
    with pytest.raises(InputError, match="no variants"):
        halved(replace(m, expr_id=np.full(len(m), "")), 0)


def test_nobody_is_tested_in_a_person_or_an_animation_that_was_trained_on(data, tmp_path):
    m = data.manifest
    for fold in splits(data, 4, 0, tmp_path, halved(m, 0)):
        assert not names(m, fold.train) & names(m, fold.test) and "pm" not in names(m, fold.test)
        moved = m.expression > 0
        assert not set(m.expr_id[fold.train & moved]) & set(m.expr_id[fold.test & moved])
        assert ("pm" in names(m, fold.train)) == (not {"p0", "p2"} & names(m, fold.test))


def test_folds_are_given_read_and_kept(data, tmp_path):
    m = data.manifest
    for fold in splits(data, GIVEN, 0, tmp_path / "given"):
        assert names(m, fold.test) == {f"p{k}" for k in range(int(fold.name), PEOPLE, 2)}
    write_folds(make_folds(m, 3, 5), tmp_path / "mine.json")
    read = splits(data, tmp_path / "mine.json", 0, tmp_path / "read")
    for one, other in zip(read, splits(data, 3, 5, tmp_path / "dealt"), strict=True):
        np.testing.assert_array_equal(one.test, other.test)
    before = (tmp_path / "dealt" / "folds.json").read_text()
    with pytest.raises(InputError, match="deals people into 3 other folds"):
        splits(data, 4, 5, tmp_path / "dealt")
    assert (tmp_path / "dealt" / "folds.json").read_text() == before


def test_at_most_so_many_people_who_are_like_all(data):
    m = data.manifest
    some = names(m, some_people(m, 4, 3))
    assert len(some) == 4 and "pm" not in some
    assert sum(name < "p4" for name in some) == 2  # both genders alike
    assert names(m, some_people(m, 99, 3)) == set(m.subjects) - {"pm"}
    with pytest.raises(InputError, match="1 people were asked for"):
        some_people(m, 1, 0)


def test_who_is_left_out_is_no_relative_and_shows_what_may_be_trained_on(data):
    m = data.manifest
    chosen = np.isin(m.subject, [m.subjects.index(name) for name in ("p0", "p1", "p3")])
    variants = halved(m.select(chosen), 0)
    known = left_out(data, chosen, variants).manifest
    assert set(known.subjects) == {"p2", "p4", "p5", "p6"}  # pm is p0's, p7 is marked test
    assert set(known.expr_id) == {*variants.train, "neutral"}
    with pytest.raises(InputError, match="nobody is left"):
        left_out(data, np.ones(len(data), bool), None)


def test_all_nets_begin_with_the_same_encoder(data, tmp_path):
    train_to_end(SHORT, data, tmp_path / "run")
    started, before = replace(SHORT, start=tmp_path / "run"), load(str(tmp_path / "run"))
    assert nets_of(started) == ["baseline", "stage_1", "ter_gan"]
    for net in nets_of(started):
        begun = recipe_of(net, started).model(people=3).expression_encoder.state_dict()
        for name, value in before.expression_encoder.state_dict().items():
            assert torch.equal(begun[name], value), (net, name)


def test_stage_1_stands_beside_where_something_was_learnt_in_it():
    rel = Training("rel_gan")
    assert nets_of(rel) == ["baseline", "rel_gan"]  # its encoder before the game would be as it was drawn
    assert nets_of(replace(rel, changes={"pretrain_steps": 5})) == ["baseline", "stage_1", "rel_gan"]
    assert nets_of(replace(rel, start="a run")) == ["baseline", "stage_1", "rel_gan"]
    assert nets_of(Training("jesrl")) == ["baseline", "jesrl"]
    with torch.device("meta"):
        alone = recipe_of("stage_1", SHORT).model(3)
    assert [(s.name, s.steps) for s in alone.stages()] == [("pretrain", 3), ("adversarial", 0), ("recognition", 3)]


def test_a_model_that_is_its_own_baseline_is_refused(data, tmp_path):
    with pytest.raises(InputError, match=r"expr_gan names expressions with the plain net.*ter_gan, rel_gan, jesrl"):
        by_folds(data, tmp_path, Training("expr_gan", settings=SHORT.settings))
    assert not list(tmp_path.iterdir())


def test_probes_name_what_scikit_learn_names():
    """Person read from f(e) as `evaluate disentanglement` reads it: in expressions that the probe was not fitted on."""
    rng = np.random.default_rng(1)
    m = pd.DataFrame({"subject": np.repeat(range(6), 8), "expression": np.tile(range(8), 6)})
    code = rng.normal(size=(48, 3)) + 2 * rng.normal(size=(6, 3))[m.subject] + rng.normal(size=(8, 3))[m.expression]
    found = probe_hits(code, m)
    for what, group in (("person", "expression"), ("expression", "subject")):
        label = m.subject if what == "person" else m.expression
        net = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        said = cross_val_predict(net, code, label, groups=m[group], cv=GroupKFold(5))
        np.testing.assert_array_equal(found[what][0], said == label)


def test_one_who_shows_one_thing_is_no_obstacle():
    m = pd.DataFrame({"subject": [0, 0, 1, 1], "expression": [1, 1, 2, 2]})
    (right, _), _ = probe_hits(np.eye(4), m).values()
    assert not right.any()


def found_frames(seeds=(0, 1), right=(0.4, 0.8)):
    """Predictions and probes of three nets on 40 pictures of 8 people in two folds."""
    rng, guesses, probes = np.random.default_rng(2), [], []
    for seed in seeds:
        for net, share in zip(("baseline", "stage_1", "ter_gan"), (right[0], right[0], right[1]), strict=True):
            for k in range(40):
                who = {"seed": seed, "fold": str(k % 2), "model": net, "subject": f"s{k % 8}", "file_name": f"{k:02d}"}
                hit = rng.random() < share
                guesses.append(who | {"truth": 1 + k % 2, "guess": 1 + (k + (not hit)) % 2})
                weights = {"expression_weight": 1 / 20, "person_weight": (1 + k % 4) / 50}
                probes.append(who | {"label": 1 + k % 2, "expression": hit, "person": not hit} | weights)
    return pd.DataFrame(guesses), pd.DataFrame(probes)


def test_leaks_and_leads_are_those_of_all_seeds():
    found, probes = found_frames()
    figures = recognition_figures_of(found, CLASSES[1:3], 300, probes)
    for net in ("baseline", "stage_1", "ter_gan"):
        mine, one = probes[probes.model == net], figures["models"][net]
        assert one["leak"].value == pytest.approx(np.average(mine.person, weights=mine.person_weight))
        assert one["probe"].value == pytest.approx(np.average(mine.expression, weights=mine.expression_weight))
        assert one["leak"].low < one["leak"].value < one["leak"].high
    for key, other in (("difference", "baseline"), ("difference_stage_1", "stage_1")):
        lead, models = figures[key], figures["models"]
        assert lead["of"] == ["ter_gan", other]
        for name in ("accuracy", "leak"):
            assert lead[name].value == pytest.approx(models["ter_gan"][name].value - models[other][name].value)
    assert figures["chance"] == {"expression": pytest.approx(1.0), "person": pytest.approx(0.25)}


def test_intervals_are_over_people_and_seeds():
    """Everybody is alike, one seed is all right and one all wrong: what is not known is the seed."""
    found, _ = found_frames(right=(1.0, 1.0))
    found.loc[found.seed == 1, "guess"] = 3 - found.truth
    accuracy = recognition_figures_of(found, CLASSES[1:3], 400)["models"]["ter_gan"]["accuracy"]
    assert (accuracy.value, accuracy.low, accuracy.high) == (0.5, 0.0, 1.0)


def test_lengths_are_cut_by_one_factor_that_is_kept(data, tmp_path, monkeypatch):
    assert lengths(SHORT) == {"pretrain_steps": 3, "steps": 4, "recognition_steps": 3}
    assert lengths(shortened(SHORT, 0.5)) == {"pretrain_steps": 2, "steps": 2, "recognition_steps": 2}
    assert lengths(recipe_of("stage_1", SHORT)) == {"pretrain_steps": 3, "recognition_steps": 3}
    assert seconds(SHORT, data) > 0
    monkeypatch.setattr(recognition, "seconds", lambda recipe, some: 40.0)
    assert cut_to(1, SHORT, data, tmp_path) == 0.5  # of three nets that take 40 seconds each
    monkeypatch.setattr(recognition, "seconds", lambda recipe, some: 4000.0)
    assert cut_to(1, SHORT, data, tmp_path) == 0.5
    assert cut_to(999, SHORT, data, tmp_path / "ample") == 1
    with pytest.raises(InputError, match="--minutes 0"):
        cut_to(0, SHORT, data, tmp_path / "none")


def test_the_papers_regime_in_a_users_words(folder, tmp_path, capsys):
    out, words = tmp_path / "out", [word for name in WORDS for word in ("--class", name)]
    asked = ["evaluate", "recognition", "--data", folder, "-o", out, "--people", 6, "--split", "variants"]
    asked += ["--folds", 2, "--start", "others", "--seeds", 1, "--minutes", 99, "--precision", "32-true", *words]
    asked += [word for name, value in FEW.items() for word in ("--set", f"{name}={value}")]
    code, told, err = run(capsys, *asked)
    assert code == 0, err
    assert "every stage has 1 of its steps" in told and "ter_gan less stage_1" in told and "leak" in told
    found, record = pd.read_csv(out / "predictions.csv"), json.loads((out / "recognition.json").read_text())
    assert set(found.model) == {"baseline", "stage_1", "ter_gan"} and found.subject.nunique() == 6
    seen = {file.split("_")[1] for file in found.file_name if "neutral" not in file}
    assert seen == {name.replace("_v", "") for name in record["split"]["variants"]["test"]}
    assert len(record["start"]["sha256"]) == 64 and record["start"]["trained_on_others"] and record["people"] == 6
    assert record["steps"] | {"rule": ""} == {
        "baseline": 7, "stage_1": 6, "ter_gan": 10, "rule": "", "minutes_a_fold": 99, "of_the_asked": 1.0,
    }  # fmt: skip
    assert set(record["models"]["baseline"]) >= {"accuracy", "macro_f1", "probe", "leak"}
    kept = {path: path.stat().st_mtime_ns for path in (out / "seed0").rglob("*")}
    assert run(capsys, *asked)[0] == 0
    assert {path: path.stat().st_mtime_ns for path in (out / "seed0").rglob("*")} == kept
    assert json.loads((out / "recognition.json").read_text()) == record


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--split", "animations"], "--split animations: expected people or variants"),
        (["--folds", "some"], "--folds some: expected a number, given"),
        (["--seeds", 2, "--seed", 1], "--seeds 2: expected 1 or more, and no --seed"),
        (["--start", "nobody"], "no weights named 'nobody'"),
        (["--people", 1], "1 people were asked for"),
    ],
)
def test_what_cannot_be_is_one_line(words, says, folder, tmp_path, capsys):
    size = ["--set", "image_size=32"]
    code, _, err = run(capsys, "evaluate", "recognition", "--data", folder, "-o", tmp_path / "out", *size, *words)
    assert code == 2 and err.startswith("mien: ") and says in " ".join(err.split())
