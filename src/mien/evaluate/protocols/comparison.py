"""All models side by side on people none of them was trained on: against the truth, and by an evaluator.

An evaluator (`mien.evaluate.evaluators`) reads action units, class and person from the results, whichever it can. Ours
was trained on true pictures of other people, and no model was trained with it; what it says of the true answers is the
ceiling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from mien.data.dataset import Data
from mien.data.neutral import STARTS
from mien.evaluate.answers import ANSWERS, BY_UNITS, MADE, TRIVIAL, TRUTH, trivial_answers
from mien.evaluate.cost import deployed_parameters, milliseconds
from mien.evaluate.evaluators.base import Evaluator, squares
from mien.evaluate.evaluators.independence import with_sources
from mien.evaluate.evaluators.networks import as_evaluator
from mien.evaluate.figures import answer_all, error_figures, errors_frame, evaluator_figures, recognition_figures
from mien.evaluate.record import Key
from mien.evaluate.sheets import draw_chosen, for_show
from mien.evaluate.trials import Trials, trials
from mien.evaluate.written import write_csv
from mien.models.contract import Family
from mien.progress import Tell, untold

matplotlib.use("Agg")


def compare(
    models: Mapping[str, Family],
    evaluator: Evaluator | Family,
    data: Data,
    folder: Path,
    seed: int = 0,
    tell: Tell = untold,
    start: str = STARTS[0],
) -> pd.DataFrame:
    """Return a row a model and answer, and write comparison.csv, aus.csv, trials.csv and comparison.png to `folder`.

    The transfers are those of `mien.evaluate.trials.trials`. Columns: l1_<region> (share of white), psnr_<region> and
    ssim_<region> of strong expressions, and of all with `all_` before it; icc and au_mse (evaluator's AUs of the result
    against the example's true labels, mean over DISFA_AUS), slope and change_r (`edit_strength.strength` of what the
    evaluator sees change, over the same units), expression (share that the evaluator names as the example's class;
    strong), rank_1 and tar (identity among the neutral faces, TAR at FAR 1 %), ms (a transfer on one face), parameters
    (of the parts in use), what `recognition_figures` gives, and who labelled and who measured. Figures that the
    evaluator can say nothing about are left out.
    """
    evaluator = as_evaluator(evaluator)
    t = trials(data, seed, start=start)
    errors, pictures = answer_everywhere(models, data, t, evaluator.size, tell)
    figures, by_au = evaluator_figures(evaluator, data, t, pictures)
    for key, frame in errors.items():
        figures[key] = error_figures(frame) | figures[key]
    for name, model in models.items():
        own = recognition_figures(model, data) | {"ms": milliseconds(model), "parameters": deployed_parameters(model)}
        for answer in (*MADE, BY_UNITS):
            if (name, answer) in figures:
                figures[name, answer] |= own
    table = pd.DataFrame(figures).T.rename_axis(["model", "answer"]).sort_index(key=_order(models))
    table = with_sources(table, evaluator, data.manifest)
    write_csv(table.round(4), folder / "comparison.csv")
    units = with_sources(by_au, evaluator, data.manifest).rename_axis(["model", "answer"])
    write_csv(units.round(3), folder / "aus.csv")
    write_csv(pd.concat(errors, names=["model", "answer"]).round(5), folder / "trials.csv")
    chosen = for_show(data, t)
    shown = {name: [pictures[name, MADE[1]][k] for k in chosen] for name in models}
    draw_chosen(data, t, chosen, shown, folder / "comparison.png")
    return table


def answer_everywhere(
    models: Mapping[str, Family], data: Data, t: Trials, size: int, tell: Tell
) -> tuple[dict[Key, pd.DataFrame], dict[Key, np.ndarray]]:
    """Return errors and pictures (T, size, size, 3) of the trivial answers and of every model's, and the truth's."""
    trivial, total = trivial_answers(data, t), len(t.face) * (len(models) + 1)
    errors: dict[Key, pd.DataFrame] = {("—", answer): errors_frame(trivial[answer], data, t) for answer in TRIVIAL}
    pictures: dict[Key, np.ndarray] = {("—", answer): squares(some, size) for answer, some in trivial.items()}
    for number, (name, model) in enumerate(models.items()):
        frames, made = answer_all(model, data, t, size, partial(_of_all, tell, number * len(t.face), total))
        errors |= {(name, answer): frame for answer, frame in frames.items()}
        pictures |= {(name, answer): some for answer, some in made.items()}
    return errors, pictures


def _of_all(tell: Tell, begun: int, total: int, done: int) -> None:
    tell(begun + done, total)


def _order(models: Mapping[str, Family]) -> Callable[[Any], Any]:
    place = {name: k for k, name in enumerate(["—", *models, *ANSWERS, BY_UNITS, TRUTH])}
    return lambda level: level.map(place)
