"""A clip in one picture: each person's action units over time, and what they feel as a timeline."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

from mien.files import write_whole
from mien.labels import AU_NAMES, AUS, CLASSES, au_name
from mien.recognition.face import UNSURE
from mien.recognition.spans import people, spans
from mien.recognition.table import Row

matplotlib.use("Agg")
from matplotlib import pyplot as plt

MOST = 8  # action units that are drawn, those that move most
COLOURS = dict(zip(CLASSES, ("#bbbbbb", "#f2b134", "#4a7ab5", "#f28e2b", "#8e6bb0", "#c0392b", "#5b9a54", "#8d6e52"),
                   strict=True)) | {UNSURE: "#eeeeee"}  # fmt: skip


def draw_clip(rows: Sequence[Row], path: Path, title: str = "") -> None:
    """Write a clip's rows as a picture, .png, .svg or .pdf, whole or not at all."""
    folk = people(rows)
    count = max(len(folk), 1)
    ratios = [3, 1] * count
    size = (11, 3.2 * count + 0.6)
    figure, axes = plt.subplots(2 * count, 1, figsize=size, sharex=True, layout="constrained",
                                gridspec_kw={"height_ratios": ratios})  # fmt: skip
    for place, (number, own) in enumerate(folk.items()):
        _units(axes[2 * place], own, f"person {number}" if count > 1 else "")
        _timeline(axes[2 * place + 1], [span for span in spans(own) if span.what == "expression"])
    axes[-1].set_xlabel("seconds")
    figure.suptitle(title)
    data = io.BytesIO()
    figure.savefig(data, format=path.suffix.lower()[1:], dpi=120)
    plt.close(figure)
    write_whole(path, data.getvalue())


def moving_units(rows: Sequence[Row]) -> list[int]:
    """Return the action units that are drawn: those that reach furthest from their least, at most MOST."""
    reach = {}
    for au in AUS:
        values = [row[au_name(au)] for row in rows if au_name(au) in row]
        if values:
            reach[au] = max(values) - min(values)
    return sorted(sorted(reach, key=lambda au: -reach[au])[:MOST])


def _units(axis: Any, rows: Sequence[Row], title: str) -> None:
    for au in moving_units(rows):
        shown = [(row["time"], row[au_name(au)]) for row in rows if au_name(au) in row]
        axis.plot(*zip(*shown, strict=True), label=f"AU{au} {AU_NAMES[au]}", linewidth=1.2)
    axis.set(ylim=(0, 5), ylabel="intensity", title=title)
    if axis.lines:
        axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small")


def _timeline(axis: Any, words: Sequence[Any]) -> None:
    for span in words:
        axis.broken_barh([(span.begin, span.end - span.begin)], (0, 1), color=COLOURS[span.value])
    shown = [word for word in COLOURS if any(span.value == word for span in words)]
    handles = [matplotlib.patches.Patch(color=COLOURS[word], label=word) for word in shown]
    if handles:
        axis.legend(handles=handles, loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small")
    axis.set(ylim=(0, 1), yticks=[])
