"""Lips that are drawn where a mouth closes, against pictures of which it is known what they should become."""

import numpy as np
import torch

from mien.models.fields.lips import Parting, closing, dropping, lips, staying
from mien.nn.tint import Tint, tint_of
from tests.models.test_equations_fields import rand, tensor

SIZE = 128
LIP, TOOTH, SKIN = (0.65, 0.35, 0.4), (0.9, 0.88, 0.8), (0.75, 0.55, 0.45)


def mouth(grey=False):
    """A window of skin with lips, between which a sliver of teeth is left, (1, 3, SIZE, SIZE); where that is."""
    colours = np.array([SKIN, LIP, TOOTH])
    if grey:
        colours = np.repeat(colours.mean(1, keepdims=True), 3, 1)
    what = np.zeros((SIZE, SIZE), int)
    what[52:77, 24:104], what[62:67, 32:96] = 1, 2
    return tensor(2 * colours[what].transpose(2, 0, 1)[None] - 1).float(), what == 2


def painted(closes, grey=False, stays=0.0, row=slice(64, 65)):
    """What a net that paints a thin line in the middle of the teeth gives: the picture, and where teeth were."""
    window, teeth = mouth(grey)
    line = torch.zeros(1, 1, SIZE, SIZE)
    line[..., row, 32:96] = 1
    tint = tint_of(torch.nn.functional.interpolate(window, size=(128, 128)))
    tint = Tint(tint.colour, torch.zeros(1, 1, 1, 1) if grey else torch.ones(1, 1, 1, 1))
    ones = torch.ones(1, 1, SIZE, SIZE)
    says = Parting(torch.tensor([closes]), torch.tensor([stays]), torch.zeros(1))
    alpha, brightness, redness, _ = lips(says, line, 0.5 * ones, ones, window, tint)
    return torch.lerp(window, tint.painted(brightness, redness), alpha)[0].numpy(), alpha[0, 0].numpy(), teeth


def test_lips_that_close_leave_no_teeth():
    made, alpha, teeth = painted(1.0)
    above = np.zeros_like(teeth)
    above[63], above[66] = teeth[63], teeth[66]  # beside the line, which is darker
    above[:, :40], above[:, 88:] = False, False
    np.testing.assert_allclose(
        made[:, above], np.broadcast_to(2 * np.array(LIP)[:, None] - 1, (3, above.sum())), atol=0.08
    )
    assert alpha[:52].max() == 0 and alpha[77:].max() == 0  # nothing is done to the skin
    assert (made[:, 64, 48:80] < made[:, 60, 48:80]).all()  # where lips meet it is dark


def test_lips_that_do_not_close_are_painted_as_the_net_says():
    line, light, red = (tensor(rand(2, 1, SIZE, SIZE, low=0)).float() for _ in range(3))
    window, _ = mouth()
    pixels = window.expand(2, -1, -1, -1)
    frame = torch.nn.functional.interpolate(pixels, size=(128, 128))
    alpha, brightness, redness, torn = lips(Parting(*torch.zeros(3, 2)), line, light, red, pixels, tint_of(frame))
    assert (
        torch.equal(alpha, line) and torch.equal(brightness, light) and torch.equal(redness, red.expand(-1, 3, -1, -1))
    )
    assert torn.abs().max() == 0


def test_lips_of_a_grey_picture_are_grey():
    made, _, _ = painted(1.0, grey=True)
    assert np.abs(made - made.mean(0)).max() < 1e-5


def test_teeth_that_stay_in_sight_are_not_painted():
    window, teeth = mouth()
    made, _, _ = painted(0.0, stays=1.0, row=slice(62, 67))
    np.testing.assert_allclose(made[:, teeth], window[0].numpy()[:, teeth], atol=0.02)
    other, _, _ = painted(0.0, stays=0.0, row=slice(62, 67))
    assert np.abs(other[:, teeth] - window[0].numpy()[:, teeth]).min() > 0.1


