"""Models side by side, where pictures are flat colours and the evaluator reads the labels off them."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.stats import spearmanr

from mien.data.dataset import concat, open_data
from mien.data.folds import make_folds
from mien.errors import InputError
from mien.evaluate.answers import BY_UNITS, TRUTH
from mien.evaluate.evaluators.networks import NetEvaluator
from mien.evaluate.predictions import protocol_rows
from mien.evaluate.protocols import augmentation
from mien.evaluate.protocols.augmentation import Schedule, accuracy_by_synthetic, by_augmentation, first_of_each_class
from mien.evaluate.protocols.comparison import compare
from mien.evaluate.protocols.frechet import by_frechet, frechet_by_class
from mien.evaluate.protocols.intensity import (
    by_intensity,
    class_directions,
    draw_intensity,
    intensity_table,
    measured_intensity,
    rank_correlation,
    sweep,
)
from mien.evaluate.sheets import draw_gallery, pages
from mien.evaluate.trials import trials
from mien.labels import AUS, BASIC, CLASSES
from mien.media.provenance import read_stamp
from mien.metrics.frechet import frechet_distance
from mien.models.contract import Embedding, Prediction
from mien.models.io import fingerprint
from mien.models.registry import FAMILIES, create
from mien.nn.images import to_tensor
from mien.training.loop import train
from mien.training.settings import Settings
from mien.training.synthesis import synthesize
from tests.helpers.tiny import TINY
from tests.models.test_contract import Random

SIZE, PEOPLE = 32, 6
AU_OF = {word: AUS[k] for k, word in enumerate(BASIC)}  # one action unit shows each class


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Red says who it is; the rows 4k..4k+3 of green say how strong the k-th basic expression is."""
    folder = tmp_path_factory.mktemp("flat")
    head = ["file_name", "subject", "kind", "expression", "intensity", "expr_id", "yaw", "pitch", "test"]
    lines, names = [",".join([*head, *(f"AU{au:02d}" for au in AUS)])], []
    for person in range(PEOPLE):
        for word in ("neutral", *BASIC):
            for intensity in (0.5, 1.0) if word != "neutral" else (0.0,):
                name = f"p{person}_{word}_{intensity}.png"
                Image.fromarray(picture(person, word, intensity)).save(folder / name)
                aus = [5 * intensity if AU_OF.get(word) == au else 0 for au in AUS]
                row = [name, f"p{person}", "rendered", word, intensity, f"{word}_v0", 0, 0, int(person < 4), *aus]
                lines.append(",".join(map(str, row)))
                names.append(name)
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    points = np.stack(np.meshgrid(np.linspace(4, 27, 17), np.linspace(6, 28, 4)), -1).reshape(68, 2)
    landmarks = np.tile(points, (len(names), 1, 1)).astype(np.float16)
    np.savez(folder / "geometry.npz", file_name=np.array(names), landmarks=landmarks, size=SIZE)
    return open_data(folder, SIZE)


def picture(person, word, intensity):
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[..., 0] = 30 + 30 * person
    if word in BASIC:
        k = BASIC.index(word)
        image[4 * k : 4 * k + 4, :, 1] = round(200 * intensity)
    return image


class Reader(torch.nn.Module):
    """An evaluator that is never wrong: it reads the stripes."""

    config = SimpleNamespace(image_size=SIZE)

    def stripes(self, face):
        green = (face[:, 1] + 1) * 127.5  # (B, S, S)
        return torch.stack([green[:, 4 * k + 1 : 4 * k + 3].mean((1, 2)) for k in range(6)], 1) / 200

    def estimate_aus(self, face):
        aus = torch.zeros(len(face), len(AUS))
        aus[:, :6] = 5 * self.stripes(face)
        return aus

    def recognize(self, face):
        strength, k = self.stripes(face).max(1)
        numbers = torch.tensor([CLASSES.index(word) for word in BASIC])[k]
        return Prediction(torch.nn.functional.one_hot(torch.where(strength > 0.2, numbers, 0), 8).float())

    def embed(self, face):
        angle = face[:, 0].mean((1, 2)) * 1.5
        noise = torch.linspace(0, 1, len(face))[:, None]  # so that the Fréchet distance has a covariance to work on
        return Embedding(self.stripes(face) + 0.01 * noise, torch.stack([angle.cos(), angle.sin()], 1))


