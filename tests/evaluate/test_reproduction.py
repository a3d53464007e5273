"""The papers' experiments as data, what becomes of claims, and a runner that goes on where it was stopped."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mien.data.importers import IMPORTERS
from mien.data.manifest import read_manifest
from mien.data.sets import Sets
from mien.errors import InputError
from mien.evaluate.evaluators.networks import NetEvaluator
from mien.evaluate.reproduction import corpora, pictures, recognition
from mien.evaluate.reproduction.bench import Bench, Variant
from mien.evaluate.reproduction.codes import Codes, Retrieval
from mien.evaluate.reproduction.experiment import CORPORA, Experiment, Row
from mien.evaluate.reproduction.expr_gan import joint
from mien.evaluate.reproduction.papers import PAPERS, experiments_of
from mien.evaluate.reproduction.pictures import Ladder, Realism
from mien.evaluate.reproduction.recognition import accuracies
from mien.evaluate.reproduction.rel_gan import epochs_of
from mien.evaluate.reproduction.runner import reproduce, result_of
from mien.evaluate.reproduction.table import BEGIN, END, lines_of, placed, table_of
from mien.evaluate.reproduction.ter_gan import EXPR_GAN
from mien.metrics.bootstrap import Interval, intervals, less
from mien.models.io import save_model
from mien.models.presets import preset_config
from mien.models.registry import create, find_family, name_of
from mien.training.settings import Settings
from tests.helpers.tiny import TINY

PRINTED = {"ter_gan": (1, 5), "rel_gan": (4, 3), "expr_gan": (1, 7), "jesrl": (7, 12), "eet": (8, 7)}
"""How many tables and figures each paper has."""


@pytest.mark.parametrize("paper", PAPERS)
def test_every_table_and_figure_is_an_experiment(paper):
    for kind, count in zip(("table", "figure"), PRINTED[paper], strict=True):
        numbers = [e.number for e in PAPERS[paper] if e.kind == kind]
        assert numbers == [str(k + 1) for k in range(count)]


@pytest.mark.parametrize("paper", PAPERS)
def test_experiments_are_sound(paper):
    for e in PAPERS[paper]:
        assert (e.measure is None) == (not e.rows), e.name
        assert not e.corpus or (e.corpus in CORPORA and e.corpus in IMPORTERS)
        assert set(e.needs) <= corpora.NEEDS.keys() and (not e.alone or e.corpus)
        assert len({row.key for row in e.rows}) == len(e.rows), e.name
        assert len({row.says for row in e.rows}) == len(e.rows), e.name
        if e.rows and e.name != "text_cost":
            assert any(row.claim for row in e.rows), e.name
        for row in e.rows:
            assert row.above is None or row.below is None
            if row.claim and row.less and row.paper is not None:  # the paper's own figures bear its claim out
                assert row.verdict(Interval(row.paper, row.paper, row.paper)) == "holds", row.says


def test_ablations_are_presets():
    for paper, experiments in PAPERS.items():
        for e in experiments:
            parts = getattr(e.measure, "parts", None) or {"": e.measure}
            parts = parts if isinstance(parts, dict) else {"": e.measure}
            for variant in (v for part in parts.values() for v in getattr(part, "variants", ())):
                family = variant.family or paper
                assert not variant.ablation or variant.ablation in find_family(family).PRESETS
                config = preset_config(family, "paper")
                replace(config, **variant.changes(config))  # names of settings, and values that fit


def test_experiments_are_asked_for_as_papers_number_them():
    assert [e.name for e in experiments_of("eet", [("table", "IV"), ("figure", "3")])] == ["table_4", "figure_3"]
    assert len(experiments_of("jesrl")) == 20
    with pytest.raises(InputError, match=r"--table 9: ter_gan has no such table; it has 1"):
        experiments_of("ter_gan", [("table", "9")])
    with pytest.raises(InputError, match="no paper of that name; choose one of ter_gan"):
        experiments_of("stargan")


@pytest.mark.parametrize(
    ("ends", "above", "below"),
    [
        ((0.1, 0.05, 0.2), "holds", "does not hold"),
        ((-0.1, -0.2, -0.05), "does not hold", "holds"),
        ((0.1, -0.05, 0.2), "undecided", "undecided"),
        ((0.1, math.nan, math.nan), "holds (no interval)", "does not hold (no interval)"),
        ((0.0, 0.0, 0.0), "does not hold", "does not hold"),
    ],
)
def test_a_claim_holds_where_its_whole_interval_does(ends, above, below):
    assert Row("", "it", above=0.0).verdict(Interval(*ends)) == above
    assert Row("", "it", below=0.0).verdict(Interval(*ends)) == below
    assert Row("", "it").verdict(Interval(*ends)) == ""


def test_a_difference_of_figures_is_drawn_as_a_figure_of_differences():
    rng = np.random.default_rng(0)
    people, values = np.repeat(list("abcdefg"), 5), rng.normal(size=(2, 35))
    values += np.repeat(rng.normal(size=7), 5)  # people differ, which a difference must not feel

    def both(rows):
        one, other = values[:, rows].mean(1)
        return {"one": one, "other": other, "apart": one - other}

    found = intervals(both, people, draws=300)
    apart, wanted = less(found["one"], found["other"]), found["apart"]
    assert (apart.value, apart.low, apart.high) == pytest.approx((wanted.value, wanted.low, wanted.high))
    assert math.isnan(less(Interval(1.0, 0.0, 2.0), found["one"]).low)
    with pytest.raises(ValueError, match="different people"):
        less(found["one"], intervals(both, people[::-1], draws=300)["one"])


def test_rel_gans_epochs_on_ck_plus():
    """300 and 50 epochs of nine tenths of 981 pictures, 64 at a time; BU-4DFE's 60,600 are 69 times as many."""
    config, images = preset_config("rel_gan", "paper"), 981 * 9 // 10
    lengths = epochs_of(config, images)
    assert 2 * lengths["steps"] * config.batch_size == pytest.approx(300 * images, abs=2 * config.batch_size)
    assert config.steps / lengths["steps"] == pytest.approx(60600 / images, rel=0.01)
    assert lengths["recognition_steps"] == round(50 * images / 64)


