"""Probabilities as bars in HTML: what is read before and after."""

from __future__ import annotations

from collections.abc import Mapping

from mien.labels import CLASSES


def bars(before: Mapping[str, float], after: Mapping[str, float] | None = None) -> str:
    """Return HTML: a row for every expression word with a bar before and, if given, one after; styled by page.css."""
    rows = "".join(row(word, before[word], None if after is None else after[word]) for word in CLASSES)
    key = "Read by the evaluator, a net that makes no pictures:"
    key += ' <i class="was"></i> before' + (' <i class="now"></i> after' if after is not None else "")
    return f'<div class="bars"><p class="key">{key}</p>{rows}</div>'


def row(word: str, before: float, after: float | None) -> str:
    """Return one word's row; numbers are per cent."""
    pairs = [("was", before)] if after is None else [("was", before), ("now", after)]
    drawn = "".join(f'<i class="{name}" style="width:{100 * value:.1f}%"></i>' for name, value in pairs)
    numbers = " → ".join(f"{100 * value:.0f}" for _, value in pairs)
    return f'<div class="row"><b>{word}</b><span class="track">{drawn}</span><em>{numbers} %</em></div>'
