"""Faces that a model is given, brought to what it takes: others are resized, and what is no face is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import cache, wraps
from inspect import signature
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from mien.controls import Controls
from mien.errors import InputError

log = logging.getLogger(__name__)

USES = (
    "transfer", "reconstruct", "edit", "recognize", "baseline", "embed", "estimate_aus", "read", "find_points", "vary",
    "element", "fields", "see",
)  # fmt: skip
"""The uses of a model that are given faces, as parameters of the names FACES, or as the example of Controls."""

FACES = ("face", "like")


def sized(use: Callable[..., Any]) -> Callable[..., Any]:
    """Return a use of a model that takes faces of any size."""
    names = list(signature(use).parameters)[1:]

    @wraps(use)
    def with_faces(model: Any, *given: Any, **named: Any) -> Any:
        def fit(name: str, value: Any) -> Any:
            if isinstance(value, Controls) and isinstance(value.like, Tensor):
                return replace(value, like=fitting(model, use.__name__, value.like))
            return fitting(model, use.__name__, value) if name in FACES else value

        given = tuple(fit(name, value) for name, value in zip(names, given, strict=False)) + given[len(names) :]
        return use(model, *given, **{name: fit(name, value) for name, value in named.items()})

    with_faces.sized = True  # type: ignore[attr-defined]
    return with_faces


def fitting(model: Any, use: str, faces: Any) -> Tensor:
    """Return faces (B, 3, S, S) of the model's own size. Raises InputError for what are no faces."""
    side, name = int(model.config.image_size), type(model).__name__
    wanted = f"{name}.{use}: expected aligned faces, a tensor (B, 3, {side}, {side}) of floats in [-1, 1]"
    if not isinstance(faces, Tensor):
        raise InputError(f"{wanted}; got {type(faces).__name__}; mien.Editor takes pictures")
    shape = tuple(faces.shape)
    if faces.ndim != 4 or shape[1] != 3 or shape[2] != shape[3] or not faces.is_floating_point():
        raise InputError(f"{wanted}; got {str(faces.dtype).removeprefix('torch.')} {shape}")
    if shape[2] == side:
        return faces
    _tell(name, shape[2], side)
    return F.interpolate(faces, size=(side, side), mode="bilinear", antialias=True)


@cache
def _tell(name: str, given: int, side: int) -> None:
    """Say once that faces are resized."""
    log.warning("%s sees faces at %d pixels; those of %d are resized", name, side, given)
