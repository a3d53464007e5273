"""What a protocol leaves as JSON: figures with their intervals, and all that somebody needs to repeat them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mien.about import versions
from mien.data.dataset import Data, digest
from mien.data.manifest import Manifest
from mien.evaluate.evaluators.base import Evaluator, signature
from mien.evaluate.evaluators.independence import labelled_by
from mien.evaluate.trials import Trials
from mien.evaluate.written import write_csv
from mien.files import write_json
from mien.metrics.bootstrap import DRAWS, LEVEL, Interval, intervals
from mien.models.contract import Family
from mien.models.io import fingerprint

Key = tuple[str, str]
"""A model's name and the answer's."""

SAMPLING = {"interval": f"{LEVEL:.0%} percentile bootstrap over people", "draws": DRAWS}


def write_record(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` with the versions and how intervals were made; NaN and infinite figures become null."""
    write_json(path, _plain({**SAMPLING, **content, "versions": versions()}))


def data_facts(data: Data) -> dict[str, Any]:
    """Return what a record says of the data and of who labelled them; the hash is `digest`'s."""
    m = data.manifest
    people = len(np.unique(m.subject[m.subject >= 0]))
    facts = {"sha256": digest(data), "pictures": len(data), "people": people, "size": data.size}
    return {"labels": labelled_by(m), "data": facts}


def made_with(data: Data, evaluator: Evaluator | None, models: Mapping[str, Family]) -> dict[str, Any]:
    """Return what a record says of the data, the evaluator (None where there is none) and the models."""
    name, mark = signature(evaluator) if evaluator else (None, None)
    marks = {model: fingerprint(net) for model, net in models.items()}
    return {**data_facts(data), "evaluator": name, "evaluator_sha256": mark or None, "models": marks}


def trial_facts(data: Data, t: Trials) -> dict[str, Any]:
    """Return what a record says of its trials."""
    people = len(np.unique(data.manifest.subject[t.face]))
    return {"count": len(t.face), "people": people, "truth_known": bool((t.truth >= 0).all()), "size": data.size}


def write_protocol(
    folder: Path,
    protocol: str,
    about: Mapping[str, Any],
    figures: Mapping[Key, Mapping[str, Interval]],
    table: pd.DataFrame | None = None,
    notes: Mapping[Key, Mapping[str, Any]] | None = None,
) -> None:
    """Write what a protocol found as <protocol>.csv and <protocol>.json.

    The table is `table`, with its index if that is named, or else a line a figure.
    The record holds what it is `about`, the figures, and beside those of a model and answer its `notes`.
    """
    path = folder / f"{protocol}.csv"
    if table is None:
        write_figures(path, figures)
    else:
        write_csv(table.round(4), path, index=any(table.index.names))
    results = {key: {**found, **(notes or {}).get(key, {})} for key, found in figures.items()}
    write_record(folder / f"{protocol}.json", {"protocol": protocol, **about, "results": result_list(results)})


def over_people(
    statistics: Callable[..., Mapping[str, float]], people: np.ndarray, draws: int = DRAWS, runs: int = 0
) -> dict[str, Interval]:
    """Return `intervals`, whose bounds are NaN for a single person, of whom nothing can be said beyond the figure."""
    if len(np.unique(people)) > 1:
        return intervals(statistics, people, draws=draws, runs=runs)
    values = statistics(np.arange(len(people)), *([np.arange(runs)] if runs else []))
    return {name: Interval(float(value), math.nan, math.nan) for name, value in values.items()}


def column_means(values: pd.DataFrame, words: Sequence[str] = ()) -> Callable[[np.ndarray], dict[str, float]]:
    """Return a function of rows: the mean of each column over them, without NaN; NaN where nothing is known.

    `words` (N,) are the rows' classes: where they are given, also the means of each class's rows, as mAP_anger.
    """
    classes = {f"_{one}": np.array([one == word for word in words], float) for one in dict.fromkeys(words)}
    groups = {"": np.ones(len(values))} | classes
    names = [f"{name}{group}" for group in groups for name in values]
    among, table = np.stack([*groups.values()]), values.to_numpy(float)
    known = ~np.isnan(table)
    table = np.where(known, table, 0)

    def means(rows: np.ndarray) -> dict[str, float]:
        with np.errstate(invalid="ignore"):  # 0 / 0 where nothing is known
            found = (among[:, rows] @ table[rows]) / (among[:, rows] @ known[rows])
        return dict(zip(names, found.ravel().tolist(), strict=True))

    return means


def people_of(manifest: Manifest, rows: np.ndarray) -> np.ndarray:
    """Return whose each row is (N,), as a name; a row without a person is one of its own."""
    of = manifest.subject[rows]
    names = [manifest.subjects[s] if s >= 0 else manifest.files[int(row)] for s, row in zip(of, rows, strict=True)]
    return np.array(names, str)


def frame_of(results: Mapping[tuple[str, str], Mapping[str, Interval]], figures: list[str]) -> pd.DataFrame:
    """Return a row a model and answer, a column for each of `figures` that is known, as `0.51 [0.47, 0.55]`."""
    known = [name for name in figures if any(name in found for found in results.values())]
    rows = [
        {"model": model, "answer": answer} | {name: _short(found[name]) for name in known if name in found}
        for (model, answer), found in results.items()
        if not found.keys().isdisjoint(known)
    ]
    return pd.DataFrame(rows, columns=["model", "answer", *known]).fillna("")


def result_list(results: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return results as a list, which JSON can hold."""
    return [{"model": model, "answer": answer, **found} for (model, answer), found in results.items()]


def write_figures(path: Path, results: Mapping[tuple[str, str], Mapping[str, Interval]]) -> None:
    """Write a line a model, answer and figure, with its interval, as CSV."""
    rows = [
        {"model": model, "answer": answer, "figure": name, "value": found.value, "low": found.low, "high": found.high}
        for (model, answer), figures in results.items()
        for name, found in figures.items()
    ]
    write_csv(pd.DataFrame(rows).round(5), path, index=False)


def _short(found: Interval) -> str:
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _plain(value: Any) -> Any:
    if isinstance(value, Interval):
        value = {"value": value.value, "low": value.low, "high": value.high}
    elif is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
