"""Losses that several papers share, against NumPy."""

import numpy as np
import pytest
import torch

from mien.nn import losses

B, RNG = 5, np.random.default_rng(5)


@pytest.mark.parametrize("focus", [0.0, 20.0])
def test_truth_where_there_is_one(focus):
    made, truth, face = RNG.normal(size=(3, B, 3, 4, 4))
    truth[[0, 3]] = np.nan
    known = [1, 2, 4]
    made_, truth_, face_ = (torch.as_tensor(x) for x in (made, truth, face))
    made_.requires_grad_()
    loss = losses.truth_loss(made_, truth_, face_, focus)
    attention = 1 + focus * np.abs(truth - face).mean(1, keepdims=True)
    np.testing.assert_allclose(loss.detach(), (attention * np.abs(made - truth))[known].mean() * 3 / B, rtol=1e-12)
    loss.backward()
    assert made_.grad[[0, 3]].eq(0).all() and made_.grad[known].ne(0).all()
