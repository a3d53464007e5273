"""What faces in clips show, smoothed over time, each number by itself, by the one-euro filter (faces.one_euro)."""

from __future__ import annotations

import numpy as np

from mien.faces.one_euro import OneEuro, Smoothed, one_euro
from mien.labels import CLASSES, au_columns
from mien.recognition.table import Row

HOW = OneEuro(cutoff=1.0, beta=0.5)
UNITS = (
    {name: 1.0 for side in ("", "L", "R") for name in au_columns(side)}  # of five
    | dict.fromkeys(("yaw", "pitch", "roll", "gaze_x", "gaze_y"), 5.0)  # degrees
    | dict.fromkeys(("eye_left", "eye_right"), 0.06)
    | dict.fromkeys(CLASSES, 0.2)
)
"""Columns that are smoothed -> in what their speed counts: a blink or a smile is many of them a second, noise few."""


class Smoother:
    """Smooths rows of one clip, each person's by itself."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[float, tuple[str, ...], Smoothed]] = {}

    def __call__(self, row: Row, time: float, anew: bool) -> Row:
        """Return a face's row at `time` seconds, smoothed; with `anew` without regard to those before."""
        names = tuple(name for name in UNITS if name in row)
        raw = np.array([row[name] for name in names], np.float64)
        last, known, before = self._before.get(row["number"], (time, names, None))
        if anew or known != names:
            before = None
        unit = np.array([UNITS[name] for name in names])
        if before is not None and "roll" in names:  # 179° is near to -179°
            k = names.index("roll")
            raw[k] = before.raw[k] + (raw[k] - before.raw[k] + 180) % 360 - 180
        state = one_euro(before, raw, max(time - last, 1e-3), HOW, unit)
        self._before[row["number"]] = time, names, state
        smooth = dict(zip(names, state.value.tolist(), strict=True))
        if "roll" in smooth:
            smooth["roll"] = (smooth["roll"] + 180) % 360 - 180
        if CLASSES[0] in smooth:
            total = sum(smooth[word] for word in CLASSES) or 1.0
            smooth |= {word: smooth[word] / total for word in CLASSES}
        return row | {name: round(value, 6 if name in CLASSES else 4) for name, value in smooth.items()}
