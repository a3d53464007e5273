"""Regions and similarities against NumPy, torchmetrics and Pillow."""

import numpy as np
import pandas as pd
import pingouin
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.stats import linregress
from skimage.metrics import peak_signal_noise_ratio
from torchmetrics.functional.image import structural_similarity_index_measure

from mien.metrics.edit_strength import strength
from mien.metrics.frechet import frechet_distance
from mien.metrics.icc import icc_3_1, mse
from mien.metrics.image_similarity import l1, psnr, ssim_map
from mien.metrics.regions import GROUPS, region_boxes
from mien.metrics.verification import cosines, rank_1, tar_at_far

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


def test_icc_is_pingouins():
    rng = np.random.default_rng(0)
    a = rng.uniform(0, 5, 40)
    b = 0.7 * a + 1 + rng.normal(0, 0.6, 40)
    table = pd.DataFrame({"rater": ["a"] * 40 + ["b"] * 40, "face": [*range(40)] * 2, "value": np.concatenate([a, b])})
    found = pingouin.intraclass_corr(table, targets="face", raters="rater", ratings="value").set_index("Type")
    row = next(name for name in found.index if name in ("ICC3", "ICC(C,1)"))
    assert icc_3_1(a, b) == pytest.approx(found.loc[row, "ICC"], abs=1e-9)
    assert mse(a, b) == pytest.approx(np.mean((a - b) ** 2))
    assert icc_3_1(a, a + 2) == pytest.approx(1)  # consistency: a constant does not matter
    assert np.isnan(icc_3_1(np.ones(5), np.ones(5)))


def test_icc_of_the_published_example():
    """Shrout & Fleiss 1979, Tables 2 and 4: six targets, four judges, ICC(3,1) = .71."""
    judges = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    assert icc_3_1(*judges.T) == pytest.approx(0.71, abs=0.005)


def test_rank_1_and_tar_at_far():
    similarity = np.array([[0.9, 0.1, 0.3], [0.2, 0.8, 0.1], [0.7, 0.2, 0.6], [0.1, 0.1, 0.95]])
    own = np.array([0, 1, 2, 2])
    assert rank_1(similarity, own) == 0.75
    assert tar_at_far(similarity, own, 0.0) == 0.75  # above .7, the best wrong pair, lie .9, .8 and .95
    assert tar_at_far(similarity, own, 0.2) == 1.0
    rng = np.random.default_rng(1)
    codes = rng.normal(size=(30, 8))
    assert rank_1(cosines(codes + 0.01 * rng.normal(size=codes.shape), codes), np.arange(30)) == 1


def test_strength_is_scipys_line():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(40, 3))
    achieved = 0.7 * true + 0.2 + rng.normal(size=(40, 3)) * 0.1
    achieved[3, 1] = true[5, 2] = np.nan
    known = ~np.isnan(achieved) & ~np.isnan(true)
    line = linregress(true[known], achieved[known])
    assert strength(achieved, true) == pytest.approx({"slope": line.slope, "change_r": line.rvalue})
    assert np.isnan(strength(achieved, np.zeros((40, 3)))["slope"])


def test_frechet_distance_is_scipys():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(200, 6)) @ rng.normal(size=(6, 6)), rng.normal(size=(150, 6)) + 0.5
    ca, cb = np.cov(a.T), np.cov(b.T)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
