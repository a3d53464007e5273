"""Regions and similarities against NumPy, torchmetrics and Pillow."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio
from torchmetrics.functional.image import structural_similarity_index_measure

from mien.metrics.regions import GROUPS, region_boxes
from mien.metrics.similarity import l1, psnr, ssim_map

RNG = np.random.default_rng(0)
WHOLE = (slice(None), slice(None))


def pictures(size=48):
    a = RNG.integers(0, 256, (size, size, 3), np.uint8)
    b = np.clip(a + RNG.normal(0, 20, a.shape), 0, 255).astype(np.uint8)
    return a, b


def test_l1_and_psnr():
    a, b = pictures()
    box = (slice(5, 30), slice(10, 40))
    assert l1(a, b, box) == pytest.approx(np.abs(a[box] / 255 - b[box] / 255).mean())
    assert psnr(a, b, box) == pytest.approx(peak_signal_noise_ratio(b[box], a[box], data_range=255))
    assert l1(a, a, WHOLE) == 0 and psnr(a, a, WHOLE) == np.inf


def test_ssim_is_wang_et_al():
    a, b = pictures()
    luma = [torch.from_numpy(x.astype(np.float64) @ [0.299, 0.587, 0.114])[None, None] for x in (a, b)]
    _, full = structural_similarity_index_measure(
        *luma, data_range=255.0, sigma=1.5, kernel_size=11, return_full_image=True
    )
    inner = (slice(8, -8), slice(8, -8))  # away from the border, where implementations pad in their own ways
    mine = ssim_map(a, b)
    assert np.abs(mine[inner] - full[0, 0].numpy()[inner]).max() < 1e-3
    np.testing.assert_allclose(ssim_map(a, a), 1)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(32, 256))
def test_regions_hold_their_landmarks_and_stay_inside(seed, size):
    points = np.random.default_rng(seed).uniform(0, size - 1, (2, 68, 2))
    for name, (rows, columns) in region_boxes(points, size).items():
        assert 0 <= rows.start < rows.stop <= size and 0 <= columns.start < columns.stop <= size
        xy = points[:, list(GROUPS[name])].reshape(-1, 2)
        assert (xy[:, 0] >= columns.start).all() and (xy[:, 0] <= columns.stop).all()
        assert (xy[:, 1] >= rows.start).all() and (xy[:, 1] <= rows.stop).all()
