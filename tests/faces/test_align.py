"""The aligned crop against scikit-image and against functions whose true values are known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import AffineTransform, SimilarityTransform, warp

from mien.faces import align as module
from mien.faces.align import RIM, align, footprint, invert, similarity, template

EYES = np.array([[410.3, 300.2], [520.8, 331.9]])


def waves(x: np.ndarray, y: np.ndarray, length: float) -> np.ndarray:
    """Three channels of grey levels, waves of at least `length` pixels."""
    k = 2 * np.pi / length
    return np.stack([np.sin(k * x), np.cos(k * y), np.sin(0.7 * k * (x + y))], axis=-1) * 100 + 127


def picture(height: int, width: int, length: float) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    return np.rint(waves(x, y, length)).astype(np.uint8)


def looked_up(matrix: np.ndarray, size: int, length: float) -> np.ndarray:
    """What the crop of `picture` must show, from the formula itself."""
    y, x = np.mgrid[0:size, 0:size]
    points = np.stack([x, y], axis=-1) @ np.linalg.inv(matrix[:, :2]).T
    points -= np.linalg.inv(matrix[:, :2]) @ matrix[:, 2]
    return waves(points[..., 0], points[..., 1], length)


def test_template_is_the_data_sets():
    # Shares of the frame, whose left edge is at -0.5 where pixel centres are whole numbers.
    assert np.allclose(template(256), [[0.35 * 256 - 0.5, 0.4 * 256 - 0.5], [0.65 * 256 - 0.5, 0.4 * 256 - 0.5]])
    # The same point of the face, whatever the size of the crop.
    assert np.allclose((template(64) + 0.5) / 64, (template(1000) + 0.5) / 1000)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5000, 5000), min_size=4, max_size=4), st.integers(16, 512))
def test_similarity_is_scikit_images(values, size):
    eyes = np.array(values).reshape(2, 2)
    if np.linalg.norm(eyes[1] - eyes[0]) < 1:
        return
    theirs = SimilarityTransform.from_estimate(eyes, template(size))
    mine = similarity(eyes, size)
    assert mine.dtype == np.float64
    assert np.allclose(mine, theirs.params[:2], atol=1e-6 * size)
    assert np.allclose(eyes @ mine[:, :2].T + mine[:, 2], template(size), atol=1e-6 * size)
    back = invert(mine)
    assert np.allclose(template(size) @ back[:, :2].T + back[:, 2], eyes, atol=1e-5)


@pytest.mark.parametrize("eyes", [[[5, 5], [5, 5]], [[0, 0], [np.nan, 1]], [[0, 0], [np.inf, 1]]])
def test_eyes_that_fix_nothing(eyes):
    with pytest.raises(ValueError, match="two different points"):
        similarity(np.array(eyes, float), 64)


@pytest.mark.parametrize("size", [24, 64, 150, 256, 700])
def test_the_crop_shows_what_lies_there(size):
    matrix = similarity(EYES, size)
    scale = np.hypot(*matrix[:, 0])
    length = 90 / min(scale, 1)  # waves that the crop can still show
    crop = align(picture(800, 1000, length), matrix, size)
    assert crop.shape == (size, size, 3) and crop.dtype == np.uint8
    inside = np.abs(crop - looked_up(matrix, size, length))
    assert inside.max() < 3 and np.abs((crop - looked_up(matrix, size, length)).mean()) < 0.3


@pytest.mark.parametrize("shrink", [2.0, 3.7, 9.0, 23.0])
def test_what_is_too_fine_is_averaged_and_does_not_alias(shrink):
    y, x = np.mgrid[0:1500, 0:1500]
    fine = np.where((x + y) % 2 == 0, 255, 0).astype(np.uint8)
    stripes = np.where(x % 3 == 0, 240, 0).astype(np.uint8)
    rgb = np.dstack([fine, stripes, np.full_like(fine, 77)])
    turn = SimilarityTransform(scale=1 / shrink, rotation=0.2).params[:2]
    matrix = np.column_stack([turn[:, :2], (23.5, 23.5) - turn[:, :2] @ (750, 750)])  # all inside the photo
    crop = align(rgb, matrix, 48).astype(float)
    assert np.abs(crop[..., 0] - 127.5).max() < 2.5
    assert np.abs(crop[..., 1] - 80).max() < (
        36 if shrink < 3 else 9
    )  # of 240; near the limit of what the crop can show
    assert (crop[..., 2] == 77).all()


@pytest.mark.parametrize("scale", [0.11, 0.4, 1.0, 2.5])
@pytest.mark.parametrize("corner", [(0, 0), (300, 0), (300, 200), (-40, 100), (330, 230)])
def test_outside_the_photo_is_its_mirror(scale, corner):
    rgb = picture(200, 300, 60 / min(scale, 1))
    move = SimilarityTransform(translation=(-corner[0], -corner[1]))
    turn = SimilarityTransform(scale=scale, rotation=0.3, translation=(24, 24))
    matrix = (move + turn).params
    crop = align(rgb, matrix[:2], 48).astype(float)
    smooth = cv2.GaussianBlur(rgb, (0, 0), 0.5 / scale, borderType=cv2.BORDER_REFLECT) if scale < 1 else rgb
    theirs = warp(smooth, AffineTransform(matrix).inverse, order=1, mode="symmetric", output_shape=(48, 48))
    assert np.abs(crop - theirs * 255).mean() < 2.5
    assert np.percentile(np.abs(crop - theirs * 255), 99) < 12


def test_only_the_faces_surroundings_are_worked_on(monkeypatch):
    rgb = picture(2000, 3000, 80)
    seen = []
    real = cv2.GaussianBlur
    monkeypatch.setattr(module.cv2, "GaussianBlur", lambda a, *k, **o: seen.append(a.shape) or real(a, *k, **o))
    align(rgb, similarity(np.array([[1000, 1000], [1100, 1010.0]]), 128), 128)
    assert seen and max(seen[0][:2]) < 700


def test_a_part_of_the_photo_gives_the_same_crop():
    rgb = picture(900, 900, 70)
    eyes = np.array([[400, 420], [520, 440.0]])
    whole = align(rgb, similarity(eyes, 96), 96)
    part = align(np.ascontiguousarray(rgb[96:, 60:]), similarity(eyes - (60, 96), 96), 96)
    assert np.abs(whole.astype(int) - part).max() <= 1


def test_one_channel_and_the_footprint():
    grey = picture(300, 300, 50)[..., 0]
    matrix = similarity(np.array([[130, 140], [170, 140.0]]), 64)
    assert np.array_equal(align(grey, matrix, 64), align(np.dstack([grey] * 3), matrix, 64)[..., 0])
    side = 40 / 0.3  # the eyes are 0.3 of the frame apart
    left, top, right, bottom = footprint(matrix, 64)
    assert (right - left, bottom - top) == pytest.approx((side, side))
    assert (left + right) / 2 == pytest.approx(150)
    assert top == pytest.approx(140 - 0.4 * side)


def test_a_strip_longer_than_opencv_warps_is_cut_too():
    ramp = np.tile(np.linspace(0, 255, 70_000).astype(np.uint8)[None, :, None], (30, 1, 3))
    matrix = np.array([[64 / 70_000, 0, -0.5], [0, 64 / 30, -0.5]])
    made = align(ramp, matrix, 64).astype(float)
    assert np.abs(made[32, 4:-4, 0] - np.linspace(0, 255, 64)[4:-4]).max() < 4


def test_beyond_a_photo_is_a_plain_rim_where_one_is_asked_for():
    rgb = np.random.default_rng(3).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    matrix = np.array([[1.0, 0.0, 10.0], [0.0, 1.0, 6.0]])  # the photo lies at 10-60 across, 6-46 down
    mirrored, plain = align(rgb, matrix, 64), align(rgb, matrix, 64, RIM)
    np.testing.assert_array_equal(plain[6:46, 10:60], rgb)
    np.testing.assert_array_equal(mirrored[6:46, 10:60], rgb)
    outside = np.ones((64, 64), bool)
    outside[6:46, 10:60] = False
    assert (plain[outside] == RIM).all()
