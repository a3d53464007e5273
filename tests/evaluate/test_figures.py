"""Figures of the protocols and their intervals, against what others compute from the same answers."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pingouin
import pytest
import torch
from PIL import Image
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from sklearn.metrics.pairwise import cosine_similarity

from mien.data.dataset import digest, open_data
from mien.data.folds import Split
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.evaluate.answers import TRUTH, answers
from mien.evaluate.evaluators.base import Reading
from mien.evaluate.evaluators.eye_gaze import eyes, learn_eye_gaze
from mien.evaluate.figures import unit_figures
from mien.evaluate.identity_gallery import gallery_rows
from mien.evaluate.protocols.gaze import by_gaze
from mien.evaluate.protocols.identity import by_identity
from mien.evaluate.protocols.recognition import Findings, Regime
from mien.evaluate.protocols.recognition_record import recognition_figures_of, write_recognition
from mien.evaluate.protocols.transfer import by_transfer, transfer_errors
from mien.evaluate.trials import STRONG, gaze_trials, random_pairs, trials
from mien.labels import AUS, CLASSES, DISFA_AUS
from mien.metrics.confusion import confusion, macro_f1
from mien.metrics.gaze import side_of
from mien.metrics.significance import sign_permutation
from mien.models.io import fingerprint, save_model
from mien.models.registry import create
from mien.training.settings import Settings
from mien.training.start import Training
from tests.cli.test_cli import run
from tests.helpers.tiny import TINY

SIZE, PEOPLE = 64, 6
WORDS = ("happiness", "anger", "fear")
UNITS = {"happiness": 12, "anger": 4, "fear": 1}


def draw(person, word="neutral", strength=0.0, gaze=0.0):
    """A face that tells all: skin says who, stripes below the eyes say what, the pupils' place says where to."""
    image = np.full((SIZE, SIZE, 3), (60 + 25 * person, 120, 100), np.uint8)
    if word in WORDS:
        k = WORDS.index(word)
        image[36 + 8 * k : 44 + 8 * k, :, 1] = round(120 + 100 * strength)
    for x in (0.35, 0.65):
        centre = x * SIZE + gaze / 10
        image[22:29, round(x * SIZE) - 6 : round(x * SIZE) + 6] = 240
        image[23:28, round(centre) - 2 : round(centre) + 2] = 10
    return image


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Everybody neutral twice, once looking aside, and in three expressions at two strengths; persons 0 to 2 tested."""
    folder = tmp_path_factory.mktemp("told")
    head = ["file_name", "subject", "expression", "intensity", "expr_id", "yaw", "gaze_x", "test", "source"]
    lines, names = [",".join([*head, *(f"AU{au:02d}" for au in AUS)])], []
    for person in range(PEOPLE):
        looks = [("neutral", 0.0, 0), ("neutral", 0.0, 1), ("neutral", 0.0, 25), ("neutral", 0.0, -25)]
        looks += [(word, strength, 0) for word in WORDS for strength in (0.5, 1.0)]
        for k, (word, strength, gaze) in enumerate(looks):
            name = f"p{person}_{k}.png"
            Image.fromarray(draw(person, word, strength, gaze)).save(folder / name)
            aus = [5 * strength if UNITS.get(word) == au else 0 for au in AUS]
            row = [name, f"p{person}", word, strength, f"{word}_v0", 0, gaze, int(person < 3), "lab", *aus]
            lines.append(",".join(map(str, row)))
            names.append(name)
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    points = np.stack(np.meshgrid(np.linspace(8, 54, 17), np.linspace(12, 56, 4)), -1).reshape(68, 2)
    np.savez(
        folder / "geometry.npz", file_name=np.array(names), landmarks=np.tile(points, (len(names), 1, 1)), size=SIZE
    )
    return open_data(folder, SIZE)


class Half(torch.nn.Module):
    """Paints the mean of face and example, and so does a little of everything."""

    config = SimpleNamespace(image_size=SIZE)

    def transfer(self, face, like):
        return (face + like) / 2

    def reconstruct(self, face):
        return face


class Reader:
    """An evaluator that measures stripes and skin, and notes how many pictures it was shown."""

    name, size, measures = "reader", SIZE, ("aus", "classes", "identity", "gaze")

    def __init__(self):
        self.shown = 0

    def mark(self):
        return ""

    def read(self, pictures):
        self.shown += len(pictures)
        x = pictures.astype(float)
        stripes = np.stack([x[:, 38 + 8 * k : 42 + 8 * k, :, 1].mean((1, 2)) - 120 for k in range(3)], 1) / 100
        aus = np.full((len(x), len(AUS)), np.nan)
        for k, word in enumerate(WORDS):
            aus[:, AUS.index(UNITS[word])] = 5 * stripes[:, k]
        classes = np.array([CLASSES.index(word) for word in WORDS])[stripes.argmax(1)]
        angle = x[:, :10, :, 0].mean((1, 2)) / 255 * 1.5
        gaze = np.stack([x[:, 25, 16:22, 0].mean(1) - x[:, 25, 22:28, 0].mean(1), np.zeros(len(x))], 1)
        return Reading(
            aus, np.where(stripes.max(1) > 0.4, classes, 0), np.stack([np.cos(angle), np.sin(angle)], 1), gaze
        )


def picked(folder, name, model, answer):
    content = json.loads((folder / name).read_text())
    return next(row for row in content["results"] if (row["model"], row["answer"]) == (model, answer))


def test_macro_f1_is_scikit_learns():
    rng = np.random.default_rng(0)
    truth, guess = rng.integers(0, 5, 300), rng.integers(0, 7, 300)  # two classes are named but never shown
    matrix = confusion(truth, guess, 7)
    np.testing.assert_array_equal(matrix, confusion_matrix(truth, guess, labels=range(7)))
    assert macro_f1(matrix) == pytest.approx(f1_score(truth, guess, average="macro", labels=range(5)), abs=1e-12)
    assert np.isnan(macro_f1(np.zeros((2, 2), int)))


@pytest.fixture
def found():
    """Predictions of 8 people's 40 pictures by two nets and two seeds."""
    rng, rows = np.random.default_rng(3), []
    numbers = [CLASSES.index(word) for word in WORDS]
    truth = rng.choice(numbers, 40)
    for seed in (0, 1):
        for model, share in (("baseline", 0.5), ("ter_gan", 0.8)):
            guess = np.where(rng.random(40) < share, truth, rng.choice(numbers, 40))
            rows += [
                {"seed": seed, "fold": str(k % 4), "model": model, "subject": f"s{k % 8}", "file_name": f"{k:02d}.png",
                 "truth": truth[k], "guess": guess[k]}
                for k in range(40)
            ]  # fmt: skip
    return pd.DataFrame(rows).sample(frac=1, random_state=0)  # the order of the rows must not matter


