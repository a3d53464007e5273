"""The parts of the net that predicts fields, against NumPy and against what they promise."""

import numpy as np
import torch

from mien.data.sampling.gaze import EYEBALL
from mien.models.fields.nets import EYE, NEAR, Atlas, FieldNet, by_side, turned_iris
from mien.models.reader.code import CODE, UNITS
from mien.nn.degrade import toned
from mien.nn.windows import EYES, MOUTH, WINDOWS
from tests.models.test_equations_fields import at_size, bilinear


def test_an_atlas_fetches_its_patterns_from_where_it_says():
    torch.manual_seed(0)
    atlas, size = Atlas(3, 4, 16), 32
    features = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        atlas.where.bias[:] = torch.tensor([0.3, -0.2])  # its weights are zero: the same shift everywhere
        fetched = atlas(features, size).numpy()
        strength = atlas.strength(features).numpy()
    dx, dy = (0.2 * np.tanh(v) * size for v in (0.3, -0.2))
    y, x = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    patterns = at_size(atlas.patterns[0].detach().numpy(), size)
    expected = bilinear(patterns, y + dy, x + dx) * np.stack([at_size(s, size) for s in strength])
    np.testing.assert_allclose(fetched, expected, atol=1e-4)


def test_patches_lie_in_their_windows_and_obey_the_gate():
    torch.manual_seed(0)
    net = FieldNet([4, 4, 4, 4], 2 * UNITS + CODE)
    image, view = torch.rand(3, 3, 128, 128) * 2 - 1, torch.rand(3, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        for last in (net.mouth.last, net.eyes.last):
            last.weight.normal_(std=9)
        fields = net(image, view, torch.randn(3, 2 * UNITS + CODE), torch.tensor([0.0, 0.5, 1.0]))
    assert [p.window for p in fields.patches] == [MOUTH, *EYES] == list(WINDOWS)
    for patch in fields.patches:
        side = round((patch.window[2] - patch.window[0]) * 128)
        assert patch.alpha.shape == (3, 1, side, side) and patch.flow.shape == (3, 2, side, side)
        assert (patch.alpha[0] == 0).all() and (patch.flow[0] == 0).all()  # the gate is shut
        assert patch.alpha[1].max() <= 0.5 and patch.alpha[2].max() > 0.5
        assert 0 < patch.flow.abs().max() <= NEAR + EYEBALL * EYE


def test_an_iris_moves_as_a_whole_and_all_else_rests():
    window, size = EYES[1], 64
    gaze = torch.tensor([[20.0, 0.0], [0.0, -10.0], [0.0, 0.0]])
    flow = 256 * turned_iris(torch.zeros(3, 1, size, size), gaze, window, (0.65, 0.4)).numpy()
    x, y = (np.array((0.65, 0.4)) - window[:2]) * 256
    way = EYEBALL * EYE * 256
    for k, (dx, dy) in enumerate(((way * np.sin(np.radians(20)), 0), (0, way * np.sin(np.radians(10))), (0, 0))):
        there = flow[k, :, int(y + dy), int(x + dx)]
        np.testing.assert_allclose(there, (-dx, -dy), atol=0.15)  # comes from where it was
        assert np.abs(flow[k, :, 5, 5]).max() < 1e-3


def test_each_eye_is_told_of_its_own_side():
    left, right, left_change, right_change, angles = (
        torch.full((1, n), float(k)) for k, n in enumerate((3, 3, 3, 3, 4))
    )
    on_the_left, on_the_right = by_side(torch.cat([left, right, left_change, right_change, angles], 1))
    assert on_the_left.tolist() == [[1.0] * 3 + [3.0] * 3 + [4.0] * 4]  # the person's right
    assert on_the_right.tolist() == [[0.0] * 3 + [2.0] * 3 + [4.0] * 4]


def test_pictures_of_a_face_are_toned_alike():
    torch.manual_seed(0)
    picture = torch.rand(200, 3, 8, 8) * 1.6 - 0.9
    one, other = toned(picture, picture.clone())
    torch.testing.assert_close(one, other)
    light = (one + 1) / 2
    share = light / light.mean(1, keepdim=True).clamp(min=1e-6)
    plain = share.std((2, 3)).amax(1) < 1e-3  # in shades of one colour
    assert 0.15 < plain.float().mean() < 0.35
    grey = (light.amax(1) - light.amin(1)).amax((1, 2)) < 1e-3
    assert 0 < grey.sum() < plain.sum()
    assert one.min() >= -1 and one.max() <= 1 and ((one - picture).abs().amax((1, 2, 3)) < 1e-6).float().mean() > 0.4
