"""Activation checkpointing: what blocks of layers compute is thrown away, and computed again for the gradients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from mien.nn.modes import untracked


class Recomputed:
    """A block's forward pass that keeps its inputs alone; it survives a copy of the block, which it follows."""

    def __init__(self, block: nn.Module):
        self.block = block

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Return what the block gives."""
        forward = type(self.block).forward
        if not torch.is_grad_enabled():
            return forward(self.block, *inputs, **named)
        return checkpoint(forward, self.block, *inputs, use_reentrant=False, context_fn=self._contexts, **named)

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), untracked(self.block)  # running figures are of the first pass alone


def recompute(net: nn.Module) -> None:
    """Let a net keep less for its gradients: of the blocks in its lists and sequences that convolve, inputs alone.

    Blocks whose weights change at every pass, as spectral normalisation's do, stay as they are.
    """
    for block in _blocks(net):
        block.forward = Recomputed(block)


def _blocks(net: nn.Module) -> Iterator[nn.Module]:
    """Yield the outermost blocks."""
    for child in net.children():
        if not isinstance(net, nn.ModuleList | nn.Sequential) or not _worth(child):
            yield from _blocks(child)
        else:
            yield child


def _worth(block: nn.Module) -> bool:
    inside = list(block.modules())
    convolves = any(isinstance(module, nn.Conv2d | nn.ConvTranspose2d) for module in inside)
    steady = not any(nn.utils.parametrize.is_parametrized(module) for module in inside)
    return convolves and steady and len(inside) > 1  # one layer alone keeps its input anyway
