"""Contexts for nets that are used without being trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def evaluating(*nets: nn.Module) -> Iterator[None]:
    """Put `nets` in evaluation mode (batch norm uses its running figures), and back as they were after."""
    modes = [(module, module.training) for net in nets for module in net.modules()]
    try:
        for net in nets:
            net.eval()
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def untracked(*nets: nn.Module) -> Iterator[None]:
    """Let batch norm normalise by its batch but leave its running figures alone.

    Synthesised images pass through encoders that will later see real ones: they must not shift those figures.
    """
    norms = [m for net in nets for m in net.modules() if isinstance(m, _BatchNorm)]
    momenta = [m.momentum for m in norms]
    counts = [m.num_batches_tracked for m in norms]
    try:
        for m in norms:
            m.momentum = 0.0
            m.num_batches_tracked = None
        yield
    finally:
        for m, momentum, count in zip(norms, momenta, counts, strict=True):
            m.momentum, m.num_batches_tracked = momentum, count
