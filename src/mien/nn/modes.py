"""How nets are used: without being trained, and how they lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

Net = TypeVar("Net", bound=nn.Module)
P = ParamSpec("P")
R = TypeVar("R")


def channels_last(net: Net) -> Net:
    """Lay a net's convolutions out in channels_last memory order, where CPUs and GPUs are fastest; returns the net."""
    for parameter in net.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return net


def native_bf16() -> bool:
    """Whether this processor computes in bf16 itself, where convolutions then take about two thirds of the time."""
    has = [getattr(torch.cpu, f"_is_{name}_supported", bool) for name in ("avx512_bf16", "amx_tile")]
    return any(ask() for ask in has)


def exactly(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function compute in the precision of what it is given: autocast would round pixels to bf16."""

    @wraps(function)
    def computed(*args: P.args, **named: P.kwargs) -> R:
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            return function(*args, **named)

    return computed


@contextmanager
def evaluating(*nets: nn.Module) -> Iterator[None]:
    """Put `nets` in evaluation mode (batch norm uses its running figures), and back as they were after."""
    changed = [module for net in nets for module in net.modules() if module.training]  # of a net in use none: setting
    try:  # the mode of every module takes longer than a small net
        for module in changed:
            module.training = False
        yield
    finally:
        for module in changed:
            module.training = True


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
