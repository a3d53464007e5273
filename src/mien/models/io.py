"""Weights on disk: safetensors whose header says which model they are; never pickle."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from mien.about import DEFAULT
from mien.devices import resolved
from mien.errors import InputError
from mien.models.build import fill, outline
from mien.models.contract import Family, Loaded
from mien.models.registry import name_of
from mien.models.tensor_files import read_tensors, write_tensors
from mien.nn.modes import channels_last
from mien.weights.resolve import resolve


def save_model(model: Family, path: Path, dtype: torch.dtype | None = None, deployed: bool = True) -> None:
    """Write `model`, by default only the parts that its uses need; parameters, but no buffers, in `dtype` if given."""
    state = model.state_dict()
    if deployed:
        state = {name: t for name, t in state.items() if name.split(".")[0] in model.deployed}
    if dtype:
        parameters = {name for name, _ in model.named_parameters()}  # buffers hold sums, which halves would spoil
        state = {name: t.to(dtype) if name in parameters else t for name, t in state.items()}
    if wrong := next((name for name, t in state.items() if t.is_floating_point() and not t.isfinite().all()), None):
        raise InputError(f"{path}: {wrong} is not finite as {state[wrong].dtype}; nothing was written, train it anew")
    write_tensors(path, state, describe(model))


def fingerprint(model: nn.Module) -> str:
    """Return a hash of a model's parameters and buffers."""
    found = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        found.update(name.encode())
        found.update(value.detach().cpu().double().numpy().tobytes())
    return found.hexdigest()


def describe(model: Family) -> dict[str, Any]:
    """Return the header by which `load` makes the model again."""
    return {"family": name_of(model), "config": asdict(model.config)}


def load(name: str | PathLike[str] = DEFAULT, device: str | torch.device = "cpu") -> Loaded:
    """Return a model ready to use, from a zoo name, a file, a training run's folder or a Hugging Face id.

    Parts that only training needs are absent from shipped weights, and then from the model.
    Raises InputError when the file is missing, damaged or of another program.
    """
    path = resolve(name)
    tensors, header = read_tensors(path)
    if "stage" in header:  # a checkpoint: the model is inside, beside the optimizers
        tensors = {key.removeprefix("model/"): t for key, t in tensors.items() if key.startswith("model/")}
    model = outline(header, path)
    fill(model, tensors, path)
    return cast(Loaded, place(channels_last(model), device))


def place(model: Family, device: str | torch.device) -> Family:
    """Return `model` on a device, or the best for "auto", ready to use. Raises InputError where that is not there."""
    device = resolved(device) if isinstance(device, str) else device
    try:
        torch.ones(1, device=device).item()  # meta, which holds no numbers, refuses here
        return model.to(device).eval()
    except (RuntimeError, AssertionError) as error:  # torch's words for no such device, and for a build without it
        raise InputError(f"device {str(device)!r} is not to be had here ({str(error)[:60]}…); use cpu") from error
