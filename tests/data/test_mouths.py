"""What open mouths show, on made ones whose teeth are known."""

import numpy as np
import pytest

from mien.data.sampling.augment import Warp, apply
from mien.data.sampling.mouths import CELL, FRAME, LEFT, TOP, Mouths, read_mouths
from mien.data.sampling.rendered import COLUMNS, ROWS
from mien.errors import InputError


def row_of_teeth(left, top):
    """A mouth with a block of teeth, 40 × 12 pixels of the frame, whose angle grows by a hundredth a pixel."""
    part, arch = np.zeros((ROWS, COLUMNS), np.uint8), np.zeros((ROWS, COLUMNS, 2), np.int8)
    y, x = np.mgrid[:12, :40]
    at = (top - TOP + y, left - LEFT + x)
    part[at] = 1
    arch[at] = np.stack([4 * (x - 20) // 2, 4 * y // 2], -1)
    part[top - TOP + 12 : top - TOP + 16, left - LEFT : left - LEFT + 40] = 3
    return part, arch


@pytest.fixture
def mouths():
    looks = [row_of_teeth(100, 180), row_of_teeth(108, 188), (np.zeros((ROWS, COLUMNS)), np.zeros((ROWS, COLUMNS, 2)))]
    return Mouths(
        np.stack([a for a, _ in looks]).astype(np.uint8),
        np.stack([b for _, b in looks]).astype(np.int8),
        np.array([0, 1, 2, -1]),
    )


def test_teeth_that_both_show_are_moved(mouths):
    flow, share = mouths.moved(0, 1)
    assert flow.shape == (FRAME // CELL, FRAME // CELL, 2)
    inside = share == 1
    assert inside.sum() == 10 * 3
    np.testing.assert_allclose(flow[inside], -8 / CELL)  # both ways: from 108, 188 to 100, 180
    assert share[50].max() == 0  # the dark below them is nowhere else
    assert mouths.moved(0, 2) is None  # no teeth
    assert mouths.moved(0, 3) is None  # nothing known


@pytest.mark.parametrize("warp", (Warp(), Warp(flip=True), Warp(angle=5, scale=1.1, shift=(0.02, -0.03))))
def test_teeth_are_seen_where_the_warped_picture_shows_them(mouths, warp):
    picture = np.zeros((FRAME, FRAME, 3), np.uint8)
    picture[TOP : TOP + ROWS, LEFT : LEFT + COLUMNS] = 250 * (mouths.part[0] == 1)[..., None].astype(np.uint8)
    shown = apply(picture, warp, FRAME)[128:, 64:192, 0] > 125
    tooth, angle, height = mouths.seen(np.array([0]), [warp], FRAME)[0]
    assert ((np.nan_to_num(tooth) == 1) != shown).mean() < 0.005
    grows = np.polyfit(np.nonzero(tooth == 1)[1], angle[tooth == 1], 1)[0]
    np.testing.assert_allclose(grows, 0.02 / warp.scale, rtol=0.1)  # to the right, of a mirrored mouth too
    assert np.nanmin(height) == 0


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "mouths.npz").write_bytes(b"PK no zip")
    with pytest.raises(InputError, match=r"mouths\.npz"):
        read_mouths((tmp_path,), [])
    assert read_mouths((), []) is None
