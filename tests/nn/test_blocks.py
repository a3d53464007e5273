"""Building blocks against PyTorch's own plain layers."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn
from torch.nn import functional as F

from mien.nn.blocks import Decoder, DownBlock, Encoder, folded, halvings
from mien.nn.gradient_reversal import reverse_gradient
from mien.nn.images import blur
from mien.nn.modes import evaluating, untracked
from mien.nn.resample import double_before, halve_after


def test_halvings_are_the_papers():
    assert halvings(75, 5) == [75, 38, 19, 10, 5, 3]


@pytest.mark.parametrize("side", [2, 3, 5, 8, 10, 16, 19, 38, 64, 75])
def test_folded_halving_is_convolution_then_pooling(side):
    x = torch.randn(2, 3, side, side, dtype=torch.float64, requires_grad=True)
    w = torch.randn(4, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    plain = F.avg_pool2d(F.conv2d(x, w, padding=1), 2, ceil_mode=True)
    folded = halve_after(x, w)
    torch.testing.assert_close(folded, plain)
    weight = torch.randn_like(plain)
    for a, b in zip(
        torch.autograd.grad((folded * weight).sum(), (x, w)),
        torch.autograd.grad((plain * weight).sum(), (x, w)),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(("small", "side"), [(1, 2), (2, 4), (4, 8), (5, 10), (16, 32), (3, 5), (10, 19), (38, 75)])
def test_folded_doubling_is_upsampling_then_convolution(small, side):
    x = torch.randn(2, 3, small, small, dtype=torch.float64)
    w, bias = torch.randn(4, 3, 3, 3, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
    plain = F.conv2d(F.interpolate(x, size=(side, side), mode="nearest"), w, bias, padding=1)
    torch.testing.assert_close(double_before(x, w, bias, side), plain)


@pytest.mark.parametrize("side", [32, 64, 75, 96])
def test_decoder_ends_at_the_encoders_size(side):
    x = torch.rand(2, 3, side, side)
    encoder, decoder = Encoder(side, [2, 4, 8, 16, 32], 7), Decoder(side, 7, 32, [16, 8, 4, 2, 3])
    assert [m.shape[-1] for m in encoder.maps(x)] == halvings(side, 5)[1:]
    y = decoder(encoder(x))
    assert y.shape == x.shape and y.abs().max() <= 1


def test_reversal_turns_the_gradient():
    x = torch.ones(3, requires_grad=True)
    y = reverse_gradient(x, 0.5)
    assert torch.equal(x, y)
    (y * 2).sum().backward()
    assert torch.equal(x.grad, torch.full((3,), -1.0))


def test_untracked_leaves_running_figures_and_still_normalises_by_the_batch():
    block = DownBlock(3, 4)
    x = torch.rand(4, 3, 8, 8)
    expected = F.leaky_relu(F.batch_norm(halve_after(x, block.convolution.weight), None, None, training=True), 0.2)
    before = {k: v.clone() for k, v in block.state_dict().items()}
    with untracked(block):
        torch.testing.assert_close(block(x), expected)
    assert all(torch.equal(v, before[k]) for k, v in block.state_dict().items())
    block(x)
    assert not torch.equal(block.norm.running_mean, before["norm.running_mean"])
    assert block.norm.num_batches_tracked == 1


@pytest.mark.parametrize("side", [8, 11, 4])
def test_folded_for_use_a_net_says_the_same_with_the_same_weights(side):
    net = torch.nn.Sequential(DownBlock(3, 4), DownBlock(4, 5)).train()
    for _ in range(3):
        net(torch.randn(4, 3, side, side))  # so that the norms have something to say
    before, x = net.eval().state_dict(), torch.randn(2, 3, side, side)
    plain = net(x)
    folded(net)
    assert net.state_dict().keys() == before.keys()
    torch.testing.assert_close(net(x), plain)
    net[0].convolution.weight.data *= 2
    assert not torch.equal(net.train().eval()(x), plain)  # training goes by the weights again


def test_evaluating_restores_every_modules_own_mode():
    net = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(3))
    net[1].eval()
    with evaluating(net):
        assert not any(m.training for m in net)
    assert net.training and net[0].training and not net[1].training


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.5])
def test_blur_is_scipys(sigma):
    x = torch.randn(2, 3, 24, 20, dtype=torch.float64)
    expected = gaussian_filter(
        x.numpy(), (0, 0, sigma, sigma), mode="mirror", radius=(0, 0, *[max(1, round(3 * sigma))] * 2)
    )
    np.testing.assert_allclose(blur(x, sigma).numpy(), expected, atol=1e-12)
