"""What an earlier version wrote goes on working: weights, training runs, data sets, folds, benchmarks, stamps.

`before/` was written by the version before the modules moved into rooms (`mien.__version__` 0.1.0 of ef477f4), and is
never to be made anew: a test that fails here says that somebody's files no longer work. Its faces are rendered.

Trainings must end in the same weights to the bit. That is asked where torch is the version that made them and rounds
as it did there (`probe`); elsewhere the weights must be near. Fields are no longer asked: their reader is another net.
"""

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

import mien
from mien.data.dataset import open_data
from mien.data.folds import read_folds
from mien.evaluate.benchmark.page import write_page
from mien.evaluate.benchmark.record import read_record
from mien.evaluate.benchmark.sets import bench_set
from mien.media.provenance import read_stamp
from mien.models.io import fingerprint
from tests.cli.test_cli import run

BEFORE = Path(__file__).parent / "before"
EXPECTED = json.loads((BEFORE / "expected.json").read_text())
SIZE = 32


@pytest.fixture(autouse=True)
def one_thread():
    """Sums depend on how many threads share them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def faces(tmp_path):
    """The data set, where its cache may be written."""
    return Path(shutil.copytree(BEFORE / "faces", tmp_path / "faces"))


def probe():
    """Return a digest of some arithmetic and of decoded pictures: where it is the same, so are a training's weights."""
    found = hashlib.sha256()
    for path in sorted((BEFORE / "faces" / "images").iterdir()):
        with Image.open(path) as picture:
            found.update(np.asarray(picture).tobytes())
    generator = torch.Generator().manual_seed(0)
    for channels, side in ((3, 32), (8, 16), (24, 4)):
        x = torch.randn(4, channels, side, side, generator=generator)
        x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
        weight = torch.randn(8, channels, 3, 3, generator=generator)
        weight = weight.contiguous(memory_format=torch.channels_last).requires_grad_()
        y = torch.nn.functional.conv2d(x, weight, padding=1)
        y = torch.nn.functional.leaky_relu(torch.nn.functional.batch_norm(y, None, None, training=True), 0.2)
        z = y.flatten(1) @ torch.randn(y[0].numel(), 7, generator=generator)
        (z.softmax(1).square().sum() + z.tanh().mean()).backward()
        for t in (z, x.grad, weight.grad):
            found.update(t.detach().contiguous().numpy().tobytes())
    return found.hexdigest()


def weights_of(checkpoint):
    """Return the arrays of the model in a checkpoint, by name, and the file's header."""
    with safe_open(checkpoint, framework="numpy") as file:
        header = json.loads(file.metadata()["mien"])
        names = sorted(name for name in file.keys() if name.startswith("model/"))  # noqa: SIM118 - it is no dict
        return {name: file.get_tensor(name) for name in names}, header


def summary(checkpoint):
    """Return the digest of a checkpoint's weights, their number and their norm."""
    weights, _ = weights_of(checkpoint)
    found = hashlib.sha256()
    for name, value in weights.items():
        found.update(f"{name} {value.dtype} {value.shape}\n".encode() + value.tobytes())
    norm = sum(float(np.square(np.nan_to_num(value.astype(np.float64))).sum()) for value in weights.values()) ** 0.5
    return {"digest": found.hexdigest(), "tensors": len(weights), "norm": round(norm, 6)}


def same(found, wanted):
    """Tell whether weights are those that the earlier version reached, to the bit where that can be asked."""
    if found["tensors"] != wanted["tensors"] or found["norm"] != pytest.approx(wanted["norm"], rel=0.02):
        return False
    alike = (torch.__version__, probe()) == (EXPECTED["torch"], EXPECTED["probe"])
    return found["digest"] == wanted["digest"] or not alike


