"""mien: transfer, edit and recognise facial expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mien.about import DEFAULT
from mien.about import VERSION as __version__

if TYPE_CHECKING:
    from mien.editing.editor import Editor
    from mien.models.io import load
    from mien.models.registry import FAMILIES, create

__all__ = ["DEFAULT", "FAMILIES", "Editor", "__version__", "create", "load"]

_HOMES = {"Editor": "mien.editing.editor", "FAMILIES": "mien.models", "create": "mien.models", "load": "mien.models.io"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: the face studio must not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
