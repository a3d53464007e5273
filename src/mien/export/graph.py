"""One use of a model as a function of tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from mien.models.contract import Family


class Function(nn.Module):
    """A function that asks a model, as a net whose parameters are the model's."""

    def __init__(self, model: Family, function: Callable[..., Sequence[Tensor]]):
        super().__init__()
        self.model, self.function = model, function

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return what the function gives."""
        return tuple(self.function(*inputs))


@dataclass(frozen=True)
class Graph:
    """One use: `function` of `inputs`, whose batches are real faces, gives `outputs`."""

    name: str
    model: Family
    function: Callable[..., Sequence[Tensor]]
    inputs: Mapping[str, Tensor]
    outputs: tuple[str, ...]
    _found: dict[str, Tensor] = field(default_factory=dict, compare=False)

    @property
    def net(self) -> Function:
        """The use as a net."""
        return Function(self.model, self.function)

    @torch.no_grad()
    def found(self) -> dict[str, Tensor]:
        """Return what PyTorch gives for the inputs."""
        if not self._found:
            self._found.update(zip(self.outputs, self.net(*self.inputs.values()), strict=True))
        return self._found