def train(capsys, family, told, faces, folder):
    """Train by the shell's words to the end, in fp32 on the CPU; returns what it said."""
    words = ["train", family, "--data", faces, "--run", folder, "--seed", told["seed"]]
    words += ["--precision", "32-true", "--device", "cpu"]
    code, out, err = run(capsys, *words, *(w for k, v in told["set"].items() for w in ("--set", f"{k}={v}")))
    assert code == 0, err
    return out


@pytest.mark.parametrize("family", EXPECTED["resumed"])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(family, faces, capsys, tmp_path):
    told, folder = EXPECTED["resumed"][family], tmp_path / "run"
    shutil.unpack_archive(BEFORE / f"{family}_run.zip", folder)
    _, before = weights_of(folder / "checkpoint.safetensors")
    assert (before["stage"], before["step"]) == tuple(told["stopped"])
    assert "finished" in train(capsys, family, told, faces, folder)
    _, after = weights_of(folder / "checkpoint.safetensors")
    assert after["stage"] > before["stage"] and after["family"] == family
    assert before["config"].items() <= after["config"].items()  # settings that came later are as if they were not
    assert same(summary(folder / "checkpoint.safetensors"), told)


@pytest.mark.parametrize("family", EXPECTED["begun"])
def test_a_training_ends_in_the_same_weights(family, faces, capsys, tmp_path):
    told = EXPECTED["begun"][family]
    assert "finished" in train(capsys, family, told, faces, tmp_path / "run")
    assert same(summary(tmp_path / "run" / "checkpoint.safetensors"), told)


def test_a_stopped_run_can_be_used(faces, capsys, tmp_path):
    shutil.unpack_archive(BEFORE / "ter_gan_run.zip", tmp_path / "run")
    editor = mien.Editor(str(tmp_path / "run"), aligned=True)
    assert editor.edit(faces / "images" / "S00001_00_neutral.jpg", like=next((faces / "images").iterdir()))


@pytest.mark.parametrize("family", ["ter_gan", "judge"])
def test_weights_load(family):
    name = {"ter_gan": "mine"}.get(family, family)
    path = BEFORE / "weights" / f"{name}.safetensors"
    with safe_open(path, framework="numpy") as file:
        assert json.loads(file.metadata()["mien"])["family"] == family
    model = mien.load(str(path))
    assert fingerprint(model) == EXPECTED["fingerprints"][name]
    face = torch.zeros(2, 3, SIZE, SIZE)
    with torch.inference_mode():
        p = model.recognize(face).probabilities
    assert p.shape == (2, 8) and torch.allclose(p.sum(1), torch.ones(2))


def test_weights_of_an_index_are_found_by_name(monkeypatch, capsys, faces):
    monkeypatch.setenv("MIEN_ZOO", str(BEFORE / "weights"))
    assert fingerprint(mien.load("mine")) == EXPECTED["fingerprints"]["mine"]
    assert fingerprint(mien.load("judge")) == EXPECTED["fingerprints"]["judge"]
    face = faces / "images" / "S00001_00_neutral.jpg"
    for name, verb in (("mine", "recognize"), ("judge", "aus")):
        code, out, err = run(capsys, verb, face, "--json", "--aligned", "--model", name)
        assert code == 0 and len(json.loads(out)) == 1, err


def test_a_data_set_and_its_folds_are_read(faces, capsys):
    data = open_data(faces, SIZE)
    m = data.manifest
    assert (len(data), m.subjects) == (28, ["S00001", "S00002", "S00003", "S00004"])
    assert Counter(m.expression.tolist()) == dict.fromkeys(range(7), 4)
    assert m.aus.shape == (28, 21) and float(m.aus.max()) == pytest.approx(EXPECTED["data"]["strongest"])
    labels = (m.aus, m.left, m.right, m.intensity, m.yaw, m.pitch, m.roll, m.gaze_x, m.gaze_y)
    told = [float(np.nansum(values.astype(np.float64))) for values in labels]
    assert told == pytest.approx(EXPECTED["data"]["sums"])
    folds = read_folds(BEFORE / "folds.json", m)
    assert (folds.k, folds.seed, folds.fold.tolist()) == (2, 0, [1, 1, 0, 0])
    train_rows, test_rows = folds.split(0)
    assert train_rows.tolist() == [True] * 14 + [False] * 14 and test_rows.tolist() == [False] * 14 + [True] * 14
    code, out, err = run(capsys, "data", "check", faces)
    assert code == 0 and "28" in out, err
    code, out, err = run(capsys, "synth", faces, "--people", 4, "--per-person", 7, "--size", SIZE, "--seed", 16)
    assert code == 0, err  # it is whole: nothing is rendered again
    assert (faces / "geometry.npz").read_bytes() == (BEFORE / "faces" / "geometry.npz").read_bytes()


