"""How reading suffers: accuracy and ICC against what becomes of pictures, and against how far heads are turned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd

from mien.data.manifest import Manifest
from mien.evaluate.reading import degradations
from mien.evaluate.reading.figures import (
    Pictures,
    balanced_statistic,
    picture_counts,
    ratios,
    shows_class,
    together,
    unit_statistics,
)
from mien.evaluate.reading.seen import Asked, Change
from mien.evaluate.record import over_people
from mien.metrics.bootstrap import Interval, less

DRAWS = 500
"""Of people; a curve has many points."""

NATIVE = 1e4
"""A size that no picture has: as they are."""

TURNED = (0.0, 2.0, 5.0, 8.0, 11.0, 14.0, 90.0)
"""Degrees between which yaw is looked at."""


@dataclass(frozen=True)
class Curve:
    """One thing that becomes of pictures: at these levels, of which one (`plain`) leaves them as they are."""

    name: str
    levels: tuple[float, ...]
    plain: float
    degrade: Callable[..., np.ndarray]  # a picture and a level, and with `drawn` a seed
    unit: str = ""
    drawn: bool = False

    def change(self, level: float) -> Change:
        """Return what becomes of a picture at a level."""
        return partial(self._changed, level)

    def _changed(self, level: float, picture: np.ndarray, row: int) -> np.ndarray:
        return self.degrade(picture, level, row) if self.drawn else self.degrade(picture, level)


CURVES = (
    Curve("size", (24, 32, 48, 64, 96, NATIVE), NATIVE, degradations.smaller, "pixels"),
    Curve("blur", (0, 0.5, 1, 1.5, 2, 3), 0, degradations.blurred, "σ in pixels of 128"),
    Curve("jpeg", (5, 10, 20, 40, 70, 101), 101, degradations.packed, "quality"),
    Curve("grey", (0, 0.5, 1), 0, degradations.greyed, "share"),
    Curve("crop", (0.7, 0.8, 0.85, 0.9, 1, 1.1, 1.15, 1.2, 1.3), 1, degradations.cropped, "scale"),
    Curve("roll", (-20, -15, -10, -5, 0, 5, 10, 15, 20), 0, degradations.rolled, "degrees"),
    Curve("occlusion", (0, 0.1, 0.2, 1 / 3), 0, degradations.covered, "share of the face", drawn=True),
)


def chosen_rows(m: Manifest, least: float, limit: int) -> np.ndarray:
    """Return at most so many pictures' numbers: half show a class, the others have units, where there are such."""
    rng, named = np.random.default_rng(0), shows_class(m, least)
    units = ~named & ~np.isnan(m.aus).all(1)
    first, second = (rng.permutation(np.flatnonzero(some)) for some in (named, units))
    count = max(limit - len(second), (limit + 1) // 2)
    return np.sort(np.concatenate([first[:count], second[: limit - len(first[:count])]]))


def asked_for(rows: np.ndarray, name: str) -> list[tuple[Curve, float, Asked]]:
    """Return what must be read for all curves but at the plain levels: curve, level, and the data's rows changed so.

    `name` begins the names of what is asked for.
    """
    return [
        (curve, level, Asked(f"{name}_{curve.name}_{level:.4g}", rows, curve.change(level)))
        for curve in CURVES
        for level in curve.levels
        if level != curve.plain
    ]


def point_of(pictures: Pictures, draws: int = DRAWS) -> dict[str, Interval]:
    """Return accuracy, balanced accuracy and mean ICC of some pictures, those that can be said."""
    counts = {name: count for name, count in picture_counts(pictures).items() if name == "accuracy"}
    parts = (ratios(counts), balanced_statistic(pictures), unit_statistics(pictures, ("icc",), each=False))
    return over_people(together(*parts), pictures.people, draws) if len(pictures) else {}


def curve_table(points: Mapping[tuple[str, float], dict[str, Interval]], plain: dict[str, Interval]) -> pd.DataFrame:
    """Return a row a curve, level and figure: value, low, high, and what is lost against pictures as they are.

    `points` are by curve and level, of the same pictures as `plain`, whose people are drawn alike.
    """
    rows = []
    every = {**points, **{(curve.name, curve.plain): plain for curve in CURVES}}
    for (curve, level), figures in every.items():
        for name, found in figures.items():
            lost = less(plain[name], found)
            rows.append(
                {"curve": curve, "level": np.nan if level == NATIVE else level, "figure": name}
                | {"value": found.value, "low": found.low, "high": found.high}
                | {"lost": lost.value, "lost_low": lost.low, "lost_high": lost.high}
            )
    order = {curve.name: k for k, curve in enumerate(CURVES)}
    return pd.DataFrame(rows).sort_values(["curve", "level"], key=lambda c: c.map(order) if c.name == "curve" else c)


def turned_table(pictures: Pictures, edges: Sequence[float] = TURNED, draws: int = DRAWS) -> pd.DataFrame:
    """Return the figures by how far the head is turned to a side (|yaw|, degrees); `level` is the mean of a bin.

    A class that no turned head shows is left out of all bins. Empty where no head is turned beyond the first bin.
    """
    m, turn, rows = pictures.manifest, np.abs(pictures.manifest.yaw), []
    turned = turn >= edges[1]
    if not turned.any():
        return pd.DataFrame()
    alike = ~pictures.named | np.isin(m.expression, m.expression[turned & pictures.named])
    for low, high in pairwise(edges):
        mask = alike & (turn >= low) & (turn < high)
        for name, found in (point_of(pictures.select(mask), draws) if mask.any() else {}).items():
            rows.append(
                {"curve": "yaw", "level": float(turn[mask].mean()), "figure": name}
                | {"value": found.value, "low": found.low, "high": found.high, "count": int(mask.sum())}
            )
    return pd.DataFrame(rows)
