"""Pasting back: what must change, by how much, and above all what must not."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import AffineTransform, warp

from mien.faces import composite, masks
from mien.faces.align import align, similarity
from mien.faces.composite import paste_residual
from mien.faces.masks import feathered_mask, landmark_mask

SIZE = 64


def smooth_photo(height: int = 300, width: int = 400) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    levels = [np.sin(x / 40) * 60 + 120, np.cos(y / 35) * 60 + 120, np.sin((x + y) / 50) * 60 + 120]
    return np.rint(np.stack(levels, axis=-1)).astype(np.uint8)


def noise_photo(seed: int, height: int = 120, width: int = 160) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def crop_points(matrix: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Where each pixel of the photo lies in the crop, (H, W, 2)."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    return np.stack([x, y], axis=-1) @ matrix[:, :2].T + matrix[:, 2]


def out_of_reach(mask: np.ndarray, matrix: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Pixels of the photo around whose place in the mask all is 0, (H, W) bool."""
    padded = np.pad(mask, 2)
    far = np.ones(shape[:2], bool)
    for nudge in product((-0.05, 0.05), repeat=2):  # OpenCV places points to 1/32 of a pixel
        low = np.clip(np.floor(crop_points(matrix, shape) + nudge).astype(int), -2, len(mask)) + 2
        for dx in (0, 1):
            for dy in (0, 1):
                at = np.clip(low + np.array([dx, dy]), 0, len(padded) - 1)
                far &= padded[at[..., 1], at[..., 0]] == 0
    return far


eyes = st.tuples(st.floats(-30, 190), st.floats(-30, 150), st.floats(0.05, 6.28), st.floats(2, 90)).map(
    lambda v: np.array([[v[0], v[1]], [v[0] + v[3] * np.cos(v[2]), v[1] + v[3] * np.sin(v[2])]])
)


@settings(max_examples=60, deadline=None)
@given(eyes, st.integers(0, 99), st.sampled_from(["default", "hard", "spots"]))
def test_outside_the_mask_nothing_changes(where, seed, kind):
    rng = np.random.default_rng(seed)
    rgb, matrix = noise_photo(seed), similarity(where, SIZE)
    mask = feathered_mask(SIZE)
    if kind == "hard":
        mask = (mask > 0.5).astype(np.float32)
    elif kind == "spots":
        mask = (rng.random((SIZE, SIZE)) * (rng.random((SIZE, SIZE)) > 0.8)).astype(np.float32)
    before = rgb.copy()
    residual = rng.uniform(-255, 255, (SIZE, SIZE, 3)).astype(np.float32)
    result = paste_residual(rgb, residual, matrix, None if kind == "default" else mask)
    assert result.dtype == np.uint8 and result is not rgb and np.array_equal(rgb, before)
    far = out_of_reach(mask, matrix, rgb.shape)
    assert np.array_equal(result[far], rgb[far])


@settings(max_examples=30, deadline=None)
@given(eyes, st.integers(0, 99))
def test_no_change_is_no_change(where, seed):
    rgb = noise_photo(seed)
    zero = np.zeros((SIZE, SIZE, 3), np.float32)
    assert np.array_equal(paste_residual(rgb, zero, similarity(where, SIZE)), rgb)


@pytest.mark.parametrize("size", [16, 64, 128, 256, 512])
def test_the_mask_is_a_smooth_oval(size):
    mask = feathered_mask(size)
    assert mask.shape == (size, size) and mask.dtype == np.float32
    assert mask.min() == 0 and mask.max() == 1
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert (border == 0).all()
    # The eyes, the nose and the mouth are wholly inside; the corners wholly outside.
    for x, y in [(0.35, 0.4), (0.65, 0.4), (0.5, 0.55), (0.5, 0.72), (0.5, 0.28)]:
        assert mask[int(y * size), int(x * size)] == 1
    assert mask[int(0.06 * size), int(0.06 * size)] == 0
    step = np.abs(np.diff(mask, axis=0)).max()
    assert step <= 1.8 / (0.22 * 0.45 * size)  # no faster than a smoothstep over the rim
    assert np.allclose(mask, mask[:, ::-1])


