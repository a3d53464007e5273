"""Protocols on small rendered-like data, where the right answer is known."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mien.data.dataset import open_data
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.evaluate.answers import ANSWERS, answers
from mien.evaluate.predictions import protocol_rows
from mien.evaluate.probes import fit_probe, hits, probes
from mien.evaluate.protocols.recognition import Regime, by_folds
from mien.evaluate.protocols.recognition_tables import fold_table, summary
from mien.evaluate.protocols.transfer import transfer_errors, transfer_table
from mien.evaluate.trials import trials
from mien.faces.masks import feathered_mask
from mien.labels import BASIC, CLASSES, EXPRESSIONS
from mien.models.residual import SOFTNESS
from mien.training.settings import Settings
from mien.training.start import Training

PEOPLE, WORDS = 8, ("neutral", *BASIC)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """8 people whose colour is their identity and whose lower half's brightness is their expression."""
    folder, rng = tmp_path_factory.mktemp("faces"), np.random.default_rng(0)
    rows, names, points = ["file_name,subject,kind,expression,intensity,expr_id,yaw,pitch,test"], [], []
    for person in range(PEOPLE):
        colour = rng.integers(60, 190, 3)
        for k, word in enumerate(WORDS):
            image = np.tile(colour, (32, 32, 1))
            image[16:, :, k % 3] = 30 + 30 * k
            name = f"p{person}_{word}.png"
            Image.fromarray(image.astype(np.uint8)).save(folder / name)
            rows.append(f"{name},p{person},rendered,{word},{float(k > 0)},{word}_v0,0,0,{int(person < 2)}")
            names.append(name)
            points.append(np.stack(np.meshgrid(np.linspace(4, 27, 17), np.linspace(6, 28, 4)), -1).reshape(68, 2))
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    np.savez(folder / "geometry.npz", file_name=np.array(names), landmarks=np.array(points, np.float16), size=32)
    return open_data(folder, 32)


class Copier(torch.nn.Module):
    """Transfers by giving the example back; its own picture of a face is the face."""

    config = SimpleNamespace(image_size=32)

    def transfer(self, face, like):
        return like

    def reconstruct(self, face):
        return face


def test_trials_pair_other_people_in_the_same_expression(data):
    t, m = trials(data), data.manifest
    assert len(t.truth) == PEOPLE * len(BASIC)
    assert (m.subject[t.example] != m.subject[t.truth]).all() and (m.subject[t.face] == m.subject[t.truth]).all()
    assert (m.expression[t.example] == m.expression[t.truth]).all() and (m.expression[t.face] == 0).all()


def test_transfer_errors_of_a_copier_are_those_of_the_example(data):
    errors = transfer_errors(Copier(), data)
    t = trials(data)
    assert len(errors) == len(t.truth) * len(ANSWERS) * 4
    by = errors.pivot_table(index=["subject", "expression", "region"], columns="answer", values=["l1", "ssim"])
    copied, made = by["l1"]["example copied"], by["l1"]["generated"]
    assert np.abs(copied - made).max() < 0.03  # cut out and brought back, at the same size
    editor, mask = Editor(Copier(), aligned=True), feathered_mask(32)[..., None]
    for k in (0, 7):
        face, example = (data.images[int(rows[k])].astype(np.float64) for rows in (t.face, t.example))
        blurred = np.stack(
            [gaussian_filter((example - face)[..., c], SOFTNESS, truncate=3, mode="mirror") for c in range(3)], -1
        )
        expected = np.clip(face + mask * blurred, 0, 255)
        assert np.abs(answers(editor, data, t, k)["composited"] - expected).mean() < 1.5
    first, face = t.truth[0], t.face[0]
    box = errors.iloc[0]
    assert box.answer == "face unchanged" and box.region == "face"
    whole = np.abs(data.images[int(face)].astype(float) - data.images[int(first)]) / 255
    assert whole.mean() * 0.5 < box.l1 < whole.max()
    table = transfer_table(errors)
    expected = errors[(errors.answer == "face unchanged") & (errors.region == "mouth")].psnr.mean()
    assert table.loc[("mouth", "face unchanged"), "psnr"] == pytest.approx(expected)


def test_trials_need_geometry(data, tmp_path):
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "metadata.csv").write_text("file_name,subject\na.png,a\n")
    with pytest.raises(InputError, match=r"geometry\.npz: missing"):
        trials(open_data(tmp_path, 32))