def test_joint_training_takes_as_many_steps():
    config = preset_config("expr_gan", "paper")
    mixed = replace(config, **joint(config))
    models = [find_family("expr_gan")(replace(c, width=2, image_size=32)) for c in (config, mixed)]
    assert len({sum(stage.steps for stage in model.stages()) for model in models}) == 1
    assert [stage.name for stage in models[1].stages() if stage.steps] == ["pretrain", "refining"]


def test_accuracy_by_net_class_and_pose(faces_folder):
    m = read_manifest(faces_folder)
    rows = np.flatnonzero((m.expression == 1) | (m.expression == 5))
    yaw = np.where(np.arange(len(m)) % 2, 14.0, -16.0).astype(np.float32)
    frames = [
        pd.DataFrame({
            "seed": seed, "model": model, "subject": [m.subjects[s] for s in m.subject[rows]],
            "file_name": [m.files[k] for k in rows], "truth": m.expression[rows],
            "guess": np.where(rng.random(len(rows)) < share, m.expression[rows], 0),
        })
        for seed, rng in enumerate(map(np.random.default_rng, (1, 2)))
        for model, share in (("baseline", 0.5), ("ter_gan", 0.9))
    ]  # fmt: skip
    found, table = accuracies(pd.concat(frames), replace(m, yaw=yaw)), pd.concat(frames)
    table["right"] = table.truth == table.guess
    table["pose"] = [yaw[m.files.index(name)] > 0 for name in table.file_name]
    for model, mine in table.groupby("model"):
        assert found[f"{model}/accuracy"].value == pytest.approx(mine.right.mean())
        assert found[f"{model}/accuracy_anger"].value == pytest.approx(mine[mine.truth == 5].right.mean())
        assert found[f"{model}/accuracy_yaw_+15"].value == pytest.approx(mine[mine.pose].right.mean())
        assert found[f"{model}/accuracy_yaw_-15"].value == pytest.approx(mine[~mine.pose].right.mean())
    assert found["ter_gan/accuracy"].low <= found["ter_gan/accuracy"].value <= found["ter_gan/accuracy"].high


def evaluator():
    return NetEvaluator(create("evaluator", **TINY["evaluator"]).eval())


