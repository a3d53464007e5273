"""The U-Net's norm, sizes and skips."""

import numpy as np
import torch
from torch import nn

from mien.models.jesrl.unet import Level, UNetDecoder, UNetEncoder, l2_normal


def test_l2_norm_is_over_the_channels_of_a_place():
    x = np.random.default_rng(0).normal(size=(2, 5, 3, 3))
    expected = x / np.sqrt((x**2).mean(1, keepdims=True))
    np.testing.assert_allclose(l2_normal(torch.from_numpy(x)).numpy(), expected, rtol=1e-6)
    assert not l2_normal(torch.zeros(1, 4, 2, 2)).isnan().any()


def test_levels_halve_and_double_exactly():
    x = torch.randn(1, 3, 20, 20)
    assert Level(3, 4)(x).shape == (1, 4, 10, 10) and Level(3, 4, up=True)(x).shape == (1, 4, 40, 40)
    assert any(isinstance(m, nn.BatchNorm2d) for m in Level(3, 4, batch_norm=True).modules())


def test_skips_are_added_to_every_run_of_their_image():
    torch.manual_seed(0)
    encoder, decoder = UNetEncoder([3, 4, 6, 8]), UNetDecoder([8, 6, 4])
    seen = encoder(torch.randn(2, 3, 16, 16))
    assert [tuple(m.shape[1:]) for m in (*seen.skips, seen.representation)] == [(4, 8, 8), (6, 4, 4), (8, 2, 2)]
    codes = torch.randn(6, 8, 2, 2)  # three runs of two images
    made = decoder(codes, seen.skips)
    x = codes[3:4]  # the second run of the second image
    for level, skip in zip(decoder.levels, reversed(seen.skips), strict=True):
        x = level(x) + skip[1:2]
    torch.testing.assert_close(made[3:4], decoder.last(x).tanh())