def test_recognition_figures_are_those_of_the_pooled_predictions(found):
    figures = recognition_figures_of(found, WORDS, draws=300)
    for model in ("baseline", "ter_gan"):
        mine = [found[(found.model == model) & (found.seed == seed)] for seed in (0, 1)]
        one = figures["models"][model]
        assert one["accuracy"].value == pytest.approx(np.mean([accuracy_score(m.truth, m.guess) for m in mine]))
        f1 = np.mean([f1_score(m.truth, m.guess, average="macro") for m in mine])
        assert one["macro_f1"].value == pytest.approx(f1)
        counts = sum(confusion_matrix(m.truth, m.guess, labels=[CLASSES.index(w) for w in WORDS]) for m in mine)
        np.testing.assert_array_equal(one["confusion"]["counts"], counts)
    ordered = found.assign(right=found.truth == found.guess).sort_values("file_name")
    right = {key: some.right.to_numpy() for key, some in ordered.groupby(["model", "seed"])}
    for seed in (0, 1):
        ours, theirs = right["ter_gan", seed], right["baseline", seed]
        only = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
        assert figures["difference"]["mcnemar"][str(seed)] == pytest.approx(binomtest(only[0], sum(only)).pvalue)
    mean = (ordered.right * np.where(ordered.model == "ter_gan", 0.5, -0.5)).groupby(ordered.file_name).sum()
    each = mean.groupby([f"s{int(name[:2]) % 8}" for name in mean.index]).mean()
    assert figures["difference"]["accuracy"].value == pytest.approx(mean.mean())
    assert figures["difference"]["permutation"] == pytest.approx(sign_permutation(each.to_numpy()))


