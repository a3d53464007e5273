"""A face whose words and units are both asked for is read once."""

import numpy as np
import pytest
import torch

from mien.models.reader.code import held
from mien.models.registry import create
from mien.nn.images import to_tensor
from mien.nn.modes import evaluating
from mien.runtime.pytorch import PytorchEngine
from tests.helpers.tiny import TINY


@pytest.mark.parametrize("name", ["fields", "reader"])
def test_words_and_units_are_one_look(name, monkeypatch):
    torch.manual_seed(0)
    model = create(name, **TINY[name])
    engine, looks, tell = PytorchEngine(model), [], model.tell
    monkeypatch.setattr(model, "tell", lambda face: looks.append(len(face)) or tell(face))
    crops = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    words, shown = engine.probabilities(crops), engine.readings(crops)
    assert looks == [3]
    with torch.inference_mode():
        face = to_tensor(crops)
        np.testing.assert_array_equal(words, model.recognize(face).probabilities.numpy())
        np.testing.assert_array_equal(shown.left, 5 * held(model.read(face))[:, :21].numpy())
    looks.clear()
    crops[0] = 0  # the same array, another face
    assert not np.array_equal(engine.probabilities(crops)[0], words[0]) and looks == [3]
    engine.probabilities(crops[:1])
    assert looks == [3, 1]


def test_a_net_is_left_in_the_mode_in_which_it_was():
    net = torch.nn.Sequential(torch.nn.BatchNorm2d(2), torch.nn.Dropout())
    net[0].eval()
    with evaluating(net):
        assert not any(module.training for module in net.modules())
    assert [module.training for module in net.modules()] == [True, False, True]