def test_a_benchmark_stands_beside_a_new_one(faces, tmp_path):
    path = BEFORE / "bench" / "bench.json"
    theirs = json.loads(path.read_text(encoding="utf-8"))
    record = read_record(path, theirs | {"evaluator": theirs["judge"] | {"name": "evaluator"}})
    assert record["schema"] == 2 and theirs["schema"] == 1
    assert {f["answer"] for f in record["figures"]} >= {"generated", "composited"}  # as these are called now
    assert len(record["figures"]) == len(theirs["figures"])
    assert [f["value"] for f in record["figures"]] == [f["value"] for f in theirs["figures"]]
    here = bench_set("faces", open_data(faces, SIZE))
    assert here.record() == theirs["sets"]["faces"]  # the digest too: figures of then and of now may be compared
    for name, file in (("mine", "mine"), ("judge", "judge")):
        told = theirs["models"][name] if name in theirs["models"] else theirs["judge"]
        assert fingerprint(mien.load(str(BEFORE / "weights" / f"{file}.safetensors"))) == told["fingerprint"]
    times = json.loads((BEFORE / "bench" / "times.json").read_text())["milliseconds"]
    write_page(tmp_path, record, {"them": record}, times, [], {"faces": ["faces_comparison.png"]})
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "them: mine" in page and theirs["sets"]["faces"]["digest"] in page
    for figure in theirs["figures"]:
        if not figure["of"] and figure["value"] is not None:
            assert f"{figure['value']:.3f}" in page, figure


@pytest.mark.parametrize("name", EXPECTED["stamps"])
def test_a_stamp_is_read(name, capsys):
    told = EXPECTED["stamps"][name]
    stamp = read_stamp(BEFORE / "pictures" / name)
    assert (stamp.model, stamp.operation, stamp.source) == (told["model"], told["operation"], told["source"])
    code, out, err = run(capsys, "info", BEFORE / "pictures" / name, "--json")
    assert code == 0, err
    facts = json.loads(out)
    assert facts["stamp"] == told and facts["signed"] is False


def test_a_receipt_is_of_its_picture():
    note = json.loads((BEFORE / "pictures" / "happier.json").read_text())
    picture = BEFORE / "pictures" / note["picture"]["file"]
    assert hashlib.sha256(picture.read_bytes()).hexdigest() == note["picture"]["sha256"]
    assert read_stamp(picture).weights == note["model"]["fingerprint"] and note["schema"] == 1


def test_old_names_in_python_go_on():
    editor = mien.Editor("jesrl", bare=True, landmarker=None)
    rgb = np.asarray(Image.open(BEFORE / "pictures" / "happier.png").convert("RGB"))
    assert editor.crop_only and mien.FAMILIES["judge"] is mien.FAMILIES["evaluator"] and "judge" not in mien.FAMILIES
    aligned = mien.Editor("jesrl", aligned=True)
    cut, like = aligned.see(rgb), torch.zeros(1, 3, 64, 64)
    assert aligned.put(cut, aligned.change_of(cut, mien.models.Controls(like=like))).rgb.shape == rgb.shape
    assert mien.models.Moves is mien.models.contract.Warps