def test_recognition_by_folds_agrees_on_units_as_pingouin_has_it(found):
    rng = np.random.default_rng(5)
    truth = {f"{k:02d}.png": rng.uniform(0, 5, 2) for k in range(40)}
    mine = found[found.model == "ter_gan"].copy()
    for k, name in enumerate(("AU01", "AU12")):
        mine[f"{name}_true"] = [truth[file][k] for file in mine.file_name]
        mine[name] = mine[f"{name}_true"] + rng.normal(0, 1, len(mine))
    mine["AU43"], mine["AU43_true"] = 0.1, 0.0  # never shown
    both = pd.concat([found[found.model == "baseline"], mine])
    figures = recognition_figures_of(both, WORDS, draws=50)["models"]
    assert "icc" not in figures["baseline"] and "AU43" not in figures["ter_gan"]
    icc = []
    for name in ("AU01", "AU12"):
        for seed in (0, 1):
            some = mine[mine.seed == seed].rename(columns={f"{name}_true": "label", name: "said"})
            long = some.melt("file_name", ["label", "said"])
            table = pingouin.intraclass_corr(long, "file_name", "variable", "value").set_index("Type")
            icc.append(table.ICC[next(k for k in table.index if k in ("ICC3", "ICC(C,1)"))])
        assert figures["ter_gan"][name].value == pytest.approx(np.mean(icc[-2:]))
    assert figures["ter_gan"]["icc"].value == pytest.approx(np.mean(icc))
    assert figures["ter_gan"]["icc"].low < figures["ter_gan"]["icc"].value < figures["ter_gan"]["icc"].high


def test_recognition_intervals_draw_people_not_pictures(found):
    """Everybody is all right or all wrong: of 8 people, the spread must be that of 8, not of 40 pictures."""
    right = found.assign(guess=np.where(found.subject < "s4", found.truth, (found.truth + 1) % len(CLASSES)))
    numbers = tuple(CLASSES)
    accuracy = recognition_figures_of(right, numbers, draws=2000)["models"]["baseline"]["accuracy"]
    assert accuracy.value == 0.5 and accuracy.low == pytest.approx(0.125) and accuracy.high == pytest.approx(0.875)
    alone = recognition_figures_of(right.assign(subject="only"), numbers, draws=10)["models"]["baseline"]["accuracy"]
    assert alone.value == 0.5 and np.isnan(alone.low)  # one person: nothing is known beyond the figure


def test_recognition_record_names_folds_seeds_and_steps(found, data, tmp_path):
    (tmp_path / "folds.json").write_text(json.dumps({"k": 4, "seed": 0, "fold": {}, "sha256": "abc"}))
    training = Training("ter_gan", changes={"steps": 70}, settings=Settings(precision="32-true"))
    regime, half = Regime(4, words=WORDS, seeds=(0, 1)), np.arange(len(data)) % 2 == 0
    findings = Findings(found, pd.DataFrame(), training, regime, data, [Split("0", half, ~half)])
    write_recognition(findings, tmp_path, {"labels": "lab"}, draws=50)
    record = json.loads((tmp_path / "recognition.json").read_text())
    assert record["split"] == {"folds": 4, "official": False, "sha256": "abc"} and record["seeds"] == [0, 1]
    assert record["steps"]["ter_gan"] > record["steps"]["baseline"] > 70 and "never the best" in record["steps"]["rule"]
    assert record["steps"]["ter_gan"] - record["steps"]["stage_1"] == 70
    assert record["versions"]["torch"] == torch.__version__ and record["people"] == 8 and record["pictures"] == 40
    assert record["labels"] == "lab" and {"value", "low", "high"} == set(record["models"]["ter_gan"]["accuracy"])
    official = replace(findings, regime=replace(regime, folds=None), training=Training("ter_gan"))
    write_recognition(official, tmp_path, {}, draws=50)
    told = json.loads((tmp_path / "recognition.json").read_text())["split"]
    assert told == {"folds": 1, "official": True, "sha256": digest(data, half, ~half)}


