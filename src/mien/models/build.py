"""A model as a file's note describes it, made without taking memory for it: a note may say anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode

from mien.errors import InputError
from mien.models.contract import Family
from mien.models.registry import FAMILIES

MOST = 20_000  # parameters that a model registers while it is made; the largest has some hundred


def outline(header: Mapping[str, Any], path: Path) -> Family:
    """Return a model as a header describes it, on torch's meta device: names and shapes without memory.

    `path` is named in errors. Raises InputError for a family that is not known and for settings that make no model.
    """
    family = FAMILIES.get(header["family"])
    if family is None:
        raise InputError(f"{path}: is a {header['family']!r}; this version knows {', '.join(sorted(FAMILIES))}")
    try:
        config = family.Config(**header["config"])
        with torch.device("meta"), _Undrawn(), _bounded():
            return family(config)
    except InputError as error:
        raise InputError(f"{path}: {error}; it was changed, or another version of mien wrote it") from error
    except Exception as error:  # settings that there are not, or whatever torch makes of sizes that make no net
        text = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path}: its settings make no model here ({text}); fetch or train it again") from error


class _Undrawn(TorchFunctionMode):
    """Leaves out first values: on the meta device, to draw them imports half of torch, which takes seconds."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do as torch does, but draw nothing."""
        return args[0] if func in (Tensor.normal_, Tensor.uniform_) else func(*args, **(kwargs or {}))


@contextmanager
def _bounded() -> Iterator[None]:
    """Stop, by a ValueError, what would register parameters without an end: a note may say a milliard blocks."""
    count = 0

    def counted(module: nn.Module, name: str, parameter: Any) -> None:
        nonlocal count
        count += 1
        if count > MOST:
            raise ValueError(f"more than {MOST} parameters")

    hook = register_module_parameter_registration_hook(counted)
    try:
        yield
    finally:
        hook.remove()


def fill(model: Family, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Give an `outline` the tensors of a file, by name; parts of which the file has none, for training, are dropped.

    Raises InputError where a tensor is missing, of another shape, or holds values that are no numbers.
    """
    present = {key.split(".")[0] for key in tensors}
    for part in [name for name, _ in model.named_children() if name not in present]:
        if part in model.deployed and part in {key.split(".")[0] for key in model.state_dict()}:
            raise InputError(
                f"{path}: {part} is missing, without which its family does nothing; fetch or train it again"
            )
        delattr(model, part)
    mine = model.state_dict()
    for name, wanted in mine.items():
        found = tensors.get(name)
        if found is None or found.shape != wanted.shape:
            has = "missing" if found is None else f"{tuple(found.shape)}"
            raise InputError(f"{path}: {name} is {has}, its settings say {tuple(wanted.shape)}; it is damaged")
        if found.is_floating_point() and not found.isfinite().all():
            raise InputError(f"{path}: {name} holds values that are no numbers (NaN); train or fetch it again")
    # Copies: the file's own may lie at odd addresses, where torch computes otherwise in the last bit.
    own = {name: tensors[name].to(wanted.dtype, copy=True) for name, wanted in mine.items()}
    model.load_state_dict(own, assign=True)
