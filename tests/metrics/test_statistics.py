"""Intervals, tests of a difference and agreement, against SciPy, statsmodels, pingouin, torchmetrics and print."""

import numpy as np
import pandas as pd
import pingouin
import pytest
import torch
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_curve
from torchmetrics.functional.classification import multiclass_f1_score
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from mien.metrics.bootstrap import interval
from mien.metrics.icc import agreements, au_table, icc_3_1
from mien.metrics.image_similarity import psnr, ssim_map
from mien.metrics.significance import by_person, difference, mcnemar, sign_permutation
from mien.metrics.verification import tar_at_far, verified

SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])


def test_interval_over_single_pictures_is_scipys():
    x = np.random.default_rng(0).gamma(2.0, size=80)
    mine = interval(lambda rows: x[rows].mean(), np.arange(80), draws=9999, seed=1)
    theirs = stats.bootstrap((x,), np.mean, method="percentile", n_resamples=9999, rng=np.random.default_rng(2))
    assert mine.value == pytest.approx(x.mean())
    np.testing.assert_allclose([mine.low, mine.high], theirs.confidence_interval, atol=0.02)


def test_interval_draws_people_not_pictures():
    rng = np.random.default_rng(3)
    mean_of = rng.normal(size=30)
    x, people = np.repeat(mean_of, 50), np.repeat(np.arange(30), 50)  # all of a person's pictures say the same
    wide = interval(lambda rows: x[rows].mean(), people, seed=4)
    of_people = stats.bootstrap((mean_of,), np.mean, method="percentile", rng=np.random.default_rng(5))
    np.testing.assert_allclose([wide.low, wide.high], of_people.confidence_interval, atol=0.05)
    narrow = interval(lambda rows: x[rows].mean(), np.arange(len(x)), seed=4)
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)
    assert wide == interval(lambda rows: x[rows].mean(), people, seed=4)
    assert wide != interval(lambda rows: x[rows].mean(), people, seed=5)


def test_interval_takes_uneven_people_and_figures_that_fail():
    people = np.array(["b", "a", "a", "c", "a"])
    seen = []
    interval(lambda rows: seen.append(len(rows)) or 0.0, people, draws=200)
    assert set(seen) <= set(range(3, 10)) and seen[-1] == 5 and len(set(seen)) > 3
    assert np.isnan(interval(lambda rows: float("nan"), people, draws=10).low)
    with pytest.raises(ValueError, match="two or more"):
        interval(lambda rows: 0.0, np.zeros(4))


def test_mcnemar_is_the_binomial_test():
    statsmodels = pytest.importorskip("statsmodels.stats.contingency_tables", reason="statsmodels is not installed")
    rng = np.random.default_rng(6)
    first, second = rng.random(200) < 0.8, rng.random(200) < 0.7
    table = [[int((a & b).sum()) for b in (second, ~second)] for a in (first, ~first)]
    assert mcnemar(first, second) == pytest.approx(statsmodels.mcnemar(table, exact=True).pvalue, abs=1e-12)
    assert mcnemar(first, first) == 1.0
    assert mcnemar(np.array([True] * 6), np.array([False] * 6)) == pytest.approx(2 / 2**6)


def test_permutation_by_person():
    each = np.array([0.1, 0.2, 0.05, 0.3, 0.15])
    assert sign_permutation(each) == pytest.approx(2 / 2**5)  # exact: only all + and all − are as extreme
    assert sign_permutation(np.array([1.0, -1.0])) == 1.0 and sign_permutation(np.zeros(4)) == 1.0
    many = np.random.default_rng(7).normal(0.3, 1.0, 60)
    assert sign_permutation(many) == pytest.approx(stats.ttest_1samp(many, 0).pvalue, abs=0.02)
    np.testing.assert_allclose(by_person(np.array([1.0, 0, 1, 1]), np.array(["b", "a", "b", "a"])), [0.5, 1.0])