def bench_of(folder, out, family="ter_gan", **others):
    tiny = {name: str(value) for name, value in TINY[family].items() if name != "subjects"}
    settings = Settings(precision="32-true", accelerator="cpu")
    return Bench(family, "small", Sets((folder,)), out, evaluator(), settings, changes=tiny, **others)


class Counted:
    """A measure that says how often it was asked."""

    def __init__(self):
        self.asked = 0

    def run(self, bench):
        self.asked += 1
        return {"one": Interval(0.75, 0.5, 0.9), "other": Interval(0.5, math.nan, math.nan)}


def test_the_runner_goes_on_and_says_what_cannot_be_run(faces_folder, tmp_path, edit_rows):
    measure = Counted()
    rows = (
        Row("ours", "one", paper=0.8),
        Row("more", "one", "other", 0.1, above=0.0),
        Row("lost", "nothing", posed=True),
        Row("none", "nothing else"),
    )
    experiments = [
        Experiment("table", "1", "something", "ck+", measure, rows),
        Experiment("table", "2", "in the wild", "raf-db", measure, rows, alone=True),
        Experiment("table", "3", "gaze", "rafd", measure, rows, needs=("gaze",)),
        Experiment("figure", "1", "the architecture"),
    ]
    bench = bench_of(faces_folder, tmp_path)
    results = reproduce("ter_gan", experiments, bench, tmp_path / "out")
    assert measure.asked == 1
    assert [r.missing for r in results] == ["", "RAF-DB", "RaFD, averted gaze", ""]
    assert [row.get("verdict") for row in results[0].rows] == ["", "holds (no interval)", None, None]
    assert results[0].data == "faces" and not results[0].corpus
    kept = tmp_path / "out" / "ter_gan" / "results" / "ter_gan-table_1-faces-small.json"
    assert result_of(json.loads(kept.read_text())) == results[0]

    assert reproduce("ter_gan", experiments, bench, tmp_path / "out") == results and measure.asked == 1
    with pytest.raises(InputError, match=r"Table 1: .*seeds differ"):
        reproduce("ter_gan", experiments, replace(bench, seeds=(1,)), tmp_path / "out")

    lines = [line for e, r in zip(experiments, results, strict=True) for line in lines_of(e, [r])]
    where = ", ".join(["faces (ours)", "`small`", *(f"{k}={v}" for k, v in TINY["ter_gan"].items() if k != "subjects")])
    assert f"| ours | {where} | 80.00 % | 75.0 % [50.0, 90.0] |  |" in lines
    assert f"| *more* | {where} | +10.00 points | +25.0 points | holds (no interval) |" in lines
    assert f"| lost | {where} |  |  | not runnable without CK+ |" in lines
    assert f"| none | {where} |  |  | not measured |" in lines
    assert sum("not runnable without RAF-DB" in line for line in lines) == 1

    (faces_folder / "import.json").write_text(json.dumps({"order": {"corpus": "raf-db"}}))
    (result,) = reproduce("ter_gan", experiments[1:2], bench, tmp_path / "out")
    assert result.corpus and result.data == "RAF-DB" and measure.asked == 2
    other = replace(bench, sets=Sets((faces_folder, tmp_path)))
    assert corpora.chosen(experiments[1], other.sets) == (Sets((faces_folder,)), True)
    assert corpora.chosen(experiments[0], other.sets) == (other.sets, False)


def test_where_nobody_is_marked_test_a_tenth_of_the_people_is_tested(faces_folder, tmp_path):
    bench = bench_of(faces_folder, tmp_path)
    known, tested = bench.known(32).manifest, bench.tested(32).manifest
    assert len(tested.subjects) == 1 and not {*known.subjects} & {*tested.subjects}
    assert replace(bench, people=1).known(32).manifest.subjects == known.subjects[:1]


def test_trainings_are_done_once_and_settings_go_to_their_model(faces_folder, tmp_path):
    bench = bench_of(faces_folder, tmp_path)
    begun = bench.model()
    run = tmp_path / "runs" / "ter_gan_seed0" / "checkpoint.safetensors"
    written = run.stat().st_mtime_ns
    assert bench.model().config == begun.config and run.stat().st_mtime_ns == written
    asked = replace(bench, changes={**bench.changes, "expr_gan.width": "4"})
    other = asked.training(Variant("expr_gan", family="expr_gan"))
    assert other.changes == {"width": 4} and asked.training().changes["width"] == 3
    with pytest.raises(InputError, match="no preset"):
        asked.training(Variant("lost", "lost"))


