"""Faces that a model is given, brought to what it takes: others are resized, and what is no face is refused.

What somebody gives is looked at in full. What a model gives itself, in a use or in a step of training (`within`), and
what graphs are made of, is brought to size alone: that reads no pixel, and so costs nothing.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cache, wraps
from inspect import signature
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.controls import Controls
from mien.errors import InputError

log = logging.getLogger(__name__)

USES = (
    "transfer", "reconstruct", "edit", "recognize", "baseline", "embed", "estimate_aus", "read", "tell", "find_points",
    "vary", "element", "fields", "see",
)  # fmt: skip
"""The uses of a model that are given faces, as parameters of the names FACES, or as the example of Controls."""

FACES = ("face", "like")
HAIR = 0.001  # by which resizing may leave [-1, 1]

_within = ContextVar("within", default=False)


@contextmanager
def within() -> Iterator[None]:
    """Take what uses are given in the block for what a model gives itself."""
    before = _within.set(True)
    try:
        yield
    finally:
        _within.reset(before)


def sized(use: Callable[..., Any]) -> Callable[..., Any]:
    """Return a use of a model that takes faces of any size."""
    form = signature(use)

    @wraps(use)
    def with_faces(model: Any, *given: Any, **named: Any) -> Any:
        asked = form.bind(model, *given, **named).arguments
        faces = {name: asked[name] for name in FACES if name in asked}
        if isinstance(controls := asked.get("controls"), Controls) and controls.like is not None:
            faces["example"] = controls.like
        faces = {name: fitting(model, use.__name__, value) for name, value in faces.items()}
        own = torch.compiler.is_compiling() or torch.jit.is_tracing() or _within.get()
        if not own:
            faces = sound(model, use.__name__, faces)
        if isinstance(controls, Controls) and "example" in faces:
            asked["controls"] = replace(controls, like=faces.pop("example"))
        asked |= faces
        if own:
            return use(**asked)
        with within():
            return use(**asked)

    with_faces.sized = True  # type: ignore[attr-defined]
    return with_faces


def fitting(model: Any, use: str, faces: Any) -> Tensor:
    """Return faces (B, 3, S, S) of the model's own size. Raises InputError for what are no faces."""
    side, wanted = int(model.config.image_size), _wanted(model, use)
    if not isinstance(faces, Tensor):
        raise InputError(f"{wanted}; got {type(faces).__name__}; mien.Editor takes pictures")
    shape = tuple(faces.shape)
    if faces.ndim != 4 or shape[1] != 3 or shape[2] != shape[3] or 0 in shape[2:] or not faces.is_floating_point():
        raise InputError(f"{wanted}; got {str(faces.dtype).removeprefix('torch.')} {shape}")
    if shape[2] == side:
        return faces
    _tell(type(model).__name__, shape[2], side)
    exact = faces.dtype if faces.dtype == torch.float64 else torch.float32  # halves cannot be resized everywhere
    return F.interpolate(faces.to(exact), size=(side, side), mode="bilinear", antialias=True).to(faces.dtype)


def sound(model: Any, use: str, faces: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return faces by name, in the model's own precision; where `like` is one, it is so for all that it is for.

    Raises InputError for none at all, numbers that do not match, values out of range and those on another device.
    """
    wanted, own = _wanted(model, use), next(model.parameters(), None)
    for name, value in faces.items():
        if not len(value):
            raise InputError(f"{wanted}; got none: {tuple(value.shape)}")
        if own is not None and value.device != own.device:
            raise InputError(f"{wanted}, on {own.device}, where the model is; got them on {value.device}")
        least, most = (float(end) for end in value.detach().aminmax())
        if math.isnan(least):
            raise InputError(f"{wanted}; got NaN among them")
        if least < -1 - HAIR or most > 1 + HAIR:
            hint = "; bring 0 to 255 there by / 127.5 - 1" if least >= 0 and 2 < most <= 255 else ""
            raise InputError(f"{wanted}; got {least:g} to {most:g}{hint}")
        if own is not None:
            faces[name] = value.to(own.dtype)
    count = len(faces["face"])
    for name in faces.keys() - {"face"}:
        if len(faces[name]) not in (1, count):
            raise InputError(f"{wanted}; got {count} to change like {len(faces[name])}: give as many, or one for all")
    if "like" in faces:
        faces["like"] = faces["like"].expand(count, -1, -1, -1)
    return faces


def _wanted(model: Any, use: str) -> str:
    side = int(model.config.image_size)
    return f"{type(model).__name__}.{use}: expected aligned faces, a tensor (B, 3, {side}, {side}) of floats in [-1, 1]"


@cache
def _tell(name: str, given: int, side: int) -> None:
    """Say once that faces are resized."""
    log.warning("%s sees faces at %d pixels; those of %d are resized", name, side, given)
