"""Does the expression arrive? Action units and class by an evaluator, distance to the truth where known (EET IV-C).

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
from mien.editing.editor import Editor
from mien.evaluate.answers import TRUTH, answers
from mien.evaluate.evaluators.base import Evaluator, must_measure, read_at_its_size
from mien.evaluate.evaluators.networks import as_evaluator
from mien.evaluate.figures import errors_of, named_as, unit_figures
from mien.evaluate.observations import NOBODY, observations
from mien.evaluate.record import Key, made_with, over_people, people_of, trial_facts, write_protocol
from mien.evaluate.trials import STRONG, Trials, trials
from mien.evaluate.written import write_csv
from mien.metrics.bootstrap import DRAWS, Interval
from mien.models.contract import Family
from mien.progress import Tell, untold

DISTANCES = ("l1", "psnr", "ssim")


def by_transfer(
    models: Mapping[str, Family],
    evaluator: Evaluator | Family,
    data: Data,
    t: Trials,
    folder: Path,
    tell: Tell = untold,
    draws: int = DRAWS,
) -> dict[Key, dict[str, Interval]]:
    """Return figures by model and answer, and write transfer.json and .csv, and tables of L1 where a truth is known.

    icc, au_mse, of further units icc_further, au_mse_further, and both by unit as icc_AU12 (`unit_figures`): the
    evaluator's action units of the result against the example's true labels.
    expression: share that the evaluator names as the example's class (intensity STRONG and more, or unknown).
    l1_<region> (share of white), psnr_<region>, ssim_<region>: to the truth, of strong expressions. What has been
    looked at is kept in `folder`. Raises InputError where the evaluator measures neither, or as `observations`.
    """
    evaluator = as_evaluator(evaluator)
    must_measure(evaluator, "aus", "classes")
    look = partial(_look, evaluator, data, t)
    seen = observations(models, evaluator, data, t, look, folder / "seen", {"protocol": "transfer"}, tell)
    for pictures in seen.get((NOBODY, TRUTH), ()):
        pictures["errors"] = []  # how far the truth is from itself is no figure
    people = people_of(data.manifest, t.face)
    figures = {key: over_people(_statistics(pictures, data, t), people, draws) for key, pictures in seen.items()}
    if (t.truth >= 0).all():
        write_transfer(_errors(seen), folder)
    about = {"trials": trial_facts(data, t), **made_with(data, evaluator, models)}
    write_protocol(folder, "transfer", about, figures)
    return figures


def _look(
    evaluator: Evaluator, data: Data, t: Trials, pictures: list[np.ndarray], rows: np.ndarray
) -> list[dict[str, Any]]:
    """Return the evaluator's units and class of each picture, and its errors where the truth is known."""
    found = read_at_its_size(evaluator, pictures)
    return [
        {
            "aus": None if found.aus is None else found.aus[k].tolist(),
            "class": None if found.classes is None else int(found.classes[k]),
            "errors": errors_of(picture, data, t, trial) if t.truth[trial] >= 0 else [],
        }
        for k, (picture, trial) in enumerate(zip(pictures, rows.tolist(), strict=True))
    ]


def _statistics(
    pictures: Sequence[Mapping[str, Any]], data: Data, t: Trials
) -> Callable[[np.ndarray], dict[str, float]]:
    """Return a function of trials: their figures; `pictures` is what `_look` saw in each trial's."""
    aus, classes = _column(pictures, "aus"), _column(pictures, "class")
    asked = data.manifest.aus[t.example]
    right = None if classes is None else named_as(classes, data.manifest, t.example)
    distances = _distances(pictures)

    def statistics(rows: np.ndarray) -> dict[str, float]:
        figures: dict[str, float] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a draw may hold no strong expression: NaN says so
            if aus is not None:
                means, units = unit_figures(asked[rows], aus[rows])
                figures |= means | units
            if right is not None and not np.isnan(right).all():
                figures["expression"] = float(np.nanmean(right[rows]))
            return figures | {name: float(np.nanmean(values[rows])) for name, values in distances.items()}

    return statistics


def _column(pictures: Sequence[Mapping[str, Any]], name: str) -> np.ndarray | None:
    """Return one value of every picture, None where the evaluator does not measure it."""
    return None if pictures[0][name] is None else np.array([picture[name] for picture in pictures])


def _distances(pictures: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Return (T,) distances by name and region, as l1_mouth; NaN where the expression is weak."""
    table: dict[str, list[float]] = {}
    for picture in pictures:
        for row in picture["errors"]:
            strong = not row["intensity"] < STRONG
            for name in DISTANCES:
                table.setdefault(f"{name}_{row['region']}", []).append(row[name] if strong else np.nan)
    return {name: np.array(values, float) for name, values in table.items()}


def _errors(seen: Mapping[Key, Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """Return the errors as `transfer_errors` does, with a column for the model."""
    return pd.DataFrame(
        [
            {"model": model, "answer": answer, **row}
            for (model, answer), pictures in seen.items()
            for picture in pictures
            for row in picture["errors"]
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
    """Return the mean errors by region, model (if there is one) and answer, of trials of that intensity or more."""
    chosen = errors[errors.intensity >= at_least]
    return chosen.groupby(_keys(errors), sort=False)[["l1", "psnr", "ssim"]].mean()


def write_transfer(errors: pd.DataFrame, folder: Path) -> None:
    """Write trials.csv, the tables for all and for STRONG expressions, and L1 by expression."""
    write_csv(errors.round(5), folder / "trials.csv", index=False)
    for name, least in (("all", 0.0), ("strong", STRONG)):
        write_csv(transfer_table(errors, least).round(4), folder / f"transfer_{name}.csv")
    write_csv(by_expression(errors).round(4), folder / "transfer_by_expression.csv")


def by_expression(errors: pd.DataFrame, at_least: float = STRONG) -> pd.DataFrame:
    """Return the mean L1 by expression (rows), region, model (if there is a column) and answer; weak ones are noise."""
    chosen = errors[errors.intensity >= at_least]
    return chosen.pivot_table(index="expression", columns=_keys(errors), values="l1")


def _keys(errors: pd.DataFrame) -> list[str]:
    return [name for name in ("region", "model", "answer") if name in errors]
