"""The one-euro filter beside SciPy's and beside what theory says."""

import numpy as np
import pytest
from scipy.signal import butter, freqz, lfilter

from mien.faces.one_euro import OneEuro, one_euro, share

STEP = 1 / 30


def smoothed(values, how, unit=1.0):
    state, out = None, []
    for value in values:
        state = one_euro(state, np.asarray(value), STEP, how, unit)
        out.append(state.value)
    return np.array(out)


def test_without_beta_it_is_an_exponential_filter():
    values = np.random.default_rng(0).normal(size=(50, 3))
    weight = float(share(2.0, STEP))
    expected, _ = lfilter([weight], [1, weight - 1], values, axis=0, zi=(1 - weight) * values[:1])
    np.testing.assert_allclose(smoothed(values, OneEuro(2.0, 0.0)), expected, rtol=1e-12)


def test_cutoff_is_where_half_the_power_passes():
    """Sampled finely, the exponential filter is a first-order Butterworth filter of its cutoff."""
    step = 1 / 10_000
    weight = float(share(3.0, step))
    _, mine = freqz([weight], [1, weight - 1], [3.0, 10.0], fs=1 / step)
    _, theirs = freqz(*butter(1, 3.0, fs=1 / step), [3.0, 10.0], fs=1 / step)
    np.testing.assert_allclose(np.abs(mine), np.abs(theirs), rtol=2e-3)


def test_speed_lessens_the_lag_as_the_formula_says():
    """A ramp lags by its speed times (1 - share) / share of a step, once the filter knows the speed."""
    ramp = np.arange(600) * STEP * 4.0
    for beta in (0.0, 1.0, 10.0):
        weight = float(share(1.0 + beta * 4.0 / 2.0, STEP))
        lag = ramp[-1] - smoothed(ramp, OneEuro(1.0, beta), unit=2.0)[-1]
        assert lag == pytest.approx(4.0 * STEP * (1 - weight) / weight, rel=1e-6)


def test_it_keeps_shape_and_type():
    image = np.random.default_rng(0).normal(size=(8, 8, 3)).astype(np.float32)
    state = one_euro(one_euro(None, image, STEP, OneEuro(1, 1)), image + 1, STEP, OneEuro(1, 1))
    assert state.value.dtype == np.float32 and state.value.shape == image.shape
    assert np.all((state.value > image) & (state.value < image + 1))