def face_points(size: int) -> np.ndarray:
    """Landmarks (68, 2) of a narrow upright face: its jaw half an ellipse, all else where the template has it."""
    angle = np.linspace(np.pi, 0, 17)
    points = np.full((68, 2), (0.5, 0.6))
    points[:17] = np.stack([0.5 + 0.26 * np.cos(angle), 0.45 + 0.45 * np.sin(angle)], 1)
    points[17:27] = np.stack([np.linspace(0.3, 0.7, 10), np.full(10, 0.33)], 1)
    points[27:31, 1], points[33, 1] = np.linspace(0.4, 0.55, 4), 0.58
    points[[36, 39, 42, 45]] = [(0.3, 0.4), (0.4, 0.4), (0.6, 0.4), (0.7, 0.4)]
    return points * size


@pytest.mark.parametrize("size", [64, 256])
def test_a_mask_by_landmarks_keeps_to_the_face(size):
    points = face_points(size)
    mask, oval = landmark_mask(points, size), feathered_mask(size)
    assert mask.shape == (size, size) and mask.dtype == np.float32 and (mask <= oval).all()
    for x, y in [(0.4, 0.4), (0.6, 0.4), (0.5, 0.3), (0.5, 0.55), (0.5, 0.75)]:
        assert mask[int(y * size), int(x * size)] == 1  # eyes, forehead, nose, mouth
    for x, y in [(0.12, 0.5), (0.88, 0.5), (0.2, 0.8), (0.8, 0.8)]:
        assert mask[int(y * size), int(x * size)] == 0 < oval[int(y * size), int(x * size)]  # beside the face
    dropped = points.copy()
    dropped[5:12, 1] += 0.05 * size
    assert landmark_mask(dropped, size).sum() > mask.sum()
    turn = np.array([[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]])
    turned = landmark_mask((points - size / 2) @ turn.T + size / 2, size)
    back = warp(
        turned, AffineTransform(matrix=np.block([[turn, (np.eye(2) - turn) @ np.full((2, 1), size / 2)], [0, 0, 1]]))
    )
    inner = oval == 1  # where the oval, which does not turn, does not count
    assert np.abs(back - mask)[inner].mean() < 0.02


def test_a_constant_change_arrives_in_full():
    rgb = smooth_photo()
    matrix = similarity(np.array([[170.0, 120.0], [230.0, 125.0]]), SIZE)
    residual = np.full((SIZE, SIZE, 3), (20, -15, 7), np.float32)
    changed = paste_residual(rgb, residual, matrix).astype(int) - rgb
    points = crop_points(matrix, rgb.shape)
    core = np.linalg.norm(points - (SIZE / 2, SIZE * 0.52), axis=-1) < 0.33 * SIZE
    assert (changed[core] == (20, -15, 7)).all()
    assert changed[..., 0].min() >= 0 and changed[..., 0].max() == 20


@pytest.mark.parametrize("apart", [30.0, 60.0, 150.0])
def test_the_change_lands_where_scikit_image_puts_it(apart):
    rgb = np.full((700, 700, 3), 100, np.uint8)
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    residual = np.dstack([np.sin(x / 6) * 80, np.cos(y / 7) * 80, np.sin((x - y) / 8) * 80]).astype(np.float32)
    matrix = similarity(np.array([[300.0, 300.0], [300 + apart, 310.0]]), SIZE)
    full = AffineTransform(np.vstack([matrix, [0, 0, 1]]))
    lookup = lambda a: warp(a.astype(float), full, order=3, output_shape=(700, 700), mode="constant")  # noqa: E731
    mask = feathered_mask(SIZE)
    expected = lookup(residual) * lookup(mask)[..., None]
    changed = paste_residual(rgb, residual, matrix).astype(float) - 100
    assert np.abs(changed - expected).max() < 6 and np.abs(changed - expected).mean() < 0.2