def test_transfer_by_an_evaluator_is_pingouins_icc_and_resumes(data, tmp_path):
    chosen, evaluator = data.select(data.manifest.test), Reader()
    t = trials(chosen)
    figures = by_transfer({"half": Half()}, evaluator, chosen, t, tmp_path, draws=50)
    editor = Editor(Half(), aligned=True)
    pictures = np.stack([answers(editor, chosen, t, k)["generated"] for k in range(len(t.face))])
    said, label = Reader().read(pictures).aus, chosen.manifest.aus[t.example]
    for unit in (12, 4):
        k = AUS.index(unit)
        raters = {name: v[:, k] for name, v in (("truth", label), ("evaluator", said))}
        long = pd.DataFrame(raters).reset_index().melt("index")
        table = pingouin.intraclass_corr(long, "index", "variable", "value").set_index("Type")
        name = "ICC3" if "ICC3" in table.index else "ICC(C,1)"
        found = figures["half", "generated"]
        assert found[f"icc_AU{unit:02d}"].value == pytest.approx(table.loc[name, "ICC"], abs=1e-6)
        assert found[f"mse_AU{unit:02d}"].value == pytest.approx(np.mean((label - said)[:, k] ** 2))
    unchanged = figures["—", "face unchanged"]
    assert unchanged["expression"].value == 0 and figures["—", TRUTH]["expression"].value == 1
    assert unchanged["icc"].value == pytest.approx(0, abs=1e-6)
    assert unchanged["icc"].value < figures["half", "generated"]["icc"].value < 1
    errors = transfer_errors(Half(), chosen)
    strong = errors[(errors.intensity >= STRONG) & (errors.region == "mouth")].groupby("answer")[["l1", "ssim"]].mean()
    for (_, answer), got in figures.items():
        if answer != TRUTH:
            assert got["l1_mouth"].value == pytest.approx(strong.l1[answer])
            assert got["ssim_mouth"].value == pytest.approx(strong.ssim[answer])
    assert {p.name for p in tmp_path.iterdir()} >= {"transfer.json", "trials.csv", "transfer_strong.csv", "seen"}
    table = pd.read_csv(tmp_path / "transfer.csv").set_index(["model", "answer", "figure"])
    assert table.loc[("half", "composited", "icc"), "value"].item() == pytest.approx(
        figures["half", "composited"]["icc"].value, abs=1e-5
    )
    assert picked(tmp_path, "transfer.json", "half", "composited")["icc"]["low"] is not None
    before, record = evaluator.shown, (tmp_path / "transfer.json").read_bytes()
    by_transfer({"half": Half()}, evaluator, chosen, t, tmp_path, draws=50)
    assert (
        evaluator.shown == before and (tmp_path / "transfer.json").read_bytes() == record
    )  # all that was seen is kept
    for part in (tmp_path / "seen").rglob("*.json"):  # in the words of earlier versions
        text = part.read_text().replace('"generated"', '"model\'s picture"').replace('"composited"', '"change pasted"')
        part.write_text(text)
    by_transfer({"half": Half()}, evaluator, chosen, t, tmp_path, draws=50)
    assert evaluator.shown == before and (tmp_path / "transfer.json").read_bytes() == record
    evaluator.name = "another"
    with pytest.raises(InputError, match=r"judge differ"):
        by_transfer({"half": Half()}, evaluator, chosen, t, tmp_path, draws=2)


def test_a_transfer_that_was_killed_goes_on(data, tmp_path, monkeypatch):
    monkeypatch.setattr("mien.evaluate.observations.CHUNK", 5)
    chosen, evaluator = data.select(data.manifest.test), Reader()
    t, read = trials(chosen), Reader.read

    def dies(pictures):
        if evaluator.shown > 60:
            raise KeyboardInterrupt
        return read(evaluator, pictures)

    monkeypatch.setattr(evaluator, "read", dies, raising=False)
    with pytest.raises(KeyboardInterrupt):
        by_transfer({"half": Half()}, evaluator, chosen, t, tmp_path / "a", draws=5)
    assert not (tmp_path / "a" / "transfer.json").exists() and not list(tmp_path.rglob("*.part"))
    parts = list((tmp_path / "a" / "seen").rglob("*.json"))
    after = Reader()
    by_transfer({"half": Half()}, after, chosen, t, tmp_path / "a", draws=5)
    assert len(parts) == 4 + 1 and after.shown == 90 - 3 * 18 - 2 * 5  # all trivial answers, five trials of a model
    by_transfer({"half": Half()}, Reader(), chosen, t, tmp_path / "b", draws=5)
    assert (tmp_path / "a" / "transfer.json").read_bytes() == (tmp_path / "b" / "transfer.json").read_bytes()


def test_transfer_refuses_an_evaluator_of_identity_alone(data, tmp_path):
    evaluator = Reader()
    evaluator.measures = ("identity",)
    with pytest.raises(InputError, match="measures identity, but aus or classes"):
        by_transfer({"half": Half()}, evaluator, data, trials(data), tmp_path)


def test_random_pairs_are_of_two_people_and_leave_a_proof(data):
    t, m = random_pairs(data, 3, seed=1), data.manifest
    assert len(t.face) == (len(data) - PEOPLE) * 3 and (t.truth == -1).all()
    assert (m.subject[t.face] != m.subject[t.example]).all()
    assert len({*zip(t.face.tolist(), t.example.tolist(), strict=True)}) == len(t.face)  # no pair comes twice
    rows, own = gallery_rows(data, t)
    assert not {*rows} & {*t.face.tolist()} and (m.subject[np.array(rows)[own]] == m.subject[t.face]).all()
    with pytest.raises(InputError, match="fewer than two people"):
        random_pairs(data.select(m.subject == 0), 1)


