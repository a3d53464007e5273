"""Which mien this is: its version, its default model, and the libraries that figures depend on."""

from __future__ import annotations

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

VERSION = "0.1.0"

DEFAULT = "fields"
"""The model where none is named."""

LIBRARIES = ("torch", "numpy", "opencv-python-headless", "pillow", "scikit-learn")
"""What pixels and figures may depend on, by the names of the packages."""


def versions() -> dict[str, str]:
    """Return the versions of mien, Python and those of LIBRARIES that are installed."""
    found = {"mien": VERSION, "python": platform.python_version()}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
