"""Photograph in, photograph out, with an untrained model: the way there and back, not the looks."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from mien.controls import Controls
from mien.editing.clip import change_clip
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.media.provenance import read_stamp
from mien.models.registry import FAMILIES, create
from tests.helpers.tiny import TINY


@pytest.fixture(scope="module")
def editor():
    torch.manual_seed(0)
    model = create("ter_gan", image_size=32, width=2, subjects=2)
    model.class_codes.total.normal_()
    model.class_codes.count.fill_(1)
    return Editor(model)


def test_change_is_pasted_and_nothing_else(editor):
    photo = astronaut()
    made = editor.edit(photo, "happiness").rgb
    changed = np.argwhere((made != photo).any(-1))
    assert len(changed) > 100
    top, left = changed.min(0)
    bottom, right = changed.max(0)
    assert 20 < top < bottom < 230 and 150 < left < right < 310  # her face, seen in the photograph


def test_transfer_of_its_own_expression_changes_nothing(editor):
    photo = astronaut()
    assert np.array_equal(editor.transfer(photo, photo).rgb, photo)


def test_intensity_zero_is_neutral(editor):
    photo = astronaut()
    assert np.array_equal(editor.edit(photo, "anger", 0.0).rgb, editor.neutralize(photo).rgb)


def test_edit_towards_a_picture_at_full_intensity_is_transfer(editor):
    photo, other = astronaut(), astronaut()[:, ::-1].copy()
    assert np.array_equal(editor.edit(photo, like=other).rgb, editor.transfer(photo, other).rgb)


def test_recognize_and_embed(editor):
    found = editor.recognize(astronaut())
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    codes = editor.embed(astronaut())
    assert codes["expression"].shape == (30,) and codes["identity"].shape == (50,)


def test_alpha_grey_and_stamp_survive(editor, tmp_path):
    rgba = np.dstack([astronaut(), np.tile(np.arange(512) // 2, (512, 1)).astype(np.uint8)])
    Image.fromarray(rgba).save(tmp_path / "a.png")
    editor.save(editor.edit(tmp_path / "a.png", "fear"), tmp_path / "out.png", "edit: fear", "a.png")
    made = Image.open(tmp_path / "out.png")
    assert made.mode == "RGBA" and np.array_equal(np.asarray(made)[..., 3], rgba[..., 3])
    stamp = read_stamp(tmp_path / "out.png")
    assert stamp.operation == "edit: fear" and stamp.source == "a.png" and stamp.model == "ter_gan"
    Image.fromarray(astronaut()).convert("L").save(tmp_path / "grey.jpg")
    editor.save(editor.edit(tmp_path / "grey.jpg", "fear"), tmp_path / "grey.png", stamped=False)
    assert Image.open(tmp_path / "grey.png").mode == "L" and read_stamp(tmp_path / "grey.png") is None


def test_aligned_takes_the_whole_picture():
    model = create("ter_gan", image_size=32, width=2, subjects=2)
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    crop = Editor(model, aligned=True).crop(image).crop
    expected = image.reshape(32, 2, 32, 2, 3).mean((1, 3)) / 127.5 - 1
    inner = (slice(2, -2), slice(2, -2))
    error = np.abs(crop / 127.5 - 1 - expected)[inner]
    assert error.mean() < 0.2  # a 2×2 mean, give or take the resampling filter's reach


@pytest.mark.parametrize("picture", [np.zeros(8, np.uint8), np.zeros((8, 8, 3), int), np.zeros((8, 8, 2), np.uint8)])
def test_arrays_that_are_no_picture(editor, picture):
    with pytest.raises(InputError, match=r"a picture must (be uint8|have the shape \(H, W, 3\))"):
        editor.edit(picture, "fear")


def test_what_a_model_cannot_do_names_those_that_can(monkeypatch):
    class Blind(torch.nn.Module):
        config = create("ter_gan", image_size=32, width=2).config

    monkeypatch.setitem(FAMILIES, "blind", Blind)
    with pytest.raises(InputError, match="blind cannot transfer; these can: ter_gan"):
        Editor(Blind()).transfer(astronaut(), astronaut())


@pytest.mark.parametrize("backend", ["auto", "torch", "onnx"])
def test_those_that_can_are_those_that_the_backend_runs(backend):
    others = ["ter_gan", "rel_gan", "expr_gan", "jesrl", "eet"]
    by_torch = backend != "onnx"
    words = "these can: " if by_torch else "these can without PyTorch: "
    can = {
        "edit by class": [*others, "fields"],
        "edit by action unit": ["eet", "fields"],
        "transfer": [*others, "fields"],
        "generate": ["expr_gan"] if by_torch else ["none"],
    }
    editor, photo = Editor("evaluator", backend=backend), astronaut()
    asked = {
        "edit by class": lambda: editor.edit(photo, "fear"),
        "edit by action unit": lambda: editor.edit(photo, aus={12: 3}),
        "transfer": lambda: editor.transfer(photo, photo),
        "generate": lambda: editor.generate(1),
    }
    for use, call in asked.items():
        named = can[use] if by_torch or use == "generate" else ["fields"]
        with pytest.raises(InputError, match=f"^evaluator cannot {use}; {words}{', '.join(named)}$"):
            call()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda one: one.edit(astronaut(), Controls("fear")), "got a Controls; Editor.ask takes Controls"),
        (lambda one: one.ask(astronaut(), "fear"), r"expected Controls, as Controls\('happiness'\); got a str"),
        (lambda one: one.transfer(astronaut(), astronaut(), intensity="1"), "intensity '1': expected a number"),
        (lambda one: one.edit(astronaut(), "fear", number="2"), "no face 2; --face takes 1 to 1"),
        (lambda one: one.recognize_all(3), "expected a path, as 'face.jpg'; got an int"),
        (lambda one: change_clip(one, 3, "made.mp4", Controls("fear")), "expected a path, as 'face.mp4'; got an int"),
        (lambda one: change_clip(one, "face.mp4", "made.mp4", "fear"), r"expected Controls, .*; got a str"),
        (lambda one: Editor(None), "expected a model's name, as 'fields', its file, folder or hub id; got None"),
        (lambda one: Editor(torch.nn.Linear(2, 2)), "got a Linear"),
        (lambda one: Editor(landmarker=3), "as a landmarker; got an int"),
    ],
)
def test_what_python_may_give_wrong_is_one_line(editor, call, words):
    with pytest.raises(InputError, match=words) as stop:
        call(editor)
    assert "\n" not in str(stop.value)


@pytest.mark.parametrize(("name", "backend"), [("fields", "onnx"), ("fields", "torch"), ("eet", "auto")])
def test_an_editor_goes_to_other_processes_by_the_name_of_its_model(name, backend):
    face = astronaut()[:256, 96:352]
    editor = Editor(name, backend=backend)
    made, packed = editor.edit(face, "happiness").rgb, pickle.dumps(editor)
    assert len(packed) < 20_000 and np.array_equal(pickle.loads(packed).edit(face, "happiness").rgb, made)


def test_an_editor_of_a_model_in_memory_takes_it_along_where_torch_can():
    with pytest.raises(InputError, match=r"eet: cannot be pickled as it is; save_pretrained\(FOLDER\), and open"):
        pickle.dumps(Editor(create("eet", **TINY["eet"])))
    reader = Editor(create("reader", **TINY["reader"]), aligned=True)
    photo = astronaut()
    assert pickle.loads(pickle.dumps(reader)).estimate_aus(photo) == reader.estimate_aus(photo)


def test_what_is_made_bears_its_note_and_goes_on(tmp_path):
    face = astronaut()[:256, 96:352]
    Image.fromarray(face).save(tmp_path / "face.png")
    editor = Editor()
    made = editor.edit(tmp_path / "face.png", "happiness", intensity=0.7)
    given = [(tmp_path / "face.png").read_bytes(), Image.open(tmp_path / "face.png"), face]
    assert all(np.array_equal(editor.edit(one, "happiness", intensity=0.7).rgb, made.rgb) for one in given)
    made.save(tmp_path / "made.png")
    stamp = read_stamp(tmp_path / "made.png")
    assert (stamp.operation, stamp.source, stamp.model) == ("edit: happiness 0.70", "face.png", "fields")
    editor.save(made, tmp_path / "again.png")
    assert read_stamp(tmp_path / "again.png") == stamp
    further = editor.transfer(made, like=tmp_path / "face.png")
    assert further.stamp.operation == "edit: happiness 0.70, then transfer from face.png"
    assert editor.edit(face, "fear").stamp.source == "of unknown name"
    with pytest.raises(InputError, match="list must be of faces"):
        editor.edit([face], "fear")