def test_difference_is_of_people():
    rng = np.random.default_rng(8)
    people = np.repeat(np.arange(20), 10)
    first, second = rng.random(200) < 0.9, rng.random(200) < 0.6
    found = difference(first, second, people)
    each = first.reshape(20, 10).mean(1) - second.reshape(20, 10).mean(1)
    assert found.accuracy == pytest.approx(each.mean())
    assert found.wilcoxon == pytest.approx(stats.wilcoxon(each.round(12)).pvalue)
    assert found.mcnemar < 0.01 and found.permutation < 0.01
    assert (found.only_first, found.only_second) == (int((first & ~second).sum()), int((second & ~first).sum()))
    same = difference(first, first, people)
    assert (same.accuracy, same.mcnemar, same.permutation, same.wilcoxon) == (0, 1, 1, 1)
    # One person's 200 pictures are one person: certain by picture, nothing by person.
    lone = difference(np.ones(200, bool), np.r_[np.zeros(100, bool), np.ones(100, bool)], np.r_[np.zeros(100), 1:101])
    assert lone.mcnemar < 1e-6 and lone.permutation > 0.9
    with pytest.raises(ValueError, match="as many"):
        difference(first, second[:-1], people)


def test_shrout_and_fleiss():
    """1979, Table 4: ICC(1,1) .17, ICC(2,1) .29, ICC(3,1) .71; the first two check that the table is theirs."""
    rows = [(t, j, v) for t, line in enumerate(SHROUT_FLEISS) for j, v in enumerate(line)]
    frame = pd.DataFrame(rows, columns=["target", "judge", "score"])
    table = pingouin.intraclass_corr(frame, targets="target", raters="judge", ratings="score")["ICC"].to_numpy()
    np.testing.assert_allclose(table[:3], [0.17, 0.29, 0.71], atol=0.006)
    assert icc_3_1(*SHROUT_FLEISS.T) == pytest.approx(table[2], abs=1e-6)


def test_au_table_leaves_out_what_is_unknown():
    rng = np.random.default_rng(9)
    labels, estimates = rng.uniform(0, 5, (40, 3)), rng.uniform(0, 5, (40, 3))
    labels[:7, 0], estimates[:, 1], labels[1:, 2] = np.nan, np.nan, np.nan
    table = au_table(labels, estimates, (1, 2, 12))
    assert table.loc["AU01", "icc"] == pytest.approx(icc_3_1(labels[7:, 0], estimates[7:, 0]))
    assert table.loc["AU01", "mse"] == pytest.approx(np.mean((labels[7:, 0] - estimates[7:, 0]) ** 2))
    assert (
        table.images.tolist()[:3] == [33, 0, 1] and table.loc[["AU02", "AU12"], ["icc", "mse"]].isna().to_numpy().all()
    )
    assert table.loc["mean", "icc"] == table.loc["AU01", "icc"]


def test_ssim_and_psnr_are_torchmetrics():
    rng = np.random.default_rng(10)
    a = rng.integers(0, 256, (40, 48, 3), np.uint8)
    b = np.clip(a + rng.normal(0, 25, a.shape), 0, 255).astype(np.uint8)
    luma = [torch.from_numpy(x.astype(np.float64) @ [0.299, 0.587, 0.114])[None, None] for x in (a, b)]
    _, full = structural_similarity_index_measure(*luma, data_range=255.0, return_full_image=True)
    inner = (slice(6, -6), slice(6, -6))  # the border is padded in other ways
    np.testing.assert_allclose(ssim_map(a, b)[inner], full[0, 0].numpy()[inner], atol=1e-6)
    whole = (slice(None), slice(None))
    theirs = peak_signal_noise_ratio(torch.from_numpy(a).double(), torch.from_numpy(b).double(), data_range=255.0)
    assert psnr(a, b, whole) == pytest.approx(float(theirs), abs=1e-6)


