"""Reading is measured against labels: figures against scikit-learn, pingouin and the definitions; folds; curves."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pingouin
import pytest
import torch
from PIL import Image
from scipy.special import softmax
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score

from mien.data.dataset import open_data
from mien.data.folds import GIVEN
from mien.data.sets import Sets
from mien.errors import InputError
from mien.evaluate import record
from mien.evaluate.evaluators.base import NeedsToolRun, Reading
from mien.evaluate.evaluators.networks import NetEvaluator
from mien.evaluate.protocols.reading import by_reading
from mien.evaluate.reading import degradations
from mien.evaluate.reading.contradictions import contradicted
from mien.evaluate.reading.figures import Pictures, all_figures, shows_class, tempered_across, unit_statistics
from mien.evaluate.reading.folds import folds_of, unseen_rows
from mien.evaluate.reading.groups import kinds_of, people_alike
from mien.evaluate.reading.robustness import CURVES, chosen_rows
from mien.evaluate.reading.seen import Asked, Share, read_all, some_of
from mien.labels import AUS, CLASSES, DISFA_AUS, MAIN_UNITS, PROTOTYPES, au_columns
from mien.metrics.bootstrap import intervals
from mien.models.io import save_model
from mien.models.registry import create
from mien.runtime.pytorch import PytorchEngine
from tests.cli.test_cli import run
from tests.helpers.tiny import TINY

SIZE, PEOPLE = 32, 8
EYES, SMILE = AUS.index(43), AUS.index(12)
WORDS = ("neutral", "happiness", "sadness", "anger")


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """Intervals of few draws: how they are drawn is tested elsewhere."""
    monkeypatch.setattr(
        record, "intervals", lambda s, of, draws, runs: intervals(s, of, draws=min(draws, 10), runs=runs)
    )


def colour(row):
    """A picture's colour says which row it is, through blur, JPEG and what else leaves colours."""
    return np.array([20 + 24 * (row % 9), 20 + 24 * (row // 9), 128], np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """8 people; each in a photograph that is neutral and rendered in words, a wink and a turn; 2 are marked test."""
    folder, rng = tmp_path_factory.mktemp("read"), np.random.default_rng(0)
    rows = []
    for person in range(PEOPLE):
        looks = [("neutral", "real"), ("happiness", "real"), *((w, "rendered") for w in WORDS), ("other", "rendered")]
        for k, (word, kind) in enumerate(looks):
            strength = 0 if word == "neutral" else 0.4 if person == 0 else 1
            units = {au: v * rng.uniform(0.6, 1) for au, v in PROTOTYPES.get(word, {}).items()}
            unknown = kind == "real" and word != "neutral"
            both = {f"{c}": "" if unknown else units.get(au, 0) for au, c in zip(AUS, au_columns("L"), strict=True)}
            both |= {f"{c}": "" if unknown else units.get(au, 0) for au, c in zip(AUS, au_columns("R"), strict=True)}
            if word == "other":
                both["AU43_L"], both["AU43_R"] = (5, 0.5) if person % 2 else (0, 4)
            rows.append(
                {"file_name": f"{person}_{k}.png", "subject": f"p{person}", "kind": kind, "expression": word}
                | {"intensity": "" if kind == "real" or word == "other" else strength}
                | {"yaw": "" if kind == "real" else 2 * person, "pitch": "" if kind == "real" else 1}
                | {"gaze_x": "" if kind == "real" else person - 3, "gaze_y": "" if kind == "real" else 2}
                | {"fold": person % 4, "test": int(person >= 6), "gender": "fm"[person % 2], "age": 20 + 5 * person}
                | {"ethnicity": "one", **both}
            )  # fmt: skip
            Image.fromarray(np.tile(colour(len(rows) - 1), (SIZE, SIZE, 1))).save(folder / rows[-1]["file_name"])
    pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def data(folder):
    return open_data(folder, SIZE)


@pytest.fixture(scope="module")
def said(data):
    """What the reader says of every row: the truth, blurred by a little chance."""
    m, rng = data.manifest, np.random.default_rng(1)
    logits = rng.normal(size=(len(m), 8)) + 2.5 * np.eye(8)[np.minimum(m.expression, 7)]
    probabilities = softmax(5 * logits, axis=1)  # too sure
    left, right = (np.clip(np.nan_to_num(s) + rng.normal(0, 0.6, s.shape), 0, 5) for s in (m.left, m.right))
    return Reading(
        aus=np.maximum(left, right), left=left, right=right, classes=probabilities.argmax(1),
        probabilities=probabilities, head=rng.normal(0, 3, (len(m), 2)), gaze=rng.normal(0, 3, (len(m), 2)),
    )  # fmt: skip


@dataclass
class Teller:
    """Says of a picture, known by its colour, what it was told to; -1 and NaN of one it does not know."""

    reading: Reading
    name: str = "teller"
    size: int = SIZE
    measures: tuple[str, ...] = ("aus", "classes", "probabilities", "left", "right", "head", "gaze")
    seen: list[int] = field(default_factory=list)

    def mark(self):
        return "of ink"

    def read(self, pictures):
        known = np.array([colour(row) for row in range(len(self.reading.classes))], float)
        shown = pictures[:, SIZE // 2 - 2 : SIZE // 2 + 2, SIZE // 2 - 2 : SIZE // 2 + 2].reshape(len(pictures), -1, 3)
        far = np.abs(np.median(shown, 1)[:, None] - known).max(2)
        rows = far.argmin(1)
        self.seen += rows.tolist()
        return some_of(self.reading, rows)


@pytest.fixture
def pictures(data, said):
    return Pictures(data.manifest, said)


def test_classes_are_scikit_learns(data, said, pictures):
    m = data.manifest
    shown = (m.expression < 8) & ~(m.intensity < 0.5) | (m.expression == 0)
    assert (m.intensity[m.expression > 0] < 0.5).sum() > 0 and (pictures.named == shown).all()
    found = all_figures(pictures, draws=20)
    truth, guess = m.expression[shown], said.classes[shown]
    assert found["accuracy"].value == pytest.approx(accuracy_score(truth, guess))
    theirs = recall_score(truth, guess, labels=np.unique(truth), average="macro")
    assert found["balanced"].value == pytest.approx(theirs)
    for name, word in (("neutral_named", "neutral"), ("smiles_named", "happiness")):
        theirs = (m.expression == CLASSES.index(word)) & ~(m.intensity < 0.5) | (m.expression == 0) & (
            word == "neutral"
        )
        assert found[name].value == pytest.approx((said.classes[theirs] == CLASSES.index(word)).mean())
        au12 = {"neutral_named": "au12_neutral", "smiles_named": "au12_smiles"}[name]
        assert found[au12].value == pytest.approx(said.aus[theirs, SMILE].mean())
        assert found[name].low <= found[name].value <= found[name].high


def test_balanced_accuracy_counts_faces_that_were_not_found(data, said):
    lost = Reading(classes=np.where(np.arange(len(said.classes)) % 3, said.classes, -1))
    pictures = Pictures(data.manifest, lost)
    truth, guess = data.manifest.expression[pictures.named], lost.classes[pictures.named]
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        theirs = balanced_accuracy_score(truth, guess)
    assert all_figures(pictures, draws=5)["balanced"].value == pytest.approx(theirs)


def test_units_are_pingouins(data, said, pictures):
    m, found = data.manifest, all_figures(pictures, draws=5)
    known = ~np.isnan(m.aus).any(1)
    long = [
        (k, rater, v) for rater, of in (("label", m.aus), ("read", said.aus)) for k, v in enumerate(of[known, SMILE])
    ]
    table = pingouin.intraclass_corr(pd.DataFrame(long, columns=["n", "rater", "v"]), "n", "rater", "v")
    theirs = table.set_index("Type").ICC
    assert found["icc_AU12"].value == pytest.approx(theirs.get("ICC3", theirs.get("ICC(C,1)")), abs=1e-6)
    shown = [f"icc_AU{au:02d}" for au in DISFA_AUS if f"icc_AU{au:02d}" in found]
    assert found["icc"].value == pytest.approx(np.mean([found[name].value for name in shown])) and len(shown) >= 8
    assert "icc_AU24" not in found  # nobody shows it
    assert unit_statistics(Pictures(m, Reading(classes=said.classes)))(np.arange(len(m))) == {}


def test_eyes_gaze_and_head_are_what_the_labels_say(data, said, pictures):
    m, found = data.manifest, all_figures(pictures, draws=5)
    true, read = (np.stack([x.left[:, EYES], x.right[:, EYES]], 1) for x in (m, said))
    assert found["shut_read"].value == pytest.approx((read[true >= 3] >= 2.5).mean())
    assert found["open_read"].value == pytest.approx((read[true == 0] < 0.5).mean())
    winks = np.abs(true[:, 0] - true[:, 1]) >= 3
    told = (read[:, 0] > read[:, 1]) == (true[:, 0] > true[:, 1])
    assert found["winks"].value == pytest.approx(told[winks].mean()) and winks.sum() == PEOPLE
    rendered = m.kind == "rendered"
    assert found["yaw_mae"].value == pytest.approx(np.abs(said.head[rendered, 0] - m.yaw[rendered]).mean(), rel=1e-5)
    looking = rendered & ~(true >= 3).any(1)
    off = np.abs(said.gaze - np.stack([m.gaze_x, m.gaze_y], 1))[looking]
    assert found["gaze_mae"].value == pytest.approx(off.mean(), rel=1e-5)


def test_contradictions():
    words = [(word, 0.6, {unit: 0.0}) for word, main in MAIN_UNITS.items() for unit in main[:1]]
    words += [
        ("happiness", 0.4, {12: 0.0}),
        ("sadness", 0.9, {1: 3.0}),
        ("neutral", 0.7, {25: 2.0}),
        ("neutral", 0.7, {25: 1.9}),
    ]
    words += [("neutral", 0.7, {25: np.nan}), ("fear", 0.9, {5: np.nan, 20: 0.0})]
    aus, probabilities = np.zeros((len(words), len(AUS))), np.zeros((len(words), 8))
    for k, (word, sure, units) in enumerate(words):
        probabilities[k, CLASSES.index(word)] = sure
        for unit, value in units.items():
            aus[k, AUS.index(unit)] = value
    reading = Reading(aus=aus, classes=probabilities.argmax(1), probabilities=probabilities)
    against, judged = contradicted(reading)
    assert against.tolist() == [True] * 7 + [False, False, True, False, False, False]
    assert judged.tolist() == [True] * 12 + [False]
    assert contradicted(Reading(aus=aus, classes=reading.classes))[0].sum() == 9  # without probabilities all are sure


def test_temperatures_come_from_other_people(data, said, pictures):
    m, softened = data.manifest, tempered_across(pictures)
    own = pictures.people == "p3"
    others = replace(m, expression=np.where(own & (m.expression < 8), 7 - m.expression, m.expression))
    again = tempered_across(Pictures(others, said))
    np.testing.assert_array_equal(softened[own], again[own])  # their own labels count for nothing
    assert not np.allclose(softened, again)
    found = all_figures(pictures, draws=5)
    assert found["nll_tempered"].value < found["nll"].value and 0 <= found["ece_tempered"].value < 0.5


def test_people_alike_and_kinds(data):
    m = data.manifest
    groups = dict(people_alike(m))
    assert set(groups) == {"gender f", "gender m", "age under 25", "age 25 to 34", "age 35 to 49", "age 50 and over"}
    assert groups["age 25 to 34"].sum() == 7 * 2 and sum(g.sum() for g in groups.values()) == 2 * len(m)
    assert list(kinds_of(m)) == ["photographs", "rendered"]


def test_who_is_read_by_whom(data, folder, tmp_path):
    m, sets = data.manifest, Sets((folder,))
    np.testing.assert_array_equal(unseen_rows(sets, data), m.test)
    dealt = folds_of(data, GIVEN, tmp_path, parts=2)
    assert [fold.name for fold in dealt] == ["0", "1"]
    for fold in dealt:
        assert set(m.fold[fold.test] % 2) == {int(fold.name)} and not m.test[fold.train].any()
        assert not set(m.subject[fold.train]) & set(m.subject[fold.test])
    with pytest.raises(InputError, match="deals people into 2 other folds"):
        folds_of(data, GIVEN, tmp_path, parts=4)
    posed = open_data(make_posed(tmp_path / "posed"), SIZE)
    assert unseen_rows(Sets((tmp_path / "posed",)), posed).all()  # nobody there is marked


def make_posed(folder):
    """A corpus of others: expression labels alone."""
    folder.mkdir()
    lines = ["file_name,subject,expression"]
    for k, word in enumerate(WORDS * 3):
        Image.fromarray(np.tile(colour(k), (SIZE, SIZE, 1))).save(folder / f"{k}.png")
        lines.append(f"{k}.png,q{k // 4},{word}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_reader_is_measured_and_what_it_read_is_kept(data, said, tmp_path):
    m, reader = data.manifest, Teller(said)
    rows = np.flatnonzero(m.kind == "rendered")
    shares = [Share(rows[: len(rows) // 2], reader, "0"), Share(rows[len(rows) // 2 :], reader, "1")]
    found = by_reading("teller", data, shares, tmp_path, limit=10, draws=20)
    assert len(reader.seen) == len(rows) + 10 * sum(len(curve.levels) - 1 for curve in CURVES)
    expected = all_figures(Pictures(m.select(rows), some_of(said, rows)), draws=20)
    whole = found.figures["teller", "rendered"]
    assert {k: v.value for k, v in whole.items()} == pytest.approx(
        {k: v.value for k, v in expected.items()}, abs=1e-4, nan_ok=True
    )
    curve = found.robustness[(found.robustness.figure == "accuracy") & (found.robustness.pictures == "rendered")]
    lost = curve.set_index(["curve", "level"]).lost
    assert lost["blur", 3] == 0 and lost["roll", 10] == 0 and lost["crop", 1] == 0  # colours stay
    assert lost["grey", 1] != 0 and set(curve.curve) == {*(c.name for c in CURVES), "yaw"}
    told = json.loads((tmp_path / "reading.json").read_text())
    assert [r["fold"] for r in told["readers"]] == ["0", "1"] and told["protocol"] == "reading"
    (all_of_them,) = (r for r in told["results"] if r["answer"] == "rendered")
    assert all_of_them["pictures"] == len(rows) and np.sum(all_of_them["confusion"]["counts"]) <= len(rows)
    table = pd.read_csv(tmp_path / "readings.csv")
    assert table.file_name.tolist() == [m.files[row] for row in rows] and set(table.fold) == {0, 1}
    for name in ("confusion.png", "reliability.png", "robustness.png"):
        assert Image.open(tmp_path / name).size[0] > 100
    reader.seen.clear()
    again = by_reading("teller", data, shares, tmp_path, limit=10, draws=20)
    assert not reader.seen and again.figures.keys() == found.figures.keys()
    with pytest.raises(InputError, match=r"was made with other data or settings \(pictures"):
        by_reading("teller", data, [Share(rows[3:], reader, "0")], tmp_path, limit=10, draws=5)


def test_a_reader_of_classes_alone_is_measured_too(tmp_path, said):
    posed = open_data(make_posed(tmp_path / "posed"), SIZE)
    few = Teller(Reading(classes=np.array([CLASSES.index(word) for word in WORDS * 3])), measures=("classes",))
    found = by_reading("few", posed, [Share(np.arange(12), few)], tmp_path / "out", limit=0, draws=5)
    (figures,) = found.figures.values()
    assert figures.keys() == {"accuracy", "balanced", "neutral_named", "smiles_named"}
    assert all(figure.value == 1 for figure in figures.values()) and not len(found.robustness)
    assert not (tmp_path / "out" / "reliability.png").exists()


def test_an_outside_tool_is_handed_everything_at_once(data, tmp_path):
    class Tool(Teller):
        def read(self, pictures):
            self.seen += [len(pictures)]
            raise NeedsToolRun("run the tool")

    tool = Tool(Reading())
    with pytest.raises(NeedsToolRun):
        read_all(data, [Share(np.arange(9), tool)], [Asked("a", np.arange(5)), Asked("b", np.arange(4))], tmp_path)
    assert tool.seen == [5, 4]


def test_the_rows_of_curves_show_classes_and_units(data):
    m = data.manifest
    named, some = shows_class(m, 0.5), chosen_rows(m, 0.5, 12)
    assert len(some) == len(set(some)) == 12 and named[some].sum() == 6
    assert len(chosen_rows(m, 0.5, 10**4)) == len(m) and len(chosen_rows(m, 0.5, 50)) == 50
    assert not len(chosen_rows(m, 0.5, 0))


NOISE = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)


def test_degradations_do_what_they_say():
    for curve in CURVES:
        np.testing.assert_array_equal(curve.change(curve.plain)(NOISE, 0), NOISE)
        changed = [curve.change(level)(NOISE, 0) for level in curve.levels if level < 64]
        assert all(one.shape == NOISE.shape and one.dtype == np.uint8 for one in changed)
    half = degradations.smaller(NOISE, 32).astype(float)
    np.testing.assert_allclose(half.mean((0, 1)), NOISE.mean((0, 1)), atol=1)
    assert np.ptp(degradations.greyed(NOISE, 1.0), axis=2).max() == 0
    line = np.zeros((65, 65, 3), np.uint8)
    line[32, 40:45] = 255  # right of the middle: below it after a quarter turn, clockwise
    assert degradations.rolled(line, 90)[40:45, 32].min() > 200
    far = degradations.cropped(line, 1.5)[32, :, 0]
    assert np.average(np.arange(65), weights=far.astype(float)) == pytest.approx(32 + 1.5 * 10, abs=0.5)
    errors = [np.abs(degradations.packed(NOISE, q).astype(float) - NOISE).mean() for q in (5, 50, 95)]
    assert errors[0] > errors[1] > errors[2] > 0


@pytest.mark.parametrize("share", [0.1, 1 / 3])
def test_a_hand_covers_the_share_that_is_asked(share):
    plain = np.full((64, 64, 3), 150, np.uint8)
    for seed in range(6):
        changed = (degradations.covered(plain, share, seed) != plain).any(2)
        face = degradations.face_mask(64)
        assert (changed & face).sum() / face.sum() == pytest.approx(share, abs=0.06)  # its edge is soft
    np.testing.assert_array_equal(degradations.covered(plain, share, 1), degradations.covered(plain, share, 1))


def test_our_reader_is_read_as_the_engine_reads_it():
    torch.manual_seed(0)
    net = create("reader", **TINY["reader"]).eval()
    faces = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    evaluator, engine = NetEvaluator(net), PytorchEngine(net)
    found, theirs = evaluator.read(faces), engine.readings(faces)
    assert {"left", "right", "head", "gaze", "probabilities", "aus", "classes"} <= {*evaluator.measures}
    np.testing.assert_allclose(found.left, theirs.left, atol=1e-5)
    np.testing.assert_allclose(found.right, theirs.right, atol=1e-5)
    np.testing.assert_allclose(found.head, np.stack([theirs.yaw, theirs.pitch], 1), atol=1e-4)
    np.testing.assert_allclose(found.gaze, theirs.gaze, atol=1e-4)
    np.testing.assert_allclose(found.aus, engine.units_of(faces), atol=1e-5)
    np.testing.assert_allclose(found.probabilities, engine.probabilities(faces), atol=1e-6)


def test_the_verb(folder, tmp_path, capsys):
    torch.manual_seed(0)
    for name in ("reader", "evaluator"):
        save_model(create(name, **TINY[name]).eval(), tmp_path / f"{name}.safetensors")
    asked = ["evaluate", "reading", tmp_path / "reader.safetensors", "--data", folder, "--limit", 4]
    code, said, _ = run(capsys, *asked, "-o", tmp_path / "test")
    assert code == 0 and "neutral_named" in said and "icc" in said and "occlusion" in said
    told = json.loads((tmp_path / "test" / "reading.json").read_text())
    assert {r["answer"] for r in told["results"]} >= {"photographs", "rendered", "rendered, gender f"}
    assert told["readers"][0]["pictures"] == 2 * 7  # the people marked test
    code, said, _ = run(
        capsys, "evaluate", "reading", tmp_path / "evaluator.safetensors", "--data", folder, "--kind", "rendered",
        "--all-people", "--limit", 0, "-o", tmp_path / "judge",
    )  # fmt: skip
    assert code == 0 and "winks" not in said and "robustness" in said  # it tells no sides


def test_folds_are_trained_or_given(folder, data, tmp_path, capsys):
    m = data.manifest
    tiny = [w for k, v in TINY["reader"].items() if k != "subjects" for w in ("--set", f"{k}={v}")]
    real = ["--data", folder, "--kind", "real", "--folds", "given", "--limit", 0, "--precision", "32-true"]
    out = tmp_path / "out"
    trained = ["evaluate", "reading", "reader", *real, "--parts", 2, *tiny, "-o", out]
    assert run(capsys, *trained)[0] == 0
    table = pd.read_csv(out / "readings.csv")
    photographs = (m.kind == "real") & ~m.test
    assert sorted(table.file_name) == sorted(np.array(m.files)[photographs])  # everybody once
    fold = dict(zip(m.files, m.fold % 2, strict=True))
    assert all(fold[name] == number for name, number in zip(table.file_name, table.fold, strict=True))
    with pytest.MonkeyPatch.context() as monkey:  # what is finished is not trained again
        monkey.setattr("mien.training.trainer.Trainer.advance", None)
        assert run(capsys, *trained)[0] == 0
    runs = [w for k in (0, 1) for w in ("--run-of-fold", f"{k}={out / f'fold_{k}'}")]
    given = ["evaluate", "reading", out / "fold_0", *real, *runs, "-o", tmp_path / "given"]
    assert run(capsys, *given)[0] == 0
    again = pd.read_csv(tmp_path / "given" / "readings.csv")
    assert len(again) == len(table) + 4 and again.fold.isna().sum() == 4  # two people marked test, by the first
    both = table.merge(again, on="file_name", suffixes=("", "_given"))
    np.testing.assert_allclose(both.AU12, both.AU12_given, atol=0.002)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--kind", "drawn"], "--kind drawn: expected real, rendered or all"),
        (["--run-of-fold", "0=x"], "--run-of-fold: says who reads a fold; give --folds too"),
        (["--folds", "given", "--run-of-fold", "x"], "--run-of-fold x: expected FOLD=RUN"),
        (
            ["--folds", "given", "--run-of-fold", "0=fields", "--run-of-fold", "7=fields"],
            "--run-of-fold 1=…: expected one for each",
        ),
        (["--folds", "some"], "--folds some: expected a number"),
    ],
)
def test_what_cannot_be_is_one_line(words, says, folder, tmp_path, capsys):
    save_model(create("reader", **TINY["reader"]), tmp_path / "mine.safetensors")
    asked = ["evaluate", "reading", tmp_path / "mine.safetensors", "--data", folder, "-o", tmp_path / "out"]
    code, _, error = run(capsys, *asked, *words)
    assert code == 2 and error.startswith("mien: ") and says in error and error.count("\n") == 1


def test_kinds_that_are_not_there_are_told(tmp_path, capsys):
    posed = make_posed(tmp_path / "posed")
    save_model(create("reader", **TINY["reader"]), tmp_path / "mine.safetensors")
    asked = [
        "evaluate",
        "reading",
        tmp_path / "mine.safetensors",
        "--data",
        posed,
        "--limit",
        2,
        "-o",
        tmp_path / "out",
    ]
    code, _, error = run(capsys, *asked, "--kind", "real")
    assert code == 2 and "--kind real: no picture of" in error
    assert run(capsys, *asked)[0] == 0
    (whole,) = json.loads((tmp_path / "out" / "reading.json").read_text())["results"]
    assert whole["answer"] == "pictures" and {"accuracy", "balanced", "ece", "ece_tempered"} <= whole.keys()
