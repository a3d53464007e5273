"""Does the expression arrive? Action units and class by a judge, distance to the truth where it is known (EET IV-C).

Every figure has an interval over the people whose faces are changed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mien.data.dataset import Data
from mien.data.images import resize_square
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.evaluate.answers import TRUTH, answers
from mien.evaluate.evaluators.base import Evaluator, Reading
from mien.evaluate.evaluators.networks import as_evaluator, signature
from mien.evaluate.figures import errors_of, named_as_example, unit_figures
from mien.evaluate.observations import NOBODY, Key, observations
from mien.evaluate.record import made_with, over_people, result_list, whose, write_figures, write_record
from mien.evaluate.trials import STRONG, Trials, trials
from mien.metrics.bootstrap import DRAWS, Interval
from mien.models.contract import Family

DISTANCES = ("l1", "psnr", "ssim")


def by_transfer(
    models: Mapping[str, Family],
    judge: Evaluator | Family,
    data: Data,
    t: Trials,
    folder: Path,
    report: Callable[[int, int], None] = lambda done, total: None,
    draws: int = DRAWS,
) -> dict[Key, dict[str, Interval]]:
    """Return figures by model and answer, and write transfer.json and .csv, and tables of L1 where a truth is known.

    icc, au_mse, and both by unit as icc_AU12: judge's action units of the result against the example's true labels.
    expression: share that the judge names as the example's class (intensity STRONG and more, or not told).
    l1_<region> (share of white), psnr_<region>, ssim_<region>: to the truth, of strong expressions. What has been
    looked at is kept in `folder`. Raises InputError where the judge can say nothing, or as `looked_at`.
    """
    judge = as_evaluator(judge)
    if not {"aus", "classes"} & {*judge.gives}:
        can = ", ".join(judge.gives)
        raise InputError(
            f"the judge {judge.name} gives {can}, but aus or classes are measured here; choose another --judge"
        )
    made_by = {"protocol": "transfer", "judge": signature(judge)}
    seen = observations(models, data, t, partial(_look, judge, data, t), folder / "seen", made_by, report)
    for told in seen.get((NOBODY, TRUTH), ()):
        told["errors"] = []  # how far the truth is from itself is no figure
    people = whose(data.manifest, t.face)
    figures = {key: over_people(_statistics(told, data, t), people, draws) for key, told in seen.items()}
    if (t.truth >= 0).all():
        write_transfer(_errors(seen), folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_figures(folder / "transfer.csv", figures)
    write_record(
        folder / "transfer.json",
        {
            "protocol": "transfer", "trials": trial_facts(data, t), **made_with(data, signature(judge), models),
            "results": result_list(figures),
        },
    )  # fmt: skip
    return figures


def trial_facts(data: Data, t: Trials) -> dict[str, Any]:
    """Return what a record says of its trials."""
    people = len(np.unique(data.manifest.subject[t.face]))
    return {"count": len(t.face), "people": people, "truth_known": bool((t.truth >= 0).all()), "size": data.size}


def _look(
    judge: Evaluator, data: Data, t: Trials, pictures: list[np.ndarray], rows: np.ndarray
) -> list[dict[str, Any]]:
    """Return the judge's units and class of each picture, and its errors where the truth is known."""
    found = judge.read(np.stack([resize_square(picture, judge.size) for picture in pictures]))
    seen: list[dict[str, Any]] = []
    for k, (picture, trial) in enumerate(zip(pictures, rows.tolist(), strict=True)):
        told = {
            "aus": None if found.aus is None else found.aus[k].tolist(),
            "class": None if found.classes is None else int(found.classes[k]),
        }
        seen.append(told | {"errors": errors_of(picture, data, t, trial) if t.truth[trial] >= 0 else []})
    return seen


def _statistics(told: Sequence[Mapping[str, Any]], data: Data, t: Trials) -> Callable[[np.ndarray], dict[str, float]]:
    """Return what gives the figures of some trials."""
    found = Reading(*(_column(told, name) for name in ("aus", "class")))
    wanted = data.manifest.aus[t.example]
    right = None if found.classes is None else named_as_example(found.classes, data, t)
    distances = _distances(told)

    def statistics(rows: np.ndarray) -> dict[str, float]:
        figures: dict[str, float] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a draw may hold no strong expression: NaN says so
            if found.aus is not None:
                means, units = unit_figures(wanted[rows], found.aus[rows])
                figures |= means | units
            if right is not None and not np.isnan(right).all():
                figures["expression"] = float(np.nanmean(right[rows]))
            return figures | {name: float(np.nanmean(values[rows])) for name, values in distances.items()}

    return statistics


def _column(told: Sequence[Mapping[str, Any]], name: str) -> np.ndarray | None:
    return None if told[0][name] is None else np.array([some[name] for some in told])


def _distances(told: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Return (T,) distances by name and region, as l1_mouth; NaN where the expression is weak."""
    table: dict[str, list[float]] = {}
    for some in told:
        for row in some["errors"]:
            for name in DISTANCES:
                strong = not row["intensity"] < STRONG
                table.setdefault(f"{name}_{row['region']}", []).append(row[name] if strong else np.nan)
    return {name: np.array(values, float) for name, values in table.items()}


def _errors(seen: Mapping[Key, Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """Return the errors as `transfer_errors` does, with a column for the model."""
    return pd.DataFrame(
        [
            {"model": model, "answer": answer, **row}
            for (model, answer), told in seen.items()
            for some in told
            for row in some["errors"]
        ]
    )


def transfer_errors(model: Family, data: Data, seed: int = 0) -> pd.DataFrame:
    """Return L1, PSNR and SSIM by trial, answer and region, in columns.

    Columns: subject, expression, intensity, answer, region, l1 (share of white), psnr (dB), ssim.
    """
    editor, t, rows = Editor(model, aligned=True), trials(data, seed), []
    for k in range(len(t.face)):
        for answer, picture in answers(editor, data, t, k).items():
            rows += [{**row, "answer": answer} for row in errors_of(picture, data, t, k)]
    return pd.DataFrame(rows)


def transfer_table(errors: pd.DataFrame, at_least: float = 0.0) -> pd.DataFrame:
    """Return the mean errors by region, model if it is told, and answer, of trials of at least this intensity."""
    chosen = errors[errors.intensity >= at_least]
    return chosen.groupby(_keys(errors), sort=False)[["l1", "psnr", "ssim"]].mean()


def write_transfer(errors: pd.DataFrame, folder: Path) -> None:
    """Write trials.csv, the tables for all and for STRONG expressions, and L1 by expression."""
    folder.mkdir(parents=True, exist_ok=True)
    errors.round(5).to_csv(folder / "trials.csv", index=False)
    for name, least in (("all", 0.0), ("strong", STRONG)):
        transfer_table(errors, least).round(4).to_csv(folder / f"transfer_{name}.csv")
    by_expression(errors).round(4).to_csv(folder / "transfer_by_expression.csv")


def by_expression(errors: pd.DataFrame, at_least: float = STRONG) -> pd.DataFrame:
    """Return the mean L1 by expression (rows), region, model if told, and answer; what hardly moves shows noise."""
    chosen = errors[errors.intensity >= at_least]
    return chosen.pivot_table(index="expression", columns=_keys(errors), values="l1")


def _keys(errors: pd.DataFrame) -> list[str]:
    return [name for name in ("region", "model", "answer") if name in errors]
