"""Lids that are drawn over eyes, against Pillow and NumPy and against what they promise."""

from itertools import pairwise

import numpy as np
import torch
from PIL import Image

from mien.controls import Controls
from mien.faces.align import EYES as CENTRES
from mien.labels import AUS
from mien.models.fields.code import asked_code, corrected
from mien.models.fields.lids import OPEN, RAISED, Lid, from_eye, lid, shutting
from mien.models.reader.code import CODE, UNITS
from mien.nn.tint import Tint, tint_of
from mien.nn.windows import EYES
from mien.runtime import exported
from tests.models.test_equations_fields import rand, tensor

SIZE = 64


def at_rest(shut, pixels, eye=0):
    """The lid of a net that says nothing yet."""
    frame = torch.nn.functional.interpolate(pixels, size=(128, 128))
    return lid(torch.zeros(len(pixels), 2, SIZE, SIZE), shut, pixels, EYES[eye], CENTRES[eye], tint_of(frame))


def test_a_brow_does_not_darken_a_lid():
    plain = torch.full((1, 3, SIZE, SIZE), 0.3)
    brow = plain.clone()
    _, y = from_eye(SIZE, EYES[0], CENTRES[0], plain.device)
    brow[..., y[0, 0, :, 0] < -1.5, :] = -0.8
    shut = torch.ones(1)
    expected, made = (at_rest(shut, pixels).brightness[0, 0, 24:40, 24:40] for pixels in (plain, brow))
    torch.testing.assert_close(made, expected, atol=0.01, rtol=0)


def test_a_lid_lies_on_a_patch_as_pillow_lays_pictures():
    below, above = (np.rint(255 * rand(3, 1, 8, 8, low=0)).astype(np.uint8)[:, 0] for _ in range(2))
    pictures = [Image.fromarray(np.stack([x[1], x[2], x[2], x[0]], -1), "RGBA") for x in (below, above)]
    expected = np.asarray(Image.alpha_composite(*pictures)).astype(float) / 255
    a, b = (torch.from_numpy(x / 255)[None].float() for x in (below, above))
    alpha, brightness, redness = Lid(*b.split(1, 1)).over(*a.split(1, 1))
    np.testing.assert_allclose(alpha[0, 0], expected[..., 3], atol=0.004)
    clear = expected[..., 3] > 0.2  # where it hardly covers, eight bits tell no colour
    np.testing.assert_allclose(brightness[0, 0].numpy()[clear], expected[..., 0][clear], atol=0.02)
    np.testing.assert_allclose(redness[0, 0].numpy()[clear], expected[..., 1][clear], atol=0.02)


def test_a_lid_has_the_colour_of_the_skin_around_an_eye():
    skin = np.array([0.5, 0.1, -0.1])
    face = np.broadcast_to(skin[None, :, None, None], (1, 3, SIZE, SIZE)).copy()
    left, top, right, bottom = EYES[1]
    place = (np.arange(SIZE) + 0.5) / SIZE
    x = (left + (right - left) * place - CENTRES[1][0]) / OPEN[0]
    y = (top + (bottom - top) * place - CENTRES[1][1] + RAISED) / OPEN[1]
    radius = x[None] ** 2 + y[:, None] ** 2
    face[..., radius < 1] = [[[-0.7], [-0.2], [0.6]]]  # a blue eye
    window = tensor(face).float()
    tint = Tint(
        tint_of(torch.from_numpy(skin)[None, :, None, None].float().expand(1, 3, 64, 64)).colour, torch.ones(1, 1, 1, 1)
    )
    made = lid(torch.zeros(1, 2, SIZE, SIZE), torch.ones(1), window, EYES[1], CENTRES[1], tint)
    alpha = made.alpha[0, 0].numpy()
    assert alpha[radius < 0.3].min() > 0.95 and alpha[radius > 2].max() < 0.01
    colour = tint.painted(made.brightness, made.redness)[0].numpy()
    np.testing.assert_allclose(
        colour[:, radius < 1], np.broadcast_to(skin[:, None], (3, (radius < 1).sum())), atol=0.01
    )


def test_a_lid_that_stays_covers_nothing_and_grey_stays_grey():
    grey = tensor(rand(2, 1, SIZE, SIZE)).float().expand(-1, 3, -1, -1).contiguous()
    made = at_rest(torch.tensor([0.0, 0.5]), grey)
    assert (made.alpha[0] == 0).all() and made.alpha[1].max() > 0.9
    colour = tint_of(grey).painted(made.brightness, made.redness)
    assert (colour - colour.mean(1, keepdim=True)).abs().max() < 1e-5


def test_a_lid_comes_down_over_the_eye_from_above():
    made = at_rest(torch.linspace(0.3, 1, 8), torch.zeros(8, 3, SIZE, SIZE)).alpha[:, 0]
    middle = round((CENTRES[0][0] - EYES[0][0]) / (EYES[0][2] - EYES[0][0]) * SIZE)
    covered = made[:, :, middle] > 0.5
    lowest = [int(np.flatnonzero(column.numpy())[-1]) for column in covered]
    assert all(a < b for a, b in pairwise(lowest[:5])) and lowest == sorted(lowest)
    assert lowest[-1] - lowest[0] > SIZE / 6
    top = int(np.flatnonzero(covered[0].numpy())[0])
    assert all(column[top : end + 1].all() for column, end in zip(covered, lowest, strict=True))  # without a gap
    soft = (made[:, :, middle] > 0.1) & (made[:, :, middle] < 0.9)
    assert soft.sum(1).max() <= 6  # pixels at its two rims: no veil


def test_lids_are_not_corrected_by_what_they_are_read_as():
    wanted, reached = torch.full((1, CODE), 0.5), torch.zeros(1, CODE)
    better = corrected(wanted, wanted, reached)
    shut = [AUS.index(43), UNITS + AUS.index(43)]
    assert (better[0, shut] == 0.5).all() and (better[0, [0, UNITS]] > 0.6).all()


def test_a_lid_has_no_dot_where_the_eye_has_its_highlight():
    maps = torch.zeros(1, 2, SIZE, SIZE)
    maps[0, 1, 34, 30] = -0.4
    grey = torch.zeros(1, 3, SIZE, SIZE)
    frame = torch.zeros(1, 3, 128, 128)
    made = lid(maps, torch.ones(1), grey, EYES[0], CENTRES[0], tint_of(frame)).brightness
    assert made.min() > 0.9 * made.max()


def test_what_may_be_misread_is_no_lid_to_learn_from():
    torch.testing.assert_close(
        shutting(torch.tensor([-1.0, 0.0, 0.2, 0.35, 0.5, 1.0])), torch.tensor([0, 0, 0, 0.5, 1, 1])
    )


def test_what_is_asked_to_shut_is_not_raised():
    known = torch.zeros(1, CODE)
    asked = asked_code(known, Controls("surprise", aus={"43L": 5}))
    five, shut = AUS.index(5), AUS.index(43)
    assert asked[0, shut] == 1 and asked[0, five] == 0
    assert (
        asked[0, UNITS + shut] == 0 and asked[0, UNITS + five] == asked_code(known, Controls("surprise"))[0, five] > 0
    )
    told = exported.asked_code(known[0].numpy(), Controls("surprise", aus={"43L": 5}))
    np.testing.assert_array_equal(told, asked[0])  # without torch, too
    wide = known.clone()
    wide[0, five] = 0.6
    assert asked_code(wide, Controls(aus={12: 3}))[0, five] == wide[0, five]  # nothing shuts: as it is
