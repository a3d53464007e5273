"""Are faces read as they are? Class, units, eyes, gaze and head against labels, and what poorer pictures cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mien.data.dataset import Data
from mien.errors import InputError
from mien.evaluate.evaluators.base import must_measure, signature
from mien.evaluate.reading.drawing import confusion_of, draw_confusions, draw_reliability, draw_robustness
from mien.evaluate.reading.figures import Pictures, all_figures, share_figures, temperature_of
from mien.evaluate.reading.groups import kinds_of, people_alike
from mien.evaluate.reading.robustness import asked_for, chosen_rows, curve_table, point_of, turned_table
from mien.evaluate.reading.seen import Asked, Share, read_all, some_of
from mien.evaluate.record import Key, data_facts, write_protocol
from mien.evaluate.written import write_csv
from mien.labels import CLASSES, EXPRESSIONS, PRESENT, au_columns
from mien.metrics.bootstrap import DRAWS, Interval
from mien.progress import Tell, untold


@dataclass(frozen=True)
class Findings:
    """What was read, and how well.

    figures: of `mien.evaluate.reading.figures`, by model and pictures: a kind, or a kind and people alike, as
    `rendered, gender female`. robustness: a row a kind (`pictures`), curve, level and figure: value, low, high; what is
    lost against the same pictures as they are, with its interval (none of the curve over yaw).
    """

    pictures: Pictures
    fold: np.ndarray  # (N,) str: who was left out where it was read; "" people whom nothing was trained on
    figures: dict[Key, dict[str, Interval]]
    robustness: pd.DataFrame

    @cached_property
    def groups(self) -> dict[str, Pictures]:
        """The pictures by kind."""
        return {kind: self.pictures.select(mask) for kind, mask in kinds_of(self.pictures.manifest).items()}


def by_reading(
    name: str,
    data: Data,
    shares: Sequence[Share],
    folder: Path,
    limit: int = 300,
    least: float = 0.5,
    tell: Tell = untold,
    draws: int = DRAWS,
) -> Findings:
    """Return how well faces are read, and write it to `folder`: reading.json, tables and pictures.

    Every row of `shares` is read once, by whoever has it; `limit` rows of each kind again for every point of the
    curves, which 0 leaves out. What is read is kept in `folder`. `name` is the reader's, in tables. Raises InputError
    for one that tells neither class nor units, for no pictures, and as `read_all` does.
    """
    for share in shares:
        must_measure(share.evaluator, "classes", "aus")
    order = np.argsort(np.concatenate([share.rows for share in shares]), kind="stable")
    rows, fold = (
        np.concatenate(parts)[order]
        for parts in ([s.rows for s in shares], [np.full(len(s.rows), s.fold, object) for s in shares])
    )
    if not len(rows):
        raise InputError(f"{data.manifest.folder}: has no such pictures to be read; choose another --kind")
    manifest = data.manifest.select(rows)
    chosen = {
        kind: np.flatnonzero(mask)[chosen_rows(manifest.select(mask), least, limit)]
        for kind, mask in kinds_of(manifest).items()
    }
    curves = [
        (kind, *asked)
        for number, (kind, some) in enumerate(chosen.items())
        if len(some)
        for asked in asked_for(rows[some], f"kind_{number}")
    ]
    asked = [Asked("as_they_are", rows), *(one for *_, one in curves)]
    reading, *poorer = read_all(data, shares, asked, folder / "seen", tell)
    pictures, tables = Pictures(manifest, reading, least), []
    for kind, some in chosen.items():
        plain = Pictures(manifest.select(some), some_of(reading, some), least)
        points = {
            (curve.name, level): point_of(Pictures(plain.manifest, found, least))
            for (which, curve, level, _), found in zip(curves, poorer, strict=True)
            if which == kind
        }
        if points:
            tables.append(curve_table(points, point_of(plain)).assign(pictures=kind, count=len(some)))
    found = Findings(pictures, fold, {}, pd.DataFrame())
    for kind, group in found.groups.items():
        tables.append(turned_table(group).assign(pictures=kind))
        found.figures[name, kind] = all_figures(group, draws)
        for whom, mask in people_alike(group.manifest):
            found.figures[name, f"{kind}, {whom}"] = share_figures(group.select(mask), draws)
    some_rows = [table for table in tables if len(table)]
    found = Findings(pictures, fold, found.figures, pd.concat(some_rows) if some_rows else pd.DataFrame())
    _write(found, name, data, shares, folder, {"least_intensity": least, "limit": limit})
    return found


def _write(
    found: Findings, name: str, data: Data, shares: Sequence[Share], folder: Path, settings: dict[str, Any]
) -> None:
    about = {
        **data_facts(data), "evaluator": name,
        "readers": [{"fold": s.fold, "pictures": len(s.rows), "reader": signature(s.evaluator)} for s in shares],
        "settings": {**settings, "present": PRESENT},
    }  # fmt: skip
    notes: dict[Key, dict[str, Any]] = {}
    for kind, some in found.groups.items():
        notes[name, kind] = {
            "pictures": len(some), "people": len(np.unique(some.people)), "temperature": temperature_of(some),
        }  # fmt: skip
        if some.named.any():
            notes[name, kind]["confusion"] = {"classes": [*CLASSES, "no face"], "counts": confusion_of(some)}
    write_protocol(folder, "reading", about, found.figures, notes=notes)
    write_csv(readings_table(found), folder / "readings.csv", index=False)
    draw_confusions(found.groups, folder / "confusion.png")
    draw_reliability(found.groups, folder / "reliability.png")
    if len(found.robustness):
        write_csv(found.robustness.round(4), folder / "robustness.csv", index=False)
        draw_robustness(found.robustness, folder / "robustness.png")


def readings_table(found: Findings) -> pd.DataFrame:
    """Return a row a picture: whose it is, its class, and what was read: class, confidence, units, head and gaze."""
    m, r = found.pictures.manifest, found.pictures.reading
    columns: dict[str, Any] = {
        "file_name": m.files, "subject": [m.subjects[s] if s >= 0 else "" for s in m.subject], "kind": m.kind,
        "fold": found.fold, "expression": [EXPRESSIONS[k] if k >= 0 else "" for k in m.expression],
    }  # fmt: skip
    if r.classes is not None:
        columns["read"] = [CLASSES[k] if k >= 0 else "" for k in r.classes]
    if r.probabilities is not None:
        columns["confidence"] = r.probabilities.max(1)
    for values, names in (
        (r.aus, au_columns()),
        (r.left, au_columns("L")),
        (r.right, au_columns("R")),
        (r.head, ("yaw", "pitch")),
        (r.gaze, ("gaze_x", "gaze_y")),
    ):
        if values is not None:
            columns |= {name: values[:, k] for k, name in enumerate(names)}
    return pd.DataFrame(columns).round(3)