def test_swaps_are_scored_both_ways(data):
    t, m = random_pairs(data, 2, seed=1, both_ways=True), data.manifest
    half = (len(data) - PEOPLE) * 2
    assert len(t.face) == len(t.example) == len(t.truth) == len(t.landmarks) == 2 * half
    assert np.array_equal(t.face[half:], t.example[:half]) and np.array_equal(t.example[half:], t.face[:half])
    rows, own = gallery_rows(data, t)
    assert not {*rows} & {*t.face.tolist()} and (m.subject[np.array(rows)[own]] == m.subject[t.face]).all()


def test_units_beyond_the_twelve_have_a_mean_of_their_own():
    """EET, Table VIII: the mean over 12 units stays what it is, the other five have theirs; ICC as pingouin has it."""
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 6, (2, 40, len(AUS))).astype(float)
    found[:, AUS.index(14)] = np.nan  # a unit that the evaluator does not know
    means, units = unit_figures(truth, found)
    for name, of in (("icc", DISFA_AUS), ("icc_further", (7, 10, 23, 43))):
        assert means[name] == pytest.approx(np.mean([units[f"icc_AU{unit:02d}"] for unit in of]))
        assert means[name.replace("icc", "au_mse")] == pytest.approx(np.mean([units[f"mse_AU{u:02d}"] for u in of]))
    assert "icc_AU14" not in units and "icc_AU18" in units
    column = AUS.index(43)
    raters = pd.DataFrame({"truth": truth[:, column], "evaluator": found[:, column]}).reset_index().melt("index")
    table = pingouin.intraclass_corr(raters, "index", "variable", "value").set_index("Type")
    name = next(name for name in table.index if name in ("ICC3", "ICC(C,1)"))
    assert units["icc_AU43"] == pytest.approx(table.loc[name, "ICC"], abs=1e-6)
    assert "icc_further" not in unit_figures(np.where(np.isin(AUS, DISFA_AUS), truth, np.nan), found)[0]


def test_identity_of_unchanged_and_copied_faces(data, tmp_path):
    evaluator = Reader()
    t = trials(data, geometry=False)
    figures = by_identity({"half": Half()}, evaluator, data, t, tmp_path, draws=40)
    unchanged, copied = figures["—", "face unchanged"], figures["—", "example copied"]
    assert {unchanged[name].value for name in ("rank_1", "accuracy", "tar_1", "tar_01")} == {1.0}
    assert copied["rank_1"].value == 0  # the example is somebody else, always
    assert copied["accuracy"].value <= 0.5 < figures["half", "generated"]["accuracy"].value < 1
    red = np.array([60 + 25 * p for p in range(PEOPLE)]) / 255 * 1.5
    mean = (red[data.manifest.subject[t.face]] + red[data.manifest.subject[t.example]]) / 2
    nearest = np.abs(mean[:, None] - red).argmin(1)
    clear = np.partition(np.abs(mean[:, None] - red), 1, axis=1)  # halfway between two, rounding decides
    hits = (nearest == data.manifest.subject[t.face])[clear[:, 1] - clear[:, 0] > 0.01]
    halves = len(mean) - len(hits)
    generated = figures["half", "generated"]["rank_1"].value * len(mean)
    assert hits.sum() <= round(generated) <= hits.sum() + halves
    record = json.loads((tmp_path / "identity.json").read_text())
    assert record["pairs"] == {"right": len(mean), "wrong": len(mean) * (PEOPLE - 1)} and record["gallery"] == PEOPLE
    assert record["trials_with_another_picture_in_the_gallery"] == len(mean) and record["labels"] == "lab"
    assert record["data"] == {"sha256": digest(data), "pictures": len(data), "people": PEOPLE, "size": SIZE}
    assert record["models"] == {"half": fingerprint(Half())} and record["evaluator"] == "reader"
    rows, own = gallery_rows(data, t)
    gallery = evaluator.read(data.images[rows]).identity
    truth = evaluator.read(data.images[t.truth]).identity
    alike = cosine_similarity(truth, gallery)[np.arange(len(own)), own].mean()
    assert np.isclose(figures["—", TRUTH]["own"].value, alike, atol=1e-6)
    with_crowd = by_identity(
        {"half": Half()}, evaluator, data, t, tmp_path / "crowd", draws=40, crowd=data
    )  # again all
    record = json.loads((tmp_path / "crowd" / "identity.json").read_text())
    assert record["gallery"] == 2 * PEOPLE and record["pairs"]["wrong"] == len(mean) * (2 * PEOPLE - 1)
    assert with_crowd["—", "face unchanged"]["tar_01"].value < 1  # the wrong pairs now hold the person
    evaluator.measures = ("aus",)
    with pytest.raises(InputError, match="identity is needed here"):
        by_identity({}, evaluator, data, t, tmp_path)
    evaluator.measures = ("identity",)
    one = data.select(data.manifest.subject == 0)
    lone = SimpleNamespace(**{**vars(trials(data, geometry=False)), "face": np.array([0])})
    with pytest.raises(InputError, match="one person"):
        by_identity({}, evaluator, one, lone, tmp_path / "b")


