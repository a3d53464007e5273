"""Whole numbers that people and files write as text."""

DIGITS = 9  # of the longest that is taken for a number: none that is meant has more


def whole_number(text: str) -> int | None:
    """Return the number that at most DIGITS digits from 0 to 9 write; None for all else.

    So neither ² nor １, which str.isdigit takes for digits, nor thousands of them, which int refuses.
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else None
