"""Moving a photograph's own pixels at its own resolution."""

import cv2
import numpy as np
import pytest

from mien.faces.morph import Maps, frame_mask, morph

RNG = np.random.default_rng(0)
SIZE = 64
FULL = np.ones((SIZE, SIZE), np.float32)


def photo(height=300, width=260):
    return cv2.GaussianBlur(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8), (0, 0), 3)


def maps(flow=(0.0, 0.0), shade=0.0, alpha=0.0, paint=0.0):
    return Maps(
        np.full((16, 16, 2), flow, np.float32),
        np.full((32, 32), shade, np.float32),
        np.full((64, 64), alpha, np.float32),
        np.full((64, 64, 3), paint, np.float32),
    )


def matrix(scale=0.25, left=20, top=30):
    """Photo pixels -> crop pixels: the crop's pixel 0 lies on the photo's (left, top)."""
    return np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])


def test_nothing_asked_nothing_done():
    rgb = photo()
    assert np.array_equal(morph(rgb, maps(), matrix(), SIZE), rgb)


def test_outside_the_mask_not_a_bit_changes():
    rgb = photo()
    made = morph(rgb, maps((0.1, 0.05), 0.3, 0.5, 200), matrix(), SIZE)
    mask = frame_mask(SIZE)
    weight = cv2.warpAffine(mask, matrix(), rgb.shape[1::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    assert np.array_equal(made[weight == 0], rgb[weight == 0])
    assert (made[weight > 0.9] != rgb[weight > 0.9]).mean() > 0.9


def test_a_flow_moves_by_its_share_of_the_crop():
    rgb = photo()
    # the crop is 64 / 0.25 = 256 photo pixels wide: an eighth of it is 32 pixels
    made = morph(rgb, maps((1 / 8, 0)), matrix(left=0, top=20), SIZE, FULL)
    assert np.array_equal(made[60:200, 40:180], rgb[60:200, 72:212])


def test_a_turned_crop_moves_along_its_own_axes():
    rgb, turned = photo(), np.array([[0.0, 0.25, -10.0], [-0.25, 0.0, 60.0]])  # crop x is photo y, crop y is photo -x
    made = morph(rgb, maps((1 / 8, 0)), turned, SIZE, FULL)
    assert np.array_equal(made[80:180, 60:160], rgb[112:212, 60:160])


@pytest.mark.parametrize(("shade", "alpha", "paint"), [(0.3, 0.0, 0.0), (0.0, 0.4, 200.0), (-0.2, 0.25, 10.0)])
def test_shade_and_paint(shade, alpha, paint):
    rgb = np.full((300, 260, 3), (60, 100, 140), np.uint8)
    made = morph(rgb, maps(shade=shade, alpha=alpha, paint=paint), matrix(), SIZE, FULL)
    expected = (1 - alpha) * rgb[100, 100] * np.exp(shade) + alpha * paint
    np.testing.assert_allclose(made[100, 100], expected, atol=0.51)


def test_a_small_face_gets_no_finer_maps_than_it_has_pixels():
    rgb = np.full((64, 64, 3), 100, np.uint8)
    board = maps(alpha=1.0)
    board.paint[::2, ::2] = 255
    board.paint[1::2, 1::2] = 255  # half of all crop pixels, in a pattern that a photo of a quarter cannot show
    made = morph(rgb, board, np.array([[4.0, 0, 0], [0, 4.0, 0]]), SIZE, FULL)
    assert abs(int(made[6, 6, 0]) - 128) < 12


def test_edges_of_the_photo_are_no_wall():
    rgb = photo(80, 80)
    made = morph(rgb, maps((0.25, -0.25)), matrix(1.0, left=40, top=-20), SIZE, FULL)
    assert made.shape == rgb.shape
