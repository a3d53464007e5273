"""Up-sampling residual blocks of transposed convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.nn.instance import InstanceNorm, PReLU
from mien.nn.spectral import spectral


class UpRes(nn.Module):
    """UpRes(x) of EET's Table I: DeConv(x,3,1,1,0)-IN-PReLU-DeConv(x,3,2,1,1) plus a shortcut DeConv(x,3,2,1,1).

    (B, I, H, W) -> (B, O, 2H, 2W). No biases: the norm that follows every one of them would take them out again.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.straight = spectral(nn.ConvTranspose2d(inputs, outputs, 3, 1, 1, bias=False))
        self.norm, self.activation = InstanceNorm(), PReLU()
        self.doubled = spectral(nn.ConvTranspose2d(outputs, outputs, 3, 2, 1, 1, bias=False))
        self.shortcut = spectral(nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, 1, bias=False))

    @torch.no_grad()
    def amplify(self, inputs: int, gain: float) -> None:
        """Multiply the weights of the first `inputs` channels, so that they count more beside the others."""
        for layer in (self.straight, self.shortcut):
            layer.get_parameter("parametrizations.weight.original")[:inputs] *= gain

    def forward(self, x: Tensor) -> Tensor:
        """(B, I, H, W) -> (B, O, 2H, 2W)."""
        inner = self.activation(self.norm(self.straight(x)))
        # The sum of two convolutions is one over both inputs: the large map is written once.
        weight = torch.cat([self.doubled.weight, self.shortcut.weight])
        return F.conv_transpose2d(torch.cat([inner, x], 1), weight, None, 2, 1, 1)