def test_weights_stand_for_the_model_that_they_are_of(faces_folder, tmp_path):
    own, beside = tmp_path / "own.safetensors", tmp_path / "beside.safetensors"
    save_model(create("ter_gan", **TINY["ter_gan"]), own)
    save_model(create("expr_gan", **TINY["expr_gan"]), beside)
    bench = bench_of(faces_folder, tmp_path, weights=[str(own), str(beside)])
    assert bench.given() == bench.given(Variant("ter_gan")) == str(own)
    assert bench.given(EXPR_GAN) == str(beside)
    assert bench.given(Variant("same0", changes=lambda config: {"same": 0})) is None  # what differs is trained
    with pytest.raises(InputError, match="is ter_gan, as is"):
        replace(bench, weights=[str(own), str(own)]).given()
    models = pictures.models_of(bench, (pictures.OWN, EXPR_GAN))
    assert [name_of(net) for net in models.values()] == list(models) == ["ter_gan", "expr_gan"]
    assert not (tmp_path / "runs").exists()
    with pytest.raises(InputError, match=r"is expr_gan; expected weights of ter_gan$"):
        reproduce("ter_gan", experiments_of("ter_gan", [("figure", "3")]), bench, tmp_path / "out")


def test_recognisers_learn_as_long_as_the_presets_and_not_as_the_weights(faces_folder, tmp_path, monkeypatch):
    lengths = []
    monkeypatch.setattr(recognition, "by_augmentation", lambda *given: lengths.append(given[5].steps) or (None, {}))
    save_model(create("expr_gan", **TINY["expr_gan"] | {"pretrain_steps": 1}), tmp_path / "late.safetensors")
    bench = replace(bench_of(faces_folder, tmp_path, "expr_gan"), weights=[str(tmp_path / "late.safetensors")])
    recognition.Augmentation().run(replace(bench, changes={**bench.changes, "pretrain_steps": "7"}))
    assert lengths == [7]


def test_expr_gans_figures_from_end_to_end(faces_folder, tmp_path, edit_rows):
    def mark(rows):
        for row in rows:
            row["test"] = str(int(row["subject"] in ("ann", "bob", "mix", "cid")))

    edit_rows(mark)
    save_model(create("expr_gan", **TINY["expr_gan"]), tmp_path / "expr_gan.safetensors")
    bench = bench_of(faces_folder, tmp_path, "expr_gan", weights=[str(tmp_path / "expr_gan.safetensors")])
    for measure, wanted in ((Ladder(), {"weakest", "strongest", "rising", "neutral"}), (Codes(), {"identity/person"})):
        found = measure.run(bench)
        assert wanted <= found.keys() and found[min(wanted)].drawn is not None
    assert Ladder().run(bench)["rising"].value == pytest.approx(0.5, abs=0.5)
    assert {"c/precision@1", "y/precision@1", "x/precision@1"} <= Retrieval().run(bench).keys()
    near = Realism().run(bench)
    assert near["expr_gan/frechet_mean"].value > 0 and math.isnan(near["expr_gan/frechet_mean"].low)


def test_the_order_of_elements_is_that_of_other_people():
    levels = np.array([[0.1] * 4, [0.5] * 4, [0.9] * 4])  # (elements, people)
    half = np.array([0, 1, 0, 1])
    assert np.array_equal(pictures._ladder(levels[[1, 0, 2]], half), levels)
    levels[:, half == 0] = levels[::-1, half == 0]
    assert (np.diff(pictures._ladder(levels, half), axis=0) < 0).all()  # an order that others do not show is no ladder


def test_a_table_has_its_place_in_a_page():
    page = f"by hand\n{BEGIN}\nold\n{END}\nstays\n"
    assert placed(page, "new\n") == f"by hand\n{BEGIN}\nnew\n{END}\nstays\n"
    for broken in (page.replace(END, ""), page + BEGIN, f"{END}{BEGIN}"):
        with pytest.raises(InputError, match="expected the lines"):
            placed(broken, "new")
    assert table_of("eet", []).count("not run yet") == sum(e.measure is not None for e in PAPERS["eet"])