class Copier(torch.nn.Module):
    edits_by = ("expression", "like")

    """Gives the example back as its picture: the right expression on the wrong person."""

    config = SimpleNamespace(image_size=SIZE)
    deployed = ("net",)

    def __init__(self):
        super().__init__()
        self.net, self.game = torch.nn.Linear(3, 4), torch.nn.Linear(5, 5)

    def transfer(self, face, like):
        return like

    def reconstruct(self, face):
        return face

    def recognize(self, face):
        return Reader().recognize(face)

    def embed(self, face):
        return Reader().embed(face)

    def edit(self, face, controls):
        made = face.clone()
        if controls.expression in BASIC:
            k = BASIC.index(controls.expression)
            made[:, 1, 4 * k : 4 * k + 4] = 200 * controls.intensity / 127.5 - 1
        return made


def test_comparison_of_a_copier(data, tmp_path):
    chosen = data.select(data.manifest.test)
    table = compare({"copier": Copier()}, Reader(), chosen, tmp_path)
    # Editors blur, so stripes lose a little; the evaluator's reading of true pictures loses nothing.
    truth, unchanged = table.loc["—", TRUTH], table.loc["—", "face unchanged"]
    assert truth.icc > 0.999 and truth.au_mse < 1e-3 and truth.expression == truth.rank_1 == truth.tar == 1
    assert unchanged.expression == 0 and unchanged.rank_1 == 1 and unchanged.icc == pytest.approx(0, abs=1e-6)
    mean_square = np.mean([np.mean(chosen.manifest.aus[chosen.manifest.expression > 0][:, k] ** 2) for k in range(6)])
    known = [k for k in range(6) if AUS[k] in (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)]
    assert len(known) == 5 and unchanged.au_mse == pytest.approx(mean_square, rel=1e-3)  # no change: AU² is the error
    made, copied = table.loc["copier", "generated"], table.loc["—", "example copied"]
    for row in (made, copied):
        assert row.expression == 1 and row.rank_1 == 0 and row.icc > 0.99
    composited = table.loc["copier", "composited"]
    assert composited.expression >= 5 / 6 and composited.icc > 0.7  # the mask fades out over the uppermost stripe
    assert made.parameters == 4 * 3 + 4  # of what its uses need
    assert made.recognize == 1 and made.probe > 0.9 and made.leak < 0.5  # the stripes say nothing of the person
    for name in ("comparison.csv", "aus.csv", "trials.csv", "comparison.png"):
        assert (tmp_path / name).is_file()
    rows = pd.read_csv(tmp_path / "trials.csv")
    mouths = rows[(rows.answer == "composited") & (rows.region == "mouth")]
    strong = mouths[mouths.intensity >= 0.75]
    assert composited.l1_mouth == pytest.approx(strong.l1.mean(), abs=1e-5)
    assert composited.psnr_mouth == pytest.approx(strong.psnr.mean(), abs=1e-4)
    assert composited.all_ssim_mouth == pytest.approx(mouths.ssim.mean(), abs=1e-4)
    assert truth.slope == pytest.approx(1) and truth.change_r == pytest.approx(1)
    assert unchanged.slope == pytest.approx(0) and made.slope == pytest.approx(1, abs=0.01)


def test_trials_may_begin_with_another_expression(data):
    t, m = trials(data, start="other"), data.manifest
    assert (m.subject[t.face] == m.subject[t.truth]).all() and (m.intensity[t.face] >= 0.75).all()
    assert (m.expression[t.face] > 0).all() and (m.expression[t.face] != m.expression[t.truth]).all()


def test_models_that_take_units_by_side_are_asked_for_the_truths(data, tmp_path):
    class Asked(Copier):
        edits_by = ("aus", "sides", "gaze")

        def edit(self, face, controls):
            asked.append(controls)
            return face

    asked, chosen = [], data.select(data.manifest.test)
    table = compare({"asked": Asked()}, Reader(), chosen, tmp_path)
    assert len(asked) == len(trials(chosen).face) and {"aus", "sides"} <= set(asked[0].kinds)
    row = chosen.manifest.left[trials(chosen).truth[0]]
    assert asked[0].aus == {f"{AUS[k]}{side}": v for side in "LR" for k, v in enumerate(row) if not np.isnan(v)}
    assert table.loc["asked", BY_UNITS].slope == pytest.approx(0, abs=0.01)


