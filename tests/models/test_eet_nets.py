"""Spectral and instance normalisation, PReLU, the up-sampling residual block, directions of units."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from mien.models.eet.instance import InstanceNorm, PReLU
from mien.models.eet.nets import UpRes
from mien.models.eet.unit_statistics import UnitDirections
from mien.nn.spectral import SpectralNorm, spectral


def values(weight, parts=1, transposed=False):
    """Return every part's largest singular value, by NumPy's decomposition."""
    rows = weight.detach().numpy()
    rows = np.swapaxes(rows, 0, 1) if transposed else rows
    return [np.linalg.svd(part.reshape(len(part), -1), compute_uv=False)[0] for part in np.split(rows, parts)]


@pytest.mark.parametrize(
    ("convolution", "parts"), [(nn.Conv2d(3, 8, 3), 1), (nn.Conv2d(5, 12, 3), 4), (nn.Conv2d(8, 12, 3, groups=4), 4)]
)
def test_every_parts_largest_singular_value_becomes_one(convolution, parts):
    before = convolution.weight.detach().clone()
    conv = spectral(convolution, parts)
    for _ in range(200):
        weight = conv.weight
    np.testing.assert_allclose(values(weight, parts), 1, rtol=1e-4)
    direction = (weight / before).detach().numpy().reshape(parts, -1)
    np.testing.assert_allclose(direction, direction[:, :1].repeat(direction.shape[1], 1), rtol=1e-4)
    np.testing.assert_allclose(1 / direction[:, 0], values(before, parts), rtol=1e-4)


def test_transposed_convolutions_are_normalised_by_outputs():
    conv = spectral(nn.ConvTranspose2d(6, 4, 3))
    for _ in range(200):
        weight = conv.weight
    np.testing.assert_allclose(values(weight, transposed=True), 1, rtol=1e-4)


def test_agrees_with_pytorchs_own():
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 6, 3)
    theirs = nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 6, 3), n_power_iterations=200)
    theirs.load_state_dict({"parametrizations.weight.original": conv.weight, "bias": conv.bias}, strict=False)
    expected = theirs.weight
    ours = spectral(conv)
    for _ in range(200):
        weight = ours.weight
    torch.testing.assert_close(weight, expected)
    weight.square().sum().backward()
    theirs.weight.square().sum().backward()
    torch.testing.assert_close(
        ours.parametrizations.weight.original.grad, theirs.parametrizations.weight.original.grad, atol=1e-4, rtol=1e-3
    )


def test_one_iteration_a_pass_and_none_in_evaluation():
    conv = spectral(nn.Conv2d(4, 6, 3))
    norm = conv.parametrizations.weight[0]
    assert isinstance(norm, SpectralNorm)
    start = norm.left.clone()
    with parametrize.cached():
        assert conv.weight is conv.weight
    once = norm.left.clone()
    assert not torch.equal(start, once)
    conv.eval()
    _ = conv.weight
    assert torch.equal(norm.left, once)
    assert {k.rsplit(".", 1)[1] for k in conv.state_dict() if ".0." in k} == {"left", "right"}


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_instance_norm_and_prelu_equal_pytorchs(dtype):
    torch.manual_seed(0)
    x = torch.randn(3, 4, 6, 6, dtype=dtype).contiguous(memory_format=torch.channels_last)
    activation, theirs = PReLU(), nn.PReLU()
    for net in (activation, theirs):
        nn.init.constant_(net.to(torch.float64 if dtype == torch.float64 else torch.float32).weight, -0.3)
    tolerance = {torch.float64: 1e-12, torch.bfloat16: 0.06}[dtype]
    outputs, gradients, slopes = [], [], []
    for norm, act in ((InstanceNorm(), activation), (nn.InstanceNorm2d(4), theirs)):
        a = x.clone().requires_grad_()
        y = norm(a)
        y = act(y) if act is activation else F.prelu(y, act.weight.to(dtype))
        (y * torch.linspace(-1, 1, y.numel(), dtype=dtype).view_as(y)).sum().backward()
        outputs.append(y)
        gradients.append(a.grad)
        slopes.append(act.weight.grad.double())
    torch.testing.assert_close(*outputs, atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(*gradients, atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(*slopes, atol=tolerance, rtol=tolerance)
    with torch.no_grad():  # the other path of each
        torch.testing.assert_close(InstanceNorm()(x), nn.InstanceNorm2d(4)(x), atol=tolerance, rtol=tolerance)
        torch.testing.assert_close(activation(x), F.leaky_relu(x, -0.3), atol=tolerance, rtol=tolerance)


def test_up_res_is_the_sum_of_its_two_branches():
    torch.manual_seed(0)
    block, x = UpRes(5, 3).double().eval(), torch.randn(2, 5, 4, 4, dtype=torch.float64)
    inner = F.prelu(F.instance_norm(block.straight(x)), block.activation.weight)
    expected = block.doubled(inner) + block.shortcut(x)
    assert expected.shape == (2, 3, 8, 8)
    torch.testing.assert_close(block(x), expected)


def test_amplified_channels_count_more():
    torch.manual_seed(0)
    block, x = UpRes(5, 3).eval(), torch.randn(2, 5, 4, 4)
    quiet = [x.clone(), x.clone()]
    quiet[0][:, :2], quiet[1][:, 2:] = 0, 0  # without the first two, and them alone
    before = [block.shortcut(q).std().item() for q in quiet]
    block.amplify(2, 12.0)
    after = [block.shortcut(q).std().item() for q in quiet]
    np.testing.assert_allclose(after[1] / after[0], 12 * before[1] / before[0], rtol=1e-4)


def test_directions_take_apart_what_comes_together():
    """Units 0 and 1 mostly occur together; the feature's true slopes come out, not the mean of those who show one."""
    rng = np.random.default_rng(0)
    aus = rng.random((4000, 3)) * 5
    aus[:, 1] = np.clip(aus[:, 0] + rng.normal(size=4000), 0, 5)
    aus[:, 2] = np.nan  # never labelled
    slopes = rng.normal(size=(2, 6))
    feature = aus[:, :2] @ slopes + 7
    directions = UnitDirections(3, 6)
    for part in np.split(np.arange(4000), 10):
        directions.add(torch.from_numpy(feature[part]), torch.from_numpy(aus[part]).float())
    for unit in (0, 1):
        np.testing.assert_allclose(directions.direction(unit).numpy(), slopes[unit], atol=0.1)
    with pytest.raises(LookupError):
        directions.direction(2)


def test_directions_fade_and_skip_the_unlabelled():
    directions = UnitDirections(1, 1)
    directions.add(torch.tensor([[1.0], [9.0]]), torch.tensor([[2.0], [torch.nan]]))
    assert directions.gram.tolist() == [[4, 2], [2, 1]] and directions.cross.tolist() == [[2], [1]]
    directions.add(torch.tensor([[3.0]]), torch.tensor([[0.0]]), memory=0.5)
    assert directions.gram.tolist() == [[2, 1], [1, 1.5]] and directions.cross.tolist() == [[1], [3.5]]
