"""The many names that corpora give to a split."""

from __future__ import annotations

SPLITS = {"train": ("train", "training"), "val": ("val", "valid", "validation", "dev"), "test": ("test", "testing")}
"""A split's word, and the folder names that mean it."""


def split_word(text: str) -> str | None:
    """Return train, val or test for a folder's name; None where it means none."""
    return next((word for word, names in SPLITS.items() if text.strip().lower() in names), None)