def test_intensity_of_an_exact_editor_rises_as_asked(data):
    swept = sweep(Copier(), Reader(), data)
    table = intensity_table(swept).set_index("expression")
    assert set(table.index) == set(BASIC)
    assert (table.spearman > 0.99).all() and table.gain.between(0.8, 1.05).all()
    own = intensity_table(sweep(Copier(), Reader(), data, answer="generated"))
    assert (own.spearman > 0.999).all() and own.gain.between(0.99, 1.01).all()  # not blurred, not faded: exact
    directions = class_directions(data)
    assert directions["fear"][AUS.index(AU_OF["fear"])] == 5 and directions["fear"].sum() == 5
    np.testing.assert_allclose(measured_intensity(np.array([directions["fear"] / 2]), directions["fear"]), [0.5])


def test_intensity_record_has_the_means_over_people(data, tmp_path):
    evaluator = NetEvaluator(Reader(), "reader")
    tables, figures = by_intensity({"copier": Copier()}, evaluator, data, tmp_path, draws=100)
    record = json.loads((tmp_path / "intensity.json").read_text())
    assert (record["evaluator"], record["evaluator_sha256"]) == ("reader", fingerprint(Reader()))
    assert record["settings"]["asked"] == pytest.approx(np.linspace(0, 1, 9).tolist())
    assert [row["answer"] for row in record["results"]] == ["generated", "composited"]
    for answer in ("generated", "composited"):
        swept = sweep(Copier(), Reader(), data, answer=answer)
        mine = tables.loc["copier", answer].set_index("expression")
        for word, some in swept.groupby("expression"):
            people = [one.sort_values("asked") for _, one in some.groupby("subject")]
            rho = np.mean([spearmanr(one.asked, one.measured).statistic for one in people])
            gain = some[some.asked == 1].measured.mean() - some[some.asked == 0].measured.mean()
            for name, value in (("spearman", rho), ("gain", gain)):
                assert mine.loc[word, name] == pytest.approx(value)
                assert figures["copier", answer][f"{name}_{word}"].value == pytest.approx(value)
        assert figures["copier", answer]["gain"].value == pytest.approx(mine.gain.mean())
    for name in ("intensity.csv", "intensity_generated.png", "intensity_composited.png"):
        assert (tmp_path / name).is_file()


def test_intensity_of_an_editor_that_ignores_it_does_not_rise(data, tmp_path):
    class Deaf(Copier):
        def edit(self, face, controls):
            return face + 0.1 * controls.intensity * (1 - 2 * (controls.intensity > 0.4))  # up, then down

    swept = sweep(Deaf(), Reader(), data)
    assert (intensity_table(swept).spearman < 0.9).all()
    assert rank_correlation([0, 0.5, 1], np.array([0.0, 0.0, 0.0])) == 0
    draw_intensity({"deaf": swept}, tmp_path / "a" / "intensity.png")
    assert (tmp_path / "a" / "intensity.png").stat().st_size > 10_000


def test_frechet_by_class_prefers_the_right_edit(data):
    table = frechet_by_class(Copier(), Reader(), data, least=0.5)
    assert list(table.expression) == [word for word in CLASSES if word in BASIC]
    assert (table.images == 2 * PEOPLE).all()
    assert (table.composited < table.unchanged / 5).all() and (table.generated < table.unchanged / 5).all()
    with pytest.raises(InputError, match="neutral"):
        frechet_by_class(Copier(), Reader(), data.select(data.manifest.expression > 0))


def test_frechet_record_has_no_intervals(data, tmp_path):
    table = by_frechet({"copier": Copier()}, Reader(), data, tmp_path, least=0.5)
    record = json.loads((tmp_path / "frechet.json").read_text())
    found = {row["answer"]: row for row in record["results"]}
    for column, answer in (("true", TRUTH), ("unchanged", "face unchanged"), ("composited", "composited")):
        assert found[answer]["frechet"]["value"] == pytest.approx(table[column].mean())
        assert found[answer]["frechet_fear"]["value"] == table[table.expression == "fear"][column].item()
        assert found[answer]["frechet"]["low"] is None  # whole sets have none
    assert record["settings"]["least_intensity"] == 0.5 and (tmp_path / "frechet.csv").is_file()


def test_frechet_distance_grows_with_the_mean():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(500, 4))
    assert frechet_distance(a, a + 2) == pytest.approx(16, abs=1e-6)


