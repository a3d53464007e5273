"""Means and maxima around pixels, against SciPy."""

import numpy as np
import torch
from scipy import ndimage

from mien.nn.resample import max_around, mean_around


def test_means_and_maxima_around_pixels():
    x = np.random.default_rng(0).random((2, 3, 12, 20))
    for by in (1, 2, 5):
        sides = (1, 1, 2 * by + 1, 2 * by + 1)
        mean = ndimage.uniform_filter(x, sides, mode="constant")
        np.testing.assert_allclose(mean_around(torch.from_numpy(x), by), mean, atol=1e-12)
        largest = ndimage.maximum_filter(x, sides, mode="constant")
        np.testing.assert_array_equal(max_around(torch.from_numpy(x), by), largest)
