"""Strided and growing nets against PyTorch's plain layers."""

import pytest
import torch
from torch.nn import functional as F

from mien.models.expr_gan.nets import GrowBlock, GrowingDecoder, StridedBlock, StridedEncoder, normed_perceptron


@pytest.mark.parametrize("norm", [True, False])
def test_strided_block_is_a_5x5_stride_2_convolution(norm):
    block, x, shift = StridedBlock(3, 4, norm, 0.2).double().eval(), torch.randn(2, 3, 9, 9).double(), torch.randn(2, 4)
    plain = F.conv2d(x, block.convolution.weight, block.convolution.bias, stride=2, padding=2)
    plain = plain + shift.double()[:, :, None, None]
    expected = F.leaky_relu(plain / (1 + 1e-5) ** 0.5 if norm else plain, 0.2)
    torch.testing.assert_close(block(x, shift.double()), expected)
    assert block(x).shape == (2, 4, 5, 5) and (block.convolution.bias is None) == norm


@pytest.mark.parametrize("side", [6, 12])
@pytest.mark.parametrize("last", [True, False])
def test_grow_block_is_upsampling_then_convolution(side, last):
    block, x = GrowBlock(3, 4, side, norm=False, last=last).double(), torch.randn(2, 3, 6, 6).double()
    up = F.interpolate(x, size=(side, side), mode="nearest")
    plain = F.conv2d(up, block.convolution.weight, block.convolution.bias, padding=1)
    torch.testing.assert_close(block(x), plain.tanh() if last else plain.relu())


@pytest.mark.parametrize("size", [32, 50, 64])
def test_encoder_and_decoder_mirror_any_size(size):
    encoder = StridedEncoder(size, [2, 4, 8, 16, 32], 7)
    decoder = GrowingDecoder(size, 7, 8, [8, 4, 4, 2, 2, 2, 3], doublings=5)
    made = decoder(encoder(torch.rand(2, 3, size, size)))
    assert made.shape == (2, 3, size, size) and made.abs().max() <= 1


def test_nets_without_norm_keep_their_scale():
    torch.manual_seed(0)
    encoder = StridedEncoder(64, [32, 32, 32, 32, 32], 7, norm=False)
    x = torch.randn(4, 3, 64, 64)
    assert 0.2 < (encoder.blocks(x).square().mean() / x.square().mean()).sqrt() < 2


def test_normed_perceptron_normalises_between_its_layers():
    net = normed_perceptron(6, (5, 3, 1))
    shapes = [tuple(layer.weight.shape) for layer in net if hasattr(layer, "weight")]
    assert shapes == [(5, 6), (5,), (3, 5), (3,), (1, 3)]
    assert net(torch.randn(4, 6)).shape == (4, 1)