@pytest.mark.parametrize("far", [0.01, 0.001])
def test_tar_at_far_is_the_roc_curves(far):
    rng = np.random.default_rng(11)
    own = np.repeat(np.arange(40), 3)
    similarity = rng.normal(0, 1, (120, 40))
    similarity[np.arange(120), own] += 2.5
    true = np.eye(40, dtype=bool)[own]
    false_rate, true_rate, _ = roc_curve(true.ravel(), similarity.ravel(), drop_intermediate=False)
    assert tar_at_far(similarity, own, far) == pytest.approx(true_rate[false_rate <= far].max(), abs=1e-12)
    wrong = np.sort(similarity[~true])[::-1]
    threshold = wrong[int(far * len(wrong))]  # so many wrong pairs lie above it
    assert tar_at_far(similarity, own, far) == pytest.approx((similarity[true] > threshold).mean())


@pytest.mark.parametrize(("people", "folds"), [(40, 10), (23, 10), (7, 10), (9, 3)])
def test_verification_accuracy_is_scikit_learns_by_folds_of_people(people, folds):
    rng = np.random.default_rng(people)
    own = rng.permutation(np.repeat(np.arange(people), 3))
    similarity = rng.normal(0, 1, (len(own), people)).round(1)  # ties
    similarity[np.arange(len(own)), own] += 2
    right, told = np.eye(people, dtype=int)[own], np.zeros(similarity.shape, bool)
    fold = np.arange(people) % min(folds, people)
    for k in range(fold.max() + 1):
        others = np.ix_(fold[own] != k, fold != k)  # no pair with anybody of the fold
        false_rate, true_rate, at = roc_curve(
            right[others].ravel(), similarity[others].ravel(), drop_intermediate=False
        )
        best = np.argmax(true_rate - false_rate)  # `at` falls: halfway to the next pair
        told[fold[own] == k] = similarity[fold[own] == k] >= at[best : best + 2].mean()
    expected = balanced_accuracy_score(right.ravel(), told.ravel())
    assert verified(similarity, own, folds).mean() == pytest.approx(expected, abs=1e-12)
    assert 0.7 < expected < 0.99


def test_verification_of_the_known_and_of_strangers():
    own = np.repeat(np.arange(5), 4)
    assert (verified(np.eye(5)[own], own) == 1).all()
    assert verified(np.eye(5)[(own + 1) % 5], own).mean() == 0.5  # knows nobody: right as a coin is
    assert np.isnan(verified(np.eye(2)[[0, 1]], np.array([0, 1]))).all()  # nobody is left to choose a threshold by


def test_macro_f1_is_called_from_scikit_learn():
    """What tables call is scikit-learn's; another library agrees that it is the plain mean over classes."""
    rng = np.random.default_rng(12)
    truth, guess = rng.integers(0, 6, 300), rng.integers(0, 6, 300)
    theirs = multiclass_f1_score(torch.from_numpy(guess), torch.from_numpy(truth), 6, average="macro")
    assert f1_score(truth, guess, average="macro") == pytest.approx(float(theirs), abs=1e-6)


def test_agreements_are_those_of_each_column():
    rng = np.random.default_rng(8)
    a, b = rng.random((60, 4)) * 5, rng.random((60, 4)) * 5
    a[:, 1] = b[:, 1] = 2.0  # nothing varies: no ICC
    a[rng.random(60) < 0.3, 2] = np.nan
    a[1:, 3] = np.nan  # one row is too few
    icc, error = agreements(a, b)
    known = ~np.isnan(a[:, 2])
    for k, rows in ((0, slice(None)), (2, known)):
        assert icc[k] == pytest.approx(icc_3_1(a[rows, k], b[rows, k]), abs=1e-12)
        assert error[k] == pytest.approx(np.mean((a[rows, k] - b[rows, k]) ** 2))
    assert np.isnan(icc[[1, 3]]).all() and error[1] == 0 and np.isnan(error[3])
