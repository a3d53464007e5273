"""Calibration, recall and F1 of present units, against SciPy, scikit-learn, torchmetrics and the definitions."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss
from torchmetrics.functional.classification import multiclass_calibration_error

from mien.metrics.calibration import calibration_error, negative_log_likelihood, reliability, temperature, tempered
from mien.metrics.confusion import confusion, presence_f1, recalls

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 8, 500)
LOGITS = RNG.normal(size=(500, 8)) + 2 * np.eye(8)[TRUTH]


@pytest.mark.parametrize("bins", [5, 15])
def test_calibration_error_is_torchmetrics(bins):
    given = softmax(3 * LOGITS, axis=1)
    theirs = multiclass_calibration_error(torch.tensor(given), torch.tensor(TRUTH), 8, n_bins=bins, norm="l1")
    assert calibration_error(given.max(1), given.argmax(1) == TRUTH, bins) == pytest.approx(float(theirs), abs=1e-6)
    assert np.isnan(calibration_error(np.zeros(0), np.zeros(0, bool)))


def test_reliability_is_what_its_bins_hold():
    confidence, right = np.array([0.0, 0.2, 0.21, 0.4, 1.0]), np.array([1, 0, 1, 1, 0], bool)
    found = reliability(confidence, right, 5)
    assert found.count.tolist() == [2, 2, 0, 0, 1]  # a bin holds its upper edge
    np.testing.assert_allclose(found.confidence, [0.1, 0.305, np.nan, np.nan, 1])
    np.testing.assert_allclose(found.accuracy, [0.5, 1, np.nan, np.nan, 0])


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
def test_temperature_is_the_one_that_scipy_finds(sharpness):
    given = softmax(sharpness * LOGITS, axis=1)

    def loss(log_t):
        return log_loss(TRUTH, softmax(np.log(given) / np.exp(log_t), axis=1), labels=range(8))

    theirs = minimize_scalar(loss, bounds=(np.log(0.02), np.log(60)), method="bounded", options={"xatol": 1e-8})
    mine = temperature(given, TRUTH)
    assert mine == pytest.approx(np.exp(theirs.x), rel=1e-3)
    assert negative_log_likelihood(tempered(given, mine), TRUTH) == pytest.approx(theirs.fun, rel=1e-6)
    assert negative_log_likelihood(given, TRUTH) == pytest.approx(log_loss(TRUTH, given, labels=range(8)))


def test_temperature_stays_within_its_bounds():
    right = np.eye(3)[[0, 1, 2, 0]] * 0.4 + 0.2
    assert temperature(right, np.array([0, 1, 2, 0])) == pytest.approx(1 / 64, rel=1e-6)  # always right: ever surer
    assert temperature(right, np.array([1, 2, 0, 2])) == pytest.approx(64, rel=1e-6)  # always wrong
    np.testing.assert_allclose(tempered(np.array([[1.0, 0.0]]), 2.0).sum(), 1)


def test_balanced_accuracy_is_scikit_learns():
    guess = np.where(RNG.random(500) < 0.5, TRUTH, RNG.integers(0, 9, 500))  # 8: no answer
    mine = recalls(confusion(TRUTH, guess, 9)[:8])
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        theirs = balanced_accuracy_score(TRUTH, guess)
    assert mine.mean() == pytest.approx(theirs)
    assert np.isnan(recalls(np.array([[1, 1], [0, 0]]))).tolist() == [False, True]


def test_presence_f1_is_scikit_learns():
    truth, found, known = RNG.random((3, 60, 4)) < [[[0.3]], [[0.4]], [[0.8]]]
    truth[:, 3] = found[:, 3] = False
    mine = presence_f1(truth, found, known)
    for k in range(3):
        assert mine[k] == pytest.approx(f1_score(truth[known[:, k], k], found[known[:, k], k]))
    assert np.isnan(mine[3])
