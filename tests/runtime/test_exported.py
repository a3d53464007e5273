"""Exported models that come with the package: the pictures that PyTorch makes, without PyTorch."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from mien.controls import Controls
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.runtime.description import find_description, read_description, shipped
from mien.runtime.exported import MAPS, ExportedEngine
from mien.runtime.open import open_engine
from mien.runtime.pytorch import PytorchEngine
from mien.weights.resolve import ZOO

SHIPPED = ("evaluator", "fields", "landmarks")
ASKED = (
    {"expression": "happiness"},
    {"expression": "neutral"},
    {"aus": {"43L": 5}, "gaze": (10, -5)},
    {"expression": "surprise", "intensity": 0.6, "roll": -6},
)


@pytest.fixture(scope="module")
def editors():
    return Editor("fields", backend="torch"), Editor("fields", backend="onnx")


def test_what_comes_with_the_package_was_exported_of_its_weights():
    """Of new weights: python -m mien export NAME -o src/mien/zoo."""
    assert {about.name for about in shipped()} == set(SHIPPED)
    for about in shipped():
        assert about.fits(), f"{about.name}: export it again"
        for graph in about.facts["graphs"]:
            assert about.graph(graph).is_file()


def test_auto_needs_no_torch_where_there_is_an_export():
    for name in SHIPPED:
        assert isinstance(open_engine(name), ExportedEngine)
    assert isinstance(open_engine("eet"), PytorchEngine)
    assert isinstance(open_engine("fields", backend="torch"), PytorchEngine)
    editor = Editor("fields")
    assert editor.model.read  # which PyTorch has


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_pictures_are_those_of_torch(editors, asked):
    photo = astronaut()
    want, found = (editor.edit(photo, **asked).rgb.astype(int) for editor in editors)
    off = np.abs(want - found)
    assert (want != photo).any() and off.mean() <= 0.1 and off.max() <= 2  # may be 1 and 8


def test_what_only_others_need_changes_nothing(editors):
    engine = editors[1].engine
    sitter = engine.sit(editors[1].crop(astronaut()).crop)
    asked = sitter.asked(Controls("happiness", 0.3))
    inputs = {**sitter._seen, "asked": asked[None, :-1], "wanted": asked[None, :-1]}
    alone = engine.run("move", inputs, MAPS)
    *maps, _, _ = engine.run("move", inputs, (*MAPS, "picture", "better"))
    assert all(np.array_equal(a, b) for a, b in zip(alone, maps, strict=True))


def test_a_known_lack_serves_again(editors):
    photo = astronaut()
    for editor in editors:
        sitter = editor.engine.sit(editor.crop(photo).crop)
        asked = sitter.asked(Controls("surprise", 1.0))
        change, lacked = sitter.corrected(asked)
        for found in (sitter.change(asked), sitter.again(asked, lacked)):
            assert np.abs(found.flow - change.flow).max() < 1e-4 and np.abs(found.paint - change.paint).max() < 0.5


def test_readings_are_those_of_torch(editors):
    photo = astronaut()
    want, found = (editor.sides(photo) for editor in editors)
    assert want.keys() == found.keys()
    assert max(abs(want[place] - found[place]) for place in want) <= 0.01
    want, found = (editor.recognize(photo) for editor in editors)
    assert all(abs(want[word] - found[word]) <= 0.001 for word in want)
    crop = editors[0].crop(photo).crop[None]
    for name in ("landmarks", "evaluator"):
        one, other = open_engine(name, backend="torch"), open_engine(name, backend="onnx")
        small = np.ascontiguousarray(crop[:, :: crop.shape[1] // one.size, :: crop.shape[2] // one.size])
        for ask in ("points",) if name == "landmarks" else ("codes", "units_of"):
            want, found = (getattr(engine, ask)(small) for engine in (one, other))
            for a, b in zip(*(x.values() if isinstance(x, dict) else [x] for x in (want, found)), strict=True):
                np.testing.assert_allclose(b, a, atol=1e-3)


def test_any_number_of_faces_at_once(editors):
    engine = editors[1].engine
    crops = np.random.default_rng(0).integers(0, 256, (5, engine.size, engine.size, 3), np.uint8)
    every = engine.units_of(crops)
    one_by_one = np.concatenate([engine.units_of(crops[k : k + 1]) for k in range(5)])
    np.testing.assert_allclose(every, one_by_one, atol=1e-4)


def test_openvino_makes_the_same_pictures(editors):
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install 'mien[openvino]'")
    photo, editor = astronaut(), Editor("fields", backend="openvino")
    want, found = (e.edit(photo, "happiness").rgb.astype(int) for e in (editors[0], editor))
    off = np.abs(want - found)
    assert off.mean() <= 0.1 and off.max() <= 2
    want, found = (e.estimate_aus(photo) for e in (editors[0], editor))
    assert max(abs(want[au] - found[au]) for au in want) <= 0.01


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from mien.cli import main
sys.argv = ["mien", *sys.argv[1:]]
main()
"""