def test_probes_find_what_a_code_holds(data):
    m, rng = data.manifest, np.random.default_rng(0)
    noise = rng.normal(0, 0.05, (len(m), 16))
    found = {"expression": np.eye(16)[m.expression] + noise, "identity": np.eye(16)[m.subject] + noise}
    table = probes(found, data).set_index(["code", "probe"])
    assert table.accuracy["expression", "expression"] > 0.95 and table.accuracy["identity", "person"] > 0.95
    assert table.accuracy["expression", "person"] < 0.4 and table.accuracy["identity", "expression"] < 0.4
    assert table.chance["identity", "person"] == pytest.approx(1 / PEOPLE)


def test_a_probe_knows_nothing_of_the_group_it_is_asked_about():
    """Scikit-learn's own cross-validation says the same; and what only one group shows cannot be known of it."""
    rng = np.random.default_rng(4)
    group = np.repeat(np.arange(7), 5)
    code, label = rng.normal(size=(35, 3)), rng.integers(0, 3, 35)
    line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    probe, folds = fit_probe(code, label, group), GroupKFold(5)
    said = cross_val_predict(line, code, label, groups=group, cv=folds)
    np.testing.assert_array_equal(probe.predict(code, group), said)
    right, weight = hits(probe, code, label, group)
    scores = cross_val_score(line, code, label, groups=group, cv=folds)
    assert np.average(right, weights=weight) == pytest.approx(scores.mean())
    assert (probe.predict(code, np.full(35, 99)) == -1).all()  # nobody knows which fold that is
    own = fit_probe(np.eye(7)[group], group, group)
    assert (own.predict(np.eye(7)[group], group) != group).all()
    assert (
        own.predict(np.eye(7)[group], (group + 1) % 7) == group
    ).mean() > 0.5  # asked as if of others, it knows them


def test_protocol_takes_the_six_classes_shown_strongly(data):
    rows = protocol_rows(data)
    words = {EXPRESSIONS[k] for k in data.manifest.expression[rows]}
    assert words == set(BASIC) and rows.sum() == PEOPLE * len(BASIC)
    assert all(word in CLASSES for word in BASIC)


FEW = {"image_size": 32, "width": 2, "discriminator_width": 2, "batch_size": 8, "pretrain_steps": 30, "steps": 4,
       "recognition_steps": 20}  # fmt: skip
CPU = Settings(precision="32-true", accelerator="cpu")
SHORT = Training("ter_gan", changes=FEW, settings=CPU)


def test_recognition_by_folds_tests_every_image_once_and_resumes(data, tmp_path):
    found = by_folds(data, tmp_path, SHORT, Regime(2)).predictions
    mine = found[found.model == "ter_gan"]
    assert sorted(mine.file_name) == sorted(np.array(data.manifest.files)[protocol_rows(data)])
    assert "sha256" in json.loads((tmp_path / "folds.json").read_text())
    assert (tmp_path / "confusion.png").stat().st_size > 1000
    torch.manual_seed(5)
    again = by_folds(data, tmp_path, SHORT, Regime(2)).predictions  # finished folds are kept
    pd.testing.assert_frame_equal(found, again)
    with pytest.raises(InputError, match=r"other data or settings \(changes differ\)"):
        by_folds(data, tmp_path, replace(SHORT, changes=FEW | {"steps": 5}), Regime(2))
    table = fold_table(found)
    assert list(table.model) == ["baseline", "stage_1", "ter_gan"] * 2
    one = found[(found.fold == "0") & (found.model == "baseline")]
    assert table.accuracy[0] == pytest.approx((one.truth == one.guess).mean())
    assert summary(table).loc["baseline", "mean"] == pytest.approx(np.mean(table[table.model == "baseline"].accuracy))


def test_recognition_by_the_datas_own_split_and_several_seeds(data, tmp_path):
    m = replace(data.manifest, split=np.where(data.manifest.test, "test", "train"))
    given = replace(data, manifest=m)
    found = by_folds(given, tmp_path, SHORT, Regime(None, seeds=(0, 1))).predictions
    assert set(found.seed) == {0, 1} and set(found.fold) == {"test"}
    assert set(found.subject) == {"p0", "p1"}
    with pytest.raises(InputError, match="has no train and test"):
        by_folds(data, tmp_path / "b", SHORT, Regime(None))
    halves = np.where(np.arange(len(data)) % 2 == 0, "test", "train")
    with pytest.raises(InputError, match="share 8 people"):
        by_folds(replace(data, manifest=replace(m, split=halves)), tmp_path / "c", SHORT, Regime(None))


def test_recognition_needs_a_model_that_recognises(data, tmp_path):
    with pytest.raises(InputError, match="eet cannot baseline; these can: ter_gan, rel_gan, expr_gan, jesrl"):
        by_folds(data, tmp_path, Training("eet", settings=CPU))