def test_synthesized_faces_are_a_stamped_data_set(data, tmp_path):
    model = create("ter_gan", **TINY["ter_gan"])
    model.class_codes.total.normal_()
    model.class_codes.count.fill_(1)
    model.eval()
    synthesize(model, data, tmp_path / "a", 3)
    made = open_data(tmp_path / "a", SIZE)
    assert len(made) == 3 * len(BASIC) and (np.bincount(made.manifest.expression)[1:7] == 3).all()
    assert (made.manifest.intensity >= 0.5).all() and (made.manifest.kind == "made").all()
    m = made.manifest
    assert [f"{p} (made)" for p in m.parents] == [m.subjects[s] for s in m.subject]
    both = concat([data, made]).manifest  # whoever descends from a tested person is not trained on
    folds = make_folds(both, 3, 0)
    for f in range(3):
        learnt, tested = folds.split(f)
        people = {both.subjects[s] for s in np.unique(both.subject[tested])}
        assert people and not {p for p in both.parents[learnt] if p} & people
        assert any(p for p in both.parents[learnt])
    first = tmp_path / "a" / made.manifest.files[0]
    assert "ter_gan" in str(read_stamp(first))
    before, gone = first.read_bytes(), tmp_path / "a" / made.manifest.files[1]
    gone.unlink()
    synthesize(model, data, tmp_path / "a", 3)  # goes on: the missing one comes back, the others stay
    assert gone.is_file() and first.read_bytes() == before
    assert len(first_of_each_class(made, 2)) == 2 * len(BASIC)
    with pytest.raises(InputError, match=r"other data or settings \(seed differ\)"):
        synthesize(model, data, tmp_path / "a", 3, seed=1)
    with pytest.raises(InputError, match="nobody is neutral"):
        synthesize(model, data.select(data.manifest.expression > 0), tmp_path / "b", 1)
    with pytest.raises(InputError, match="cannot generate"):
        synthesize(model, None, tmp_path / "c", 1)


def test_an_invented_person_is_one_person_in_all_classes(tmp_path):
    torch.manual_seed(0)
    model = create("expr_gan", **TINY["expr_gan"]).eval()
    synthesize(model, None, tmp_path, 2)
    m = open_data(tmp_path, SIZE).manifest
    assert np.bincount(m.subject).tolist() == [len(BASIC)] * 2 and np.isnan(m.intensity).all()
    asked = []
    model.generate = lambda count, word, seed: asked.append((word, seed)) or torch.zeros(count, 3, SIZE, SIZE)
    synthesize(model, None, tmp_path / "again", 2)
    assert len(set(asked)) == 2 * len(BASIC) and len({seed for _, seed in asked}) == 2


def test_augmentation_trains_on_more_and_tests_on_strangers(data, tmp_path):
    asked = []

    def make(real, folder, per_class):
        asked.append({real.manifest.subjects[s] for s in np.unique(real.manifest.subject)})
        model = create("ter_gan", **TINY["ter_gan"])
        model.class_codes.count.fill_(1)
        synthesize(model.eval(), real, folder, per_class)

    settings = Settings(precision="32-true", accelerator="cpu")
    people, strangers = map(data.select, make_folds(data.manifest, 3, 0).split(0))
    schedule = Schedule((0, 2), 2, (0,), settings, doublings=1)
    table, right = accuracy_by_synthetic(people, strangers, make, tmp_path, schedule)
    assert list(table.synthetic_per_class) == [0, 2]
    assert set(table.steps) <= {2, 4} and (table.passes[0] / table.steps[0]) == 2 * table.passes[1] / table.steps[1]
    assert [right[0].mean(), right[2].mean()] == pytest.approx(table.accuracy.tolist())
    assert table.training_images[1] - table.training_images[0] == 2 * len(BASIC)
    assert len(asked) == 1 and len(asked[0]) == PEOPLE * 2 / 3 - 1  # one is kept back, to see when to stop


def test_a_training_is_doubled_while_that_helps():
    def steps(scores, doublings=3):
        learnt = []
        found = augmentation.converged(
            lambda n: learnt.append(n) or n, lambda n: scores[n], Schedule(steps=10, doublings=doublings)
        )
        assert found[0] == found[1]
        return found[1], learnt

    rising = {10: 0.5, 20: 0.6, 40: 0.7, 80: 0.8, 160: 0.9}
    assert steps(rising) == (80, [10, 20, 40, 80]) and steps(rising, 0) == (10, [10])
    assert steps({10: 0.5, 20: 0.6, 40: 0.602}) == (20, [10, 20, 40])
    with pytest.raises(InputError, match=r"share of true faces is 1"):
        Schedule(real=1.0)


