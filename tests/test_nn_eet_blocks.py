"""Spectral and instance normalisation, PReLU, the up-sampling residual block, exemplar maps by level."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from mien.nn.instance import InstanceNorm, PReLU
from mien.nn.level_maps import LevelMaps
from mien.nn.residual import UpRes
from mien.nn.spectral import SpectralNorm, spectral


def values(weight, parts=1, transposed=False):
    """Return every part's largest singular value, by NumPy's decomposition."""
    rows = weight.detach().numpy()
    rows = np.swapaxes(rows, 0, 1) if transposed else rows
    return [np.linalg.svd(part.reshape(len(part), -1), compute_uv=False)[0] for part in np.split(rows, parts)]


@pytest.mark.parametrize(
    ("convolution", "parts"),
    [(nn.Conv2d(3, 8, 3), 1), (nn.Conv2d(5, 12, 3), 4), (nn.Conv2d(8, 12, 3, groups=4), 4)],
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


def test_level_maps_lie_between_the_levels_seen():
    maps = LevelMaps(2, 6, 3)
    rows = torch.tensor([[[0.0, 0, 0], [9, 9, 9]], [[2.0, 2, 2], [9, 9, 9]], [[4.0, 4, 4], [9, 9, 9]]])
    maps.add(rows, torch.tensor([[1.0, torch.nan], [1, torch.nan], [3, torch.nan]]))
    for value, expected in ((0, 1), (1, 1), (1.5, 1.75), (2, 2.5), (3, 4), (5, 4)):
        assert maps.at(0, value).tolist() == [expected] * 3
    with pytest.raises(LookupError):
        maps.at(1, 2.0)
    maps.add(rows[:1] + 10, torch.tensor([[3.0, torch.nan]]), memory=0.5)
    assert maps.at(0, 3).tolist() == [8] * 3  # (0.5 · 4 + 10) / (0.5 + 1)
