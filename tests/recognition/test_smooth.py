"""Rows of a clip, smoothed."""

import numpy as np
import pytest

from mien.labels import CLASSES
from mien.recognition.smooth import Smoother


def smoothed(values, name="AU12", step=0.04, **more):
    """Return a column of one person, smoothed."""
    smoother = Smoother()
    rows = [{"number": 1, name: float(v), **more} for v in values]
    return np.array([smoother(row, k * step, False)[name] for k, row in enumerate(rows)])


def test_noise_is_damped_and_a_smile_is_not_late():
    rng = np.random.default_rng(0)
    still = smoothed(2 + rng.normal(0, 0.15, 200))
    assert still[25:].std() < 0.6 * 0.15 and still[25:].mean() == pytest.approx(2, abs=0.05)
    rise = np.clip((np.arange(50) * 0.04 - 0.4) / 0.5, 0, 1) * 5  # half a second from 0 to 5
    late = np.interp(2.5, smoothed(rise)[10:24], np.arange(10, 24)) - np.interp(2.5, rise[10:24], np.arange(10, 24))
    assert 0 <= late * 0.04 < 0.06


def test_people_do_not_mix_and_cuts_begin_anew():
    smoother = Smoother()
    for k in range(5):
        one = smoother({"number": 1, "yaw": 10.0}, k / 25, False)
        other = smoother({"number": 2, "yaw": -20.0}, k / 25, False)
    assert (one["yaw"], other["yaw"]) == (10.0, -20.0)
    assert smoother({"number": 1, "yaw": 30.0}, 0.2, True)["yaw"] == 30.0
    assert smoother({"number": 1, "yaw": 10.0, "AU12": 1.0}, 0.24, False)["AU12"] == 1.0  # another reading


def test_words_stay_probabilities_and_roll_goes_round():
    smoother, rng = Smoother(), np.random.default_rng(0)
    for k in range(20):
        row = dict(zip(CLASSES, rng.dirichlet(np.ones(8)).tolist(), strict=True))
        found = smoother({"number": 1, **row}, k / 25, False)
        assert sum(found[word] for word in CLASSES) == pytest.approx(1, abs=1e-5)
    turned = smoothed([179, -179] * 20, "roll")
    assert np.all(np.abs(turned) >= 178)
