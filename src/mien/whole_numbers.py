"""Whole numbers that people and files write as text; and what is a number at all of what Python has."""

from __future__ import annotations

from typing import Any

from mien.errors import InputError

DIGITS = 9  # of the longest that is taken for a number: none that is meant has more


def whole_number(text: str) -> int | None:
    """Return the number that at most DIGITS digits from 0 to 9 write; None for all else.

    So neither ² nor １, which str.isdigit takes for digits, nor thousands of them, which int refuses.
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else None


def is_number(value: Any) -> bool:
    """Whether a value is one real number, of Python's, NumPy's or a tensor's; text is none."""
    try:
        return not isinstance(value, str | bytes | bytearray) and isinstance(float(value), float)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return False


def check_whole(name: str, value: Any, least: int = 0) -> None:
    """Raise InputError for what is no whole number, or less than `least`."""
    if not hasattr(value, "__index__") or value < least:
        raise InputError(f"{name} {value!r}: expected a whole number, {least} or more")