def test_a_jaw_that_drops_takes_no_upper_teeth_along():
    what = np.zeros((SIZE, SIZE), int)
    what[40:100, 24:104], what[48:54, 32:96], what[54:74, 32:96], what[74:80, 32:96] = 1, 2, 3, 2  # twice the teeth
    what[86:89, 60:68] = 2  # a highlight on the lower lip
    dark = (0.12, 0.07, 0.06)
    window = tensor(2 * np.array([SKIN, LIP, TOOTH, dark])[what].transpose(2, 0, 1)[None] - 1).float()
    opening = tensor((what == 3)[None, None].astype(np.float32)).float()
    tint = tint_of(torch.nn.functional.interpolate(window, size=(128, 128)))
    ones = torch.ones(1, 1, SIZE, SIZE)

    def of(drops):
        says = Parting(torch.zeros(1), torch.zeros(1), torch.tensor([drops]))
        alpha, brightness, redness, torn = lips(says, opening, 0.1 * ones, ones, window, tint)
        made = torch.lerp(window, tint.painted(brightness, redness), alpha)[0].mean(0).numpy()
        return made, torn[0, 0].numpy()

    made, torn = of(1.0)
    given = window[0].mean(0).numpy()
    assert made[75:79, 40:88].max() < -0.6 < given[75:79, 40:88].min()  # dark where teeth were dragged along
    assert torn[75:79, 40:88].min() > 0.9  # nor does the dentition come there
    np.testing.assert_allclose(made[46:52, 40:88], given[46:52, 40:88], atol=0.05)  # the upper teeth stay
    np.testing.assert_allclose(made[84:], given[84:], atol=1e-4)  # and so does the highlight
    assert np.abs(of(0.0)[0][75:79] - given[75:79]).max() < 1e-5


def test_how_far_a_jaw_drops_under_teeth():
    asked = torch.tensor([[0.6, 0.5], [0.6, 0.2], [0.6, 0.0], [0.3, 0.5], [0.6, 0.5]])
    change = torch.tensor([[0.0, 0.5], [0.0, 0.2], [0.0, -0.5], [0.0, 0.5], [0.6, 0.5]])  # the last shows none before
    torch.testing.assert_close(dropping(asked, change), torch.tensor([1.0, 0.5, 0.0, 0.5, 0.0]))


def test_how_far_teeth_stay():
    asked = torch.tensor([[0.6, 0.0], [0.6, 0.5], [0.6, 0.0], [0.3, 0.0], [0.6, 0.2]])
    change = torch.tensor([[0.0, 0.0], [0.0, 0.5], [0.6, 0.0], [0.0, 0.0], [0.0, 0.2]])
    torch.testing.assert_close(staying(asked, change), torch.tensor([1.0, 0.0, 0.0, 0.5, 0.5]))


def test_how_far_lips_close():
    asked = torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.1, 0.0], [0.5, 0.0], [0.0, 0.0]])
    change = torch.tensor([[-0.9, 0.0], [-0.1, -0.15], [-0.1, 0.0], [-0.8, 0.0], [-0.5, 0.0], [0.0, 0.0]])
    torch.testing.assert_close(closing(asked, change), torch.tensor([1.0, 0.5, 0.0, 0.5, 0.0, 0.0]))


def test_a_colour_is_painted_by_its_redness():
    frame = tensor(rand(2, 3, 64, 64)).float()
    colour = torch.tensor([0.3, -0.1, -0.2]).view(1, 3, 1, 1).expand(2, -1, -1, -1)
    tint = Tint(colour, torch.full((2, 1, 1, 1), 0.7))
    light = 0.5 + 0.1 * frame
    grey = light.mean(1, keepdim=True)
    torch.testing.assert_close((tint.painted(grey, tint.redness(light, grey)) + 1) / 2, light, atol=1e-5, rtol=0)
