"""mien: transfer, edit and recognise facial expressions.

>>> import mien
>>> mien.Controls("happiness", intensity=0.5).operation()
'edit: happiness 0.50'
>>> mien.Controls("happy-go-lucky")
Traceback (most recent call last):
mien.errors.InputError: expression 'happy-go-lucky' is not known; choose one of neutral, happiness, ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mien.about import DEFAULT
from mien.about import VERSION as __version__

if TYPE_CHECKING:
    from mien.controls import Controls
    from mien.editing.clip import change_clip
    from mien.editing.editor import Editor
    from mien.editing.pipeline import pipeline
    from mien.errors import InputError
    from mien.expressions import Expression, read_expression
    from mien.faces.crop import FaceCrop
    from mien.labels import AUS, CLASSES
    from mien.media.photo import Photo, read_photo
    from mien.models.hub import from_pretrained
    from mien.models.io import load
    from mien.models.registry import FAMILIES, create

_HOMES = {
    "AUS": "mien.labels",
    "CLASSES": "mien.labels",
    "Controls": "mien.controls",
    "Editor": "mien.editing.editor",
    "Expression": "mien.expressions",
    "FAMILIES": "mien.models.registry",
    "FaceCrop": "mien.faces.crop",
    "InputError": "mien.errors",
    "Photo": "mien.media.photo",
    "change_clip": "mien.editing.clip",
    "create": "mien.models.registry",
    "from_pretrained": "mien.models.hub",
    "load": "mien.models.io",
    "pipeline": "mien.editing.pipeline",
    "read_expression": "mien.expressions",
    "read_photo": "mien.media.photo",
}
"""Where a public name lives."""

__all__ = [
    "AUS",
    "CLASSES",
    "DEFAULT",
    "FAMILIES",
    "Controls",
    "Editor",
    "Expression",
    "FaceCrop",
    "InputError",
    "Photo",
    "__version__",
    "change_clip",
    "create",
    "from_pretrained",
    "load",
    "pipeline",
    "read_expression",
    "read_photo",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: the face studio must not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        from mien.errors import missing

        raise missing(f"mien.{name}", error) from error


def __dir__() -> list[str]:
    """Return the public names, which no one has to have asked for yet."""
    return __all__
