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
