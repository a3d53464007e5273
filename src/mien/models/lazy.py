"""Names of a package that its modules hold, found when they are first asked for.

So a model's settings can be looked at without PyTorch, which its other modules import.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def names_in(package: str, *modules: str) -> Callable[[str], Any]:
    """Return a package's __getattr__, which finds names in `modules`: its own, or others in full."""

    def find(name: str) -> Any:
        for module in () if name.startswith("__") else modules:
            home = import_module(module if module.startswith("mien.") else f"{package}.{module}")
            if hasattr(home, name):
                return getattr(home, name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find