def test_sides_of_gaze():
    assert side_of(np.array([-30, -8.1, -8, 0, 8, 8.1, np.nan])).tolist() == [0, 0, 1, 1, 1, 2, -1]


def test_gaze_is_learnt_from_other_people_and_tells_copies_from_faces(data, tmp_path):
    chosen = data.select(data.manifest.test)
    reader = learn_eye_gaze(data.select(~data.manifest.test))
    face = draw(0, gaze=25)
    np.testing.assert_array_equal(eyes(face[:, ::-1]), mirrored(face))
    t, m = gaze_trials(chosen, partners=2), chosen.manifest
    assert len(t.face) == 6 * 2 and (np.abs(m.gaze_x[t.example]) == 25).all() and (np.abs(m.gaze_x[t.face]) <= 1).all()
    assert (m.subject[t.face] != m.subject[t.example]).all()
    figures = by_gaze({"half": Half()}, reader, chosen, t, tmp_path, draws=20)
    assert figures["—", "face unchanged"]["gaze"].value == 0 and figures["—", "example copied"]["gaze"].value == 1
    record = json.loads((tmp_path / "gaze.json").read_text())
    true = record["true_pictures"]
    assert true["gaze"]["value"] == 1 and true["pictures"] == len(chosen)  # the people are strangers to it
    assert record["evaluator_sha256"] == reader.mark() and "ridge" in record["evaluator"]
    looks = np.array(picked(tmp_path, "gaze.json", "—", "example copied")["looks"]["counts"])
    assert looks.trace() == looks.sum() == 12 and looks[1].sum() == 0


def mirrored(face):
    """Both eyes as `eyes` cuts them, each mirrored and in the order in which a mirrored face shows them."""
    return eyes(face).reshape(2, 12, 24)[::-1, :, ::-1].ravel()


def test_gaze_in_the_shell(data, tmp_path, capsys):
    torch.manual_seed(0)
    save_model(create("ter_gan", **TINY["ter_gan"]), tmp_path / "model.safetensors")
    words = ["evaluate", "gaze", "--data", data.manifest.folder, "--model", tmp_path / "model.safetensors"]
    code, out, _ = run(capsys, *words, "--size", SIZE, "-o", tmp_path / "out")
    assert code == 0 and "ridge regression on eyes" in out and (tmp_path / "out" / "gaze.csv").is_file()
    record = json.loads((tmp_path / "out" / "gaze.json").read_text())
    assert record["trials"]["count"] == 6 * 2 and len(record["results"]) == 4  # two others are all who are tested
    code, _, err = run(capsys, *words, "--size", SIZE, "--judge", "nobody.safetensors", "-o", tmp_path / "other")
    assert code == 2 and err.count("\n") == 1 and not (tmp_path / "other").exists()


def test_gaze_takes_an_evaluator_that_reads_it_and_says_what_is_missing(data, tmp_path):
    chosen = data.select(data.manifest.test)
    figures = by_gaze({}, Reader(), chosen, gaze_trials(chosen, 1), tmp_path, draws=5)
    assert set(figures) == {("—", "face unchanged"), ("—", "example copied")}
    ahead = chosen.select(np.abs(chosen.manifest.gaze_x) < 8)
    with pytest.raises(InputError, match="no tested picture looks aside"):
        gaze_trials(ahead)
    with pytest.raises(InputError, match="not marked test do not look left, ahead, right"):
        learn_eye_gaze(ahead)
    with pytest.raises(InputError, match="neutral face that looks ahead"):
        gaze_trials(chosen.select(np.abs(chosen.manifest.gaze_x) > 8))
