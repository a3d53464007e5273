"""Models take faces of any size; what is no face is one line."""

import logging

import numpy as np
import pytest
import torch

from mien.controls import Controls
from mien.errors import InputError
from mien.models import sized
from mien.models.registry import FAMILIES, create
from tests.helpers.tiny import TINY

USES = [(name, use) for name, family in FAMILIES.items() for use in sized.USES if hasattr(family, use)]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return create("eet", **TINY["eet"]).eval()


def test_every_use_of_every_model_is_looked_at():
    assert len(USES) > 30
    for name, use in USES:
        assert hasattr(getattr(FAMILIES[name], use), "sized"), f"{name}.{use}"


@torch.inference_mode()
def test_other_sizes_are_resized_with_a_word(model, caplog):
    side = model.config.image_size
    face = torch.rand(2, 3, 1, 1).expand(2, 3, 2 * side, 2 * side) * 2 - 1
    small = face[..., :side, :side]
    sized._tell.cache_clear()
    with caplog.at_level(logging.WARNING):
        made = model.transfer(face, like=face)
        asked = model.edit(small, Controls(like=face[:1]))
    assert made.shape == (2, 3, side, side) and torch.allclose(made, model.transfer(small, small), atol=1e-5)
    assert asked.shape == made.shape
    assert [r.getMessage() for r in caplog.records] == [
        f"Eet sees faces at {side} pixels; those of {2 * side} are resized"
    ]


@pytest.mark.parametrize(
    ("face", "words"),
    [
        (np.zeros((1, 3, 8, 8)), "got ndarray; mien.Editor takes pictures"),
        (torch.zeros(3, 8, 8), r"got float32 \(3, 8, 8\)"),
        (torch.zeros(1, 3, 8, 9), r"got float32 \(1, 3, 8, 9\)"),
        (torch.zeros(1, 1, 8, 8), r"got float32 \(1, 1, 8, 8\)"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), r"got uint8 \(1, 3, 8, 8\)"),
    ],
)
def test_what_is_no_face_is_one_line(model, face, words):
    with pytest.raises(InputError, match=words) as stop:
        model.embed(face)
    assert str(stop.value).startswith("Eet.embed: expected aligned faces, a tensor (B, 3, ")


def asked(model, use, face, like):
    """Return what a use gives of faces, and of examples where it takes some."""
    others = {"transfer": (like,), "edit": (Controls(like=like),), "fields": (Controls(like=like),)}
    others |= {"vary": ("anger",), "element": ("anger", 0)}
    return getattr(model, use)(face, *others.get(use, ()))


@pytest.mark.parametrize("name", FAMILIES)
@torch.inference_mode()
def test_every_use_takes_what_it_can_and_says_of_all_else_what_it_takes(name):
    torch.manual_seed(0)
    model = create(name, **TINY[name]).eval()
    side = model.config.image_size
    face = torch.rand(3, 3, side, side) * 2 - 1
    taken = ((face, face), (face, face[:1]), (face.double(), face), (face.bfloat16(), face.half()))
    bad = {
        "got -2 to": face.index_fill(0, torch.tensor(1), -2.0),
        "to 255; bring 0 to 255 there by / 127.5 - 1": (face.clamp(min=0) * 300).clamp(max=255),
        "got NaN among them": face.index_fill(3, torch.tensor(2), torch.nan),
        "to inf": face.index_fill(3, torch.tensor(2), torch.inf),
        r"got none: \(0, 3": face[:0],
        "on cpu, where the model is; got them on meta": face.to("meta"),
    }
    for use in (use for named, use in USES if named == name):
        for faces, likes in taken:
            asked(model, use, faces, likes)
        for words, wrong in bad.items():
            with pytest.raises(InputError, match=f"{use}: expected aligned faces, .*{words}") as stop:
                asked(model, use, wrong, face)
            assert "\n" not in str(stop.value)
        if use in ("transfer", "edit", "fields"):
            for faces, likes in ((face, face[:2]), (face[:1], face)):
                with pytest.raises(InputError, match=f"got {len(faces)} to change like {len(likes)}: give as many, or"):
                    asked(model, use, faces, likes)
            with pytest.raises(InputError, match=f"{use}: .* tensor .*; got str"):
                asked(model, use, face, "face.png")


@torch.inference_mode()
def test_halves_of_another_size_and_mixed_precision_are_taken(model):
    side = model.config.image_size
    small = torch.rand(2, 3, side // 2, side // 2) * 2 - 1
    expected = model.embed(small)
    for kind in (torch.float16, torch.bfloat16):
        torch.testing.assert_close(model.embed(small.to(kind)).expression, expected.expression, atol=0.05, rtol=0.05)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for kind in (torch.float16, torch.float64):
            assert model.embed(small.to(kind)).expression.isfinite().all()


def test_what_a_model_gives_itself_is_not_looked_at(model, monkeypatch):
    side = model.config.image_size
    face = torch.full((1, 3, side, side), 3.0)
    with pytest.raises(InputError, match="got 3 to 3"):
        model.reconstruct(face)
    with sized.within():
        assert model.reconstruct(face).shape == face.shape
    looks = []
    monkeypatch.setattr(sized, "sound", lambda model, use, faces: looks.append(use) or faces)
    model.reconstruct(face)  # which transfers
    monkeypatch.setattr(type(model), "losses", lambda self, batch, turn: {"loss": self.transfer(batch, batch).mean()})
    model(face, "classify")
    assert looks == ["reconstruct"]
