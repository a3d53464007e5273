"""From when to when people in a clip show something, and the same as a file that ELAN imports."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from mien.labels import AUS, au_name
from mien.recognition.table import PRESENT, Row


@dataclass(frozen=True)
class Span:
    """What somebody shows from `begin` until `end`, in seconds."""

    number: int
    what: str  # "expression", or an action unit
    begin: float
    end: float
    value: str  # the word, or the unit's greatest intensity


def people(rows: Sequence[Row]) -> dict[int, list[Row]]:
    """Return the rows of a clip by person."""
    numbers = sorted({row["number"] for row in rows if "number" in row})
    return {n: [row for row in rows if row.get("number") == n] for n in numbers}


def spans(rows: Sequence[Row]) -> Iterator[Span]:
    """Yield what the people in a clip show: words, then units while they are present. A frame lasts until the next."""
    ends = _ends(rows)
    for number, own in people(rows).items():
        for begin, end, inside in _runs(own, ends, lambda row: row.get("expression")):
            yield Span(number, "expression", begin, end, inside[0]["expression"])
        for name, present in zip(map(au_name, AUS), PRESENT, strict=True):
            for begin, end, inside in _runs(own, ends, lambda row, p=present: row.get(p) or None):  # type: ignore[misc]
                yield Span(number, name, begin, end, f"{max(row[name] for row in inside):.1f}")


def elan_text(rows: Sequence[Row]) -> str:
    """Return a clip's spans as CSV for ELAN's File, Import, CSV / Tab-delimited Text: tier, begin, end, value.

    Of several people the tiers' names end in their numbers.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["tier", "begin", "end", "value"])
    several = len(people(rows)) > 1
    for span in spans(rows):
        tier = f"{span.what} {span.number}" if several else span.what
        writer.writerow([tier, clock(span.begin), clock(span.end), span.value])
    return text.getvalue()


def clock(seconds: float) -> str:
    """Return a time as hh:mm:ss.mmm."""
    whole = round(1000 * seconds)
    minutes, rest = divmod(whole, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _ends(rows: Sequence[Row]) -> dict[int, float]:
    """Return when each frame of a clip ends."""
    times = {row["frame"]: row["time"] for row in rows if "frame" in row}
    steps = [b - a for a, b in zip(times.values(), list(times.values())[1:], strict=False)]
    usual = median(steps) if steps else 0.04
    return {frame: times.get(frame + 1, time + usual) for frame, time in times.items()}


def _runs(
    rows: Sequence[Row], ends: dict[int, float], key: Callable[[Row], object]
) -> Iterator[tuple[float, float, list[Row]]]:
    """Yield begin, end and rows of the runs of frames, each after the other, in which `key` is one thing, not None."""
    inside: list[Row] = []
    for row in [*rows, None]:
        goes_on = row and inside and row["frame"] == inside[-1]["frame"] + 1 and key(row) == key(inside[0])
        if inside and not goes_on:
            yield inside[0]["time"], ends[inside[-1]["frame"]], inside
            inside = []
        if row and key(row) is not None:
            inside.append(row)
