"""Many pictures, some at a time."""

from __future__ import annotations

import numpy as np


def batches(count: int, size: int) -> list[np.ndarray]:
    """Return the numbers 0 to `count` - 1, `size` at a time; the last may be fewer."""
    return [np.arange(start, min(start + size, count)) for start in range(0, count, size)]
