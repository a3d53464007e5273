"""Photograph in, photograph out, with an untrained model: the way there and back, not the looks."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from mien.editing.editor import Editor
from mien.errors import InputError
from mien.media.provenance import read_stamp
from mien.models.registry import FAMILIES, create


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
