"""How well faces are read, in tables for a screen."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mien.evaluate.record import Key, frame_of
from mien.labels import AUS, au_name
from mien.metrics.bootstrap import Interval

TOGETHER = (
    ("neutral_named", "smiles_named", "au12_neutral", "au12_smiles"),
    ("accuracy", "balanced", "ece", "ece_tempered", "contradictions"),
    ("icc", "f1", "shut_read", "open_read", "winks"),
    ("gaze_mae", "yaw_mae", "pitch_mae"),
)
"""Figures that stand in one table."""


def group_frames(figures: Mapping[Key, Mapping[str, Interval]]) -> list[pd.DataFrame]:
    """Return tables: a row a group of pictures, a column a figure, with intervals; the last a row an action unit."""
    frames = [frame_of(figures, list(names)).rename(columns={"answer": "pictures"}) for names in TOGETHER]
    return [frame.drop(columns="model") for frame in frames if len(frame)] + [unit_frame(figures)]


def unit_frame(figures: Mapping[Key, Mapping[str, Interval]]) -> pd.DataFrame:
    """Return ICC and F1 of every unit, by the pictures in which they are known."""
    rows = []
    for (_, pictures), found in figures.items():
        for unit in map(au_name, AUS):
            if f"icc_{unit}" in found:
                rows.append(
                    {
                        "pictures": pictures,
                        "unit": unit,
                        "icc": found[f"icc_{unit}"].value,
                        "f1": found[f"f1_{unit}"].value,
                    }
                )
    return pd.DataFrame(rows)


def lost_frame(robustness: pd.DataFrame) -> pd.DataFrame:
    """Return a row a kind of pictures, curve and level: what is read, and of what poor pictures lose, points lost."""
    if not len(robustness):
        return robustness
    index = ["pictures", "curve", "level"]
    told = robustness.assign(level=robustness.level.fillna(float("inf")))
    order = told[index].drop_duplicates()
    values = [name for name in ("value", "lost") if name in told]
    wide = told.pivot(index=index, columns="figure", values=values)
    wide.columns = [name if what == "value" else f"{name}_lost" for what, name in wide.columns]
    return order.merge(wide.reset_index(), on=index).dropna(axis=1, how="all")
