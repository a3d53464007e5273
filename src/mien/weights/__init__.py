"""Where the file of a name lies."""

from mien.weights.resolve import resolve

__all__ = ["resolve"]
