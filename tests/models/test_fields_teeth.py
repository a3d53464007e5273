"""What fields paint: colours of the picture, and teeth, against NumPy."""

from dataclasses import replace

import numpy as np
import torch

from mien.models.fields.equations import teeth_loss
from mien.nn.teeth import CENTRE, REACH, Teeth, measured_texture
from mien.nn.tint import Tint, tint_of
from mien.nn.warp import Patch
from mien.nn.windows import MOUTH
from tests.models.test_equations_fields import bilinear, motion, rand, tensor


def test_paint_has_the_colours_of_the_picture():
    face = rand(1, 3, 40, 40) * 0.5  # brightness 0.25 to 0.75
    grey = np.repeat(face.mean(1, keepdims=True), 3, 1)
    sepia = (grey + 1) * np.array([1.2, 1.0, 0.8])[None, :, None, None] - 1
    bright, red = (tensor(rand(1, 1, 8, 8, low=0)).float() for _ in range(2))
    for picture, factors in ((grey, (1, 1, 1)), (sepia, (1.2, 1.0, 0.8))):
        made = tint_of(tensor(picture)).painted(bright, 3 * red)
        expected = 2 * bright * torch.tensor(factors)[:, None, None] - 1
        torch.testing.assert_close(made, expected.double(), atol=1e-6, rtol=0, check_dtype=False)
    skin = 0.5 * np.ones((1, 3, 40, 40)) * np.array([0.6, 0.2, -0.2])[None, :, None, None]
    skin[..., 20:28, 12:20] = [[[[0.2]], [[-0.4]], [[-0.3]]]]  # lips: colour does not follow from brightness
    tint = tint_of(tensor(skin))
    assert tint.variety > 0.5
    shades = tint.painted(torch.full((1, 1, 1, 3), 0.5), torch.tensor([[[[0.0, 1.0, 2.0]]]]))[0, :, 0]
    assert (shades[:, 0] == shades[0, 0]).all()  # no share of the face's colour is grey
    torch.testing.assert_close(shades[:, 2] - shades[:, 1], shades[:, 1] - shades[:, 0])
    assert shades[0, 2] > shades[0, 1] > shades[2, 1]  # red


def test_teeth_are_fetched_from_the_arch():
    size, texture = 24, rand(2, 12, 20)
    arch = rand(1, 2, size, size) * 0.3
    light, clear = rand(1, 1, size, size, low=0), rand(1, 1, size, size) * 3
    teeth = Teeth(*(tensor(x).float() for x in (arch, light, clear, texture[None])), torch.tensor([0.3]))
    bright, red = rand(1, 1, size, size, low=0), rand(1, 1, size, size, low=0)
    shown, reddish, share = teeth.laid_over(tensor(bright).float(), tensor(red).float())
    x, y = (((arch[0, k] - CENTRE[k]) / REACH[k] + 1) / 2 * n - 0.5 for k, n in ((0, 20), (1, 12)))
    grain, tooth = bilinear(texture, y, x)
    tooth = 1 / (1 + np.exp(-tooth - clear[0, 0]))
    np.testing.assert_allclose(share[0, 0], tooth, atol=1e-5)
    expected = (1 - tooth) * bright[0, 0] + tooth * np.minimum(light[0, 0] * np.exp(grain), 1)
    np.testing.assert_allclose(shown[0, 0], expected, atol=1e-5)
    np.testing.assert_allclose(reddish[0, 0], (1 - tooth) * red[0, 0] + tooth * 0.3, atol=1e-5)


def test_eq_10a_teeth():
    tooth = (rand(2, 1, 16, 16) > 0).astype(float)
    arch, inside = rand(2, 2, 16, 16) * 0.3, rand(2, 1, 16, 16) > -0.3
    known = np.where(inside, np.concatenate([tooth, arch], 1), np.nan)
    m = replace(motion(), teeth=tensor(known).float())
    maps = [tensor(x).float() for x in (rand(2, 2, 16, 16) * 0.3, rand(2, 1, 16, 16, low=0), rand(2, 1, 16, 16))]
    teeth = Teeth(*maps, tensor(rand(1, 2, 6, 8)).float(), torch.tensor([0.3]))
    bright = torch.rand(2, 1, 16, 16)
    patch = Patch(MOUTH, torch.zeros(2, 2, 16, 16), bright, bright, bright, Tint(bright[..., :1, :1], bright), teeth)
    share = teeth.laid_over(bright, bright)[2].double().numpy()
    t = tooth * inside
    off = np.abs(maps[0].numpy() - arch).sum(1, keepdims=True) * t
    lie = (off.sum((1, 2, 3)) / (t.sum((1, 2, 3)) + 20)).mean()
    named = -1.0 * inside * (tooth * np.log(share) + (1 - tooth) * np.log(1 - share))
    expected = 20 * lie + (named.sum((1, 2, 3)) / (inside.sum((1, 2, 3)) + 50)).mean()
    np.testing.assert_allclose(teeth_loss(patch, m), expected, rtol=1e-4)
    assert teeth_loss(patch, motion()) == 0


def test_the_measured_dentition_has_gaps_between_its_teeth():
    grain, tooth = measured_texture()[0].numpy()
    assert grain.shape == tooth.shape == (96, 200) and np.isfinite(grain).all() and np.isfinite(tooth).all()
    rows = [round(((height - CENTRE[1]) / REACH[1] + 1) / 2 * 96) for height in (0.08, 0.18)]
    columns = [round((angle / REACH[0] + 1) / 2 * 200) for angle in (-0.3, 0.3)]
    upper = grain[slice(*rows), slice(*columns)].mean(0)  # of the front teeth, by angle
    darker = (upper[1:-1] < upper[:-2]) & (upper[1:-1] < upper[2:])
    assert 5 <= darker.sum() <= 9  # six to eight front teeth
    assert tooth[:4].mean() < 0 < tooth[slice(*rows), slice(*columns)].mean()