def mien(*words, folder):
    command = [sys.executable, "-c", WITHOUT_TORCH, *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_photographs_are_edited_and_read_without_torch(tmp_path):
    Image.fromarray(astronaut()).save(tmp_path / "in.png")
    made = mien("edit", "in.png", "--expression", "surprise", "-o", "made.png", "--report", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    assert json.loads((tmp_path / "made.json").read_text())["identity"] > 0.5
    moved = mien("transfer", "in.png", "--like", "made.png", "-o", "moved.png", folder=tmp_path)
    assert moved.returncode == 0, moved.stderr
    told = mien("recognize", "made.png", "moved.png", "--csv", folder=tmp_path)
    assert told.returncode == 0, told.stderr
    assert [line.split(",")[1] for line in told.stdout.splitlines()[1:]] == ["surprise", "surprise"]


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("edit", "in.png", "--expression", "surprise", "-o", "made.png", "--backend", "torch"), "torch"),
        (("edit", "in.png", "--expression", "surprise", "-o", "made.png", "--model", "eet"), "torch"),
        (("evaluate", "transfer", "--model", "fields", "--data", ".", "-o", "tables"), "eval"),
    ],
)
def test_what_lacks_torch_names_the_extra(words, extra, tmp_path):
    Image.fromarray(astronaut()).save(tmp_path / "in.png")
    (tmp_path / "metadata.csv").write_text("file_name,subject,expression\nin.png,a,happiness\n")
    ended = mien(*words, folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("mien: ") and f"pip install 'mien[{extra}]'" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1 and not (tmp_path / "made.png").exists()


@pytest.fixture
def folder(tmp_path):
    for path in ZOO.glob("landmarks.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_a_folder_is_a_model(folder):
    engine = open_engine(str(folder), backend="onnx")
    assert engine.name == "landmarks" and "find_points" in engine.abilities


def test_other_weights_are_not_taken_for_those_that_were_exported(folder):
    weights = folder / "landmarks.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(InputError, match=r"weights are not those that were exported .*; export it again"):
        open_engine(str(weights), backend="onnx")
    assert isinstance(open_engine(str(weights)), PytorchEngine)


def test_damaged_exports_are_one_line(folder):
    (folder / "landmarks.points.onnx").write_bytes(b"no graph")
    engine = open_engine(str(folder), backend="onnx")
    with pytest.raises(InputError, match="ONNX Runtime cannot open it"):
        engine.points(np.zeros((1, engine.size, engine.size, 3), np.uint8))
    facts = json.loads((folder / "landmarks.onnx.json").read_text())
    facts["graphs"]["points"]["file"] = "../elsewhere.onnx"
    (folder / "landmarks.onnx.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match="not in this folder"):
        read_description(folder / "landmarks.onnx.json", "onnx").graph("points")
    (folder / "landmarks.onnx.json").write_text(json.dumps(facts | {"schema": 99}))
    with pytest.raises(InputError, match="is of form 99, this version reads 1"):
        open_engine(str(folder), backend="onnx")
    (folder / "landmarks.onnx.json").write_text("{}")
    with pytest.raises(InputError, match="expected what `mien export` wrote"):
        open_engine(str(folder), backend="onnx")


def test_a_backend_that_is_not_known_and_a_model_that_was_not_exported():
    with pytest.raises(InputError, match="--backend tvm: choose from auto, torch, onnx, openvino"):
        open_engine("fields", backend="tvm")
    with pytest.raises(InputError, match="was not exported"):
        open_engine("eet", backend="onnx")
    assert find_description("eet", "onnx") is None