def test_varied_faces_are_like_somebody_who_shows_the_class(data, tmp_path):
    torch.manual_seed(0)
    model, asked = create("ter_gan", **TINY["ter_gan"]).eval(), []
    model.edit = lambda face, controls: asked.append(controls.like) or face
    synthesize(model, data, tmp_path, 3, varied=True)
    m, shown = data.manifest, {}
    for word, like in zip(list(BASIC) * 3, asked, strict=True):
        alike = [k for k in range(len(data)) if torch.equal(to_tensor(data.images[k : k + 1]), like)]
        assert alike and {CLASSES[m.expression[k]] for k in alike} == {word}
        assert all(not m.intensity[k] < 0.5 for k in alike)
        shown.setdefault(word, set()).add(alike[0])
    assert max(map(len, shown.values())) > 1
    assert np.isnan(open_data(tmp_path, SIZE).manifest.intensity).all()
    with pytest.raises(InputError, match="varied"):
        synthesize(model, data, tmp_path, 3)


def test_augmentation_record_has_the_gain_on_the_same_pictures(data, tmp_path, monkeypatch):
    """Recognisers that are right on half the people, and with synthesised faces on all but one of them."""
    people, strangers = data.select(~data.manifest.test), data.select(data.manifest.test)
    truth, of = (getattr(strangers.select(protocol_rows(strangers)).manifest, n) for n in ("expression", "subject"))
    known = {0: of < 2, 1: of < 3}
    monkeypatch.setattr(augmentation, "recogniser", lambda real, made, *_: int(made is not None))
    told = lambda net, data, _: np.where(known[net], truth, -1) if len(data) == len(truth) else np.zeros(len(data))  # noqa: E731
    monkeypatch.setattr(augmentation, "predict", told)
    model = ready("ter_gan")
    table, figures = by_augmentation(model, "ter", people, strangers, tmp_path, Schedule((0, 2), 9, (3, 4)), draws=400)
    assert table.accuracy.tolist() == [0.5, 0.75] * 2
    more = figures["ter", "2 a class"]
    assert (more["gain"].value, more["gain"].low, more["gain"].high) == pytest.approx((0.25, 0, 0.75))
    assert more["accuracy_fear"].value == 0.75 and "gain" not in figures["ter", "0 a class"]
    record = json.loads((tmp_path / "augmentation.json").read_text())
    assert record["settings"] == {
        "counts": [0, 2], "steps": 9, "seeds": [3, 4], "real": 0.5, "doublings": 3, "invented": False,
    }  # fmt: skip
    assert record["data"]["people"] == 4 and record["trained_on"]["people"] == 2 and record["evaluator"] is None
    assert record["models"] == {"ter": fingerprint(model)}


def ready(name):
    """A tiny model that has seen every class."""
    torch.manual_seed(0)
    model = create(name, **TINY[name])
    model.class_codes.total.normal_()
    model.class_codes.count.fill_(1)
    return model.eval()


def test_gallery_has_a_page_for_every_use(data, tmp_path):
    eager = Copier()
    assert set(pages(eager)) == {"transfer", "swap", "edit", "neutralize"}
    written = draw_gallery(eager, data, tmp_path)
    assert [path.stem for path in written] == list(pages(eager))
    with Image.open(tmp_path / "swap.png") as page:
        assert page.width > 4 * 112 and page.height > 4 * 112


def test_gallery_of_few_classes_and_of_people_who_are_never_neutral(data, tmp_path):
    words = np.isin(data.manifest.expression, [CLASSES.index(w) for w in ("neutral", "anger", "fear")])
    never = data.manifest.subject == data.manifest.subject[np.flatnonzero(words)[-1]]
    few = data.select(words & ~(never & (data.manifest.expression == 0)))
    assert len(draw_gallery(Copier(), few, tmp_path)) == 4
    with pytest.raises(InputError, match="expected neutral"):
        draw_gallery(Copier(), data.select(data.manifest.expression > 0), tmp_path)


@pytest.mark.parametrize("name", FAMILIES)
def test_gallery_of_every_model(name, data, tmp_path):
    torch.manual_seed(0)
    model = create(name, **TINY[name])
    train(model, Random(), tmp_path / "run", Settings(precision="32-true", accelerator="cpu"))
    written = draw_gallery(model.eval(), data, tmp_path / "pages")
    assert {path.stem for path in written} == set(pages(model)) and all(path.is_file() for path in written)
