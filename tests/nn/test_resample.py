"""Means and maxima around pixels, against SciPy; pixels from between pixels, against PyTorch."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.nn.functional import grid_sample

from mien.nn.resample import max_around, mean_around, sampled


def test_means_and_maxima_around_pixels():
    x = np.random.default_rng(0).random((2, 3, 12, 20))
    for by in (1, 2, 5):
        sides = (1, 1, 2 * by + 1, 2 * by + 1)
        mean = ndimage.uniform_filter(x, sides, mode="constant")
        np.testing.assert_allclose(mean_around(torch.from_numpy(x), by), mean, atol=1e-12)
        largest = ndimage.maximum_filter(x, sides, mode="constant")
        np.testing.assert_array_equal(max_around(torch.from_numpy(x), by), largest)


@pytest.mark.parametrize(("mirrored", "mode"), [(True, "reflection"), (False, "border")])
def test_pixels_from_between_pixels(mirrored, mode):
    torch.manual_seed(0)
    image, grid = torch.randn(2, 3, 33, 40, dtype=torch.double), 6 * torch.rand(2, 64, 50, 2, dtype=torch.double) - 3
    image.requires_grad_()
    grid.requires_grad_()
    mine, theirs = sampled(image, grid, mirrored), grid_sample(image, grid, padding_mode=mode, align_corners=False)
    torch.testing.assert_close(mine, theirs)
    weights = torch.randn_like(mine)
    for got, expected in zip(
        *(torch.autograd.grad((out * weights).sum(), (image, grid)) for out in (mine, theirs)), strict=True
    ):
        torch.testing.assert_close(got, expected)


def test_places_that_are_no_numbers_crash_nothing():
    grid = torch.full((1, 9, 9, 2), torch.nan)
    grid[0, ::2] = torch.tensor([torch.inf, -1e30])
    assert sampled(torch.ones(1, 3, 16, 16), grid, True)[:, :, ::2].equal(torch.ones(1, 3, 5, 9))