def test_pasting_undoes_aligning():
    rgb = smooth_photo()
    matrix = similarity(np.array([[170.0, 120.0], [230.0, 112.0]]), SIZE)
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    residual = np.dstack([np.sin(x / 7), np.cos(y / 7), np.sin((x + y) / 9)]).astype(np.float32) * 40
    difference = align(paste_residual(rgb, residual, matrix), matrix, SIZE).astype(float) - align(rgb, matrix, SIZE)
    assert np.abs(difference - residual * feathered_mask(SIZE)[..., None]).max() < 4


def test_an_edge_does_not_ring():
    rgb = np.full((600, 600, 3), 100, np.uint8)
    residual = np.zeros((SIZE, SIZE, 3), np.float32)
    residual[:, SIZE // 2 :] = 100
    matrix = similarity(np.array([[250.0, 250.0], [380.0, 262.0]]), SIZE)
    changed = paste_residual(rgb, residual, matrix).astype(int) - 100
    assert changed.min() == 0 and changed.max() == 100


def test_a_face_smaller_than_the_crop_does_not_alias():
    rgb = np.full((80, 80, 3), 128, np.uint8)
    y, x = np.mgrid[0:256, 0:256]
    residual = np.dstack([np.where((x + y) % 2 == 0, 100.0, -100.0)] * 3).astype(np.float32)
    matrix = similarity(np.array([[36.0, 36.0], [42.0, 36.5]]), 256)
    assert np.abs(paste_residual(rgb, residual, matrix).astype(int) - 128).max() <= 2


def test_levels_are_clipped_and_do_not_wrap():
    rgb = noise_photo(5)
    matrix = similarity(np.array([[60.0, 50.0], [90.0, 50.0]]), SIZE)
    brighter = paste_residual(rgb, np.full((SIZE, SIZE, 3), 255, np.float32), matrix)
    assert (brighter >= rgb).all() and brighter[60, 75].min() == 255
    assert (paste_residual(rgb, np.full((SIZE, SIZE, 3), -255, np.float32), matrix) <= rgb).all()


def test_tiles_leave_no_seam(monkeypatch):
    rgb = smooth_photo(700, 900)
    matrix = similarity(np.array([[350.0, 300.0], [520.0, 330.0]]), SIZE)
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    residual = np.dstack([np.sin(x / 3), np.cos(y / 3), np.sin((x + y) / 4)]).astype(np.float32) * 60
    whole = paste_residual(rgb, residual, matrix)
    monkeypatch.setattr(masks, "TILE", 90)
    tiled = paste_residual(rgb, residual, matrix)
    assert np.abs(whole.astype(int) - tiled).max() <= 2  # places are rounded to 1/32 pixel, in every tile anew
    assert np.abs(whole.astype(int) - tiled).mean() < 0.05


def test_a_large_photo_is_worked_on_only_around_the_face(monkeypatch):
    rgb = np.full((3000, 4000, 3), 90, np.uint8)
    matrix = similarity(np.array([[2000.0, 1500.0], [2060.0, 1500.0]]), SIZE)
    seen = []
    real = composite.cv2.warpAffine

    def spy(source, moved, to, **options):
        seen.append(to)
        return real(source, moved, to, **options)

    monkeypatch.setattr(composite.cv2, "warpAffine", spy)
    paste_residual(rgb, np.ones((SIZE, SIZE, 3), np.float32), matrix)
    assert seen and max(max(to) for to in seen) <= 203  # 60 / 0.3, and the pixels cut by the border


@pytest.mark.parametrize("shape", [(64, 32, 3), (64, 64), (64, 64, 4)])
def test_wrong_shapes_are_told(shape):
    matrix = similarity(np.array([[60.0, 50.0], [90.0, 50.0]]), SIZE)
    with pytest.raises(ValueError, match="square crop and its mask"):
        paste_residual(noise_photo(0), np.zeros(shape, np.float32), matrix)
