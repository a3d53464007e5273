"""How a reader is trained, alone or inside fields."""

from __future__ import annotations

from collections.abc import Mapping

from mien.models.reader.nets import Reader
from mien.models.recipe import Adam, Stage, Turn

GENTLE = 0.3  # of the learning rate at the beginning: at a high one nothing but the mean face is learnt
FIRST, GROWING = 0.3, 0.4  # of randomisation at the first step, and the share of the steps over which all of it comes


def reading_stages(
    net: str, begin_steps: int, steps: int, lr: float, weights: Mapping[str, float]
) -> tuple[Stage, ...]:
    """Return two supervised stages of the net so named: a gentle beginning and reading."""
    begin = Turn("begin", (net,), weights, Adam(GENTLE * lr, (0.9, 0.99), 1e-4))
    read = Turn("read", (net,), weights, Adam(lr, (0.9, 0.99), 1e-4))
    return Stage("begin", begin_steps, (begin,)), Stage("read", steps, (read,), decay=0.5)


def grown(reader: Reader, steps: int) -> float:
    """Return the share of randomisation, 0-1, for a reader that is trained for so many steps."""
    return min(1.0, FIRST + reader.batches / max(1.0, GROWING * steps))
