"""One part of the benchmark: all figures of one model, or of the trivial answers, on one set of pictures.

A part is what JSON can hold: {"figures": [{"answer", "metric", "of", "value", "low", "high"}, …]}, and for a model
"curves" (asked against measured intensity) and "pictures" (PNG in base64, of the trials of `sheets.for_show`).
`of` is the action unit or class that a figure is about, "" where it is about all of them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from mien.data.dataset import Data
from mien.errors import InputError
from mien.evaluate.answers import MADE, TRIVIAL, trivial_answers
from mien.evaluate.benchmark.sets import BenchSet
from mien.evaluate.evaluators.base import Evaluator, Reading, all_read, squares
from mien.evaluate.figures import (
    answer_all,
    au_figures,
    class_figures,
    errors_frame,
    identity_figures,
    recognition_figures,
)
from mien.evaluate.identity_gallery import GALLERY, gallery_of, gallery_rows
from mien.evaluate.predictions import predict, protocol_rows
from mien.evaluate.probes import codes
from mien.evaluate.protocols.frechet import SETS, frechet_by_class
from mien.evaluate.protocols.intensity import intensity_table, of_each_person, sweep
from mien.evaluate.protocols.retrieval import query_figures, ranking, retrieval_table
from mien.evaluate.record import column_means
from mien.evaluate.sheets import for_show
from mien.evaluate.trials import STRONG, Trials
from mien.labels import BASIC
from mien.media.picture import open_picture
from mien.metrics.bootstrap import DRAWS, intervals
from mien.models.contract import Edits, Embeds, Family, Recognizes

DIGITS = 4
"""Figures are rounded, so that the last bits of another processor's sums do not make another file."""

TRIVIAL_FORM: dict[str, Any] = {"figures": [dict]}
MODEL_FORM = {**TRIVIAL_FORM, "curves": object, "pictures": [str]}
"""What a part is that was kept, as `mien.reading.misfit` takes forms."""

Row = dict[str, Any]
Report = Callable[[int], None]


def trivial_part(s: BenchSet, evaluator: Evaluator) -> dict[str, Any]:
    """Return the figures of the truth itself and of the two trivial answers."""
    raw = trivial_answers(s.data, s.trials)
    errors = {answer: errors_frame(raw[answer], s.data, s.trials) for answer in TRIVIAL}
    pictures = {answer: squares(made, evaluator.size) for answer, made in raw.items()}
    pictures[GALLERY], _ = gallery_of(s.data, s.trials, evaluator)
    found = all_read({answer: partial(evaluator.read, made) for answer, made in pictures.items()})
    return {"figures": [row for a in raw for row in answer_rows(s, a, errors.get(a), found[a], found[GALLERY])]}


def model_part(model: Family, s: BenchSet, evaluator: Evaluator, report: Report = lambda done: None) -> dict[str, Any]:
    """Return a model's figures, curves and pictures; what neither it nor the evaluator can do is left out."""
    errors, pictures = answer_all(model, s.data, s.trials, evaluator.size, report)
    gallery, _ = gallery_of(s.data, s.trials, evaluator)
    work: dict[tuple[str, str], Callable[[], Any]] = {
        ("read", answer): partial(evaluator.read, made) for answer, made in {GALLERY: gallery, **pictures}.items()
    }
    if isinstance(model, Edits) and "aus" in evaluator.measures:
        work |= {("sweep", a): partial(sweep, model, evaluator, s.data, answer=a) for a in MADE}
    if isinstance(model, Edits) and "identity" in evaluator.measures:
        work["frechet", ""] = partial(frechet_by_class, model, evaluator, s.data)
    found = all_read(work)  # what an outside tool must read is asked for all at once
    rows = []
    for answer in errors:
        rows += answer_rows(s, answer, errors[answer], found["read", answer], found["read", GALLERY])
    for answer in MADE:
        rows += intensity_rows(answer, found["sweep", answer]) if ("sweep", answer) in found else []
    rows += frechet_rows(found["frechet", ""]) if ("frechet", "") in found else []
    composited = MADE[1]
    return {
        "figures": rows + own_rows(model, s.data),
        "curves": curves_of(found["sweep", composited]) if ("sweep", composited) in found else None,
        "pictures": [as_text(pictures[composited][k]) for k in for_show(s.data, s.trials)],
    }


def row(answer: str, metric: str, value: float, low: float = np.nan, high: float = np.nan, of: str = "") -> Row:
    """Return a figure as a row; NaN is None, as JSON has none."""
    numbers = {"value": value, "low": low, "high": high}
    rounded = {name: None if np.isnan(number) else round(float(number), DIGITS) for name, number in numbers.items()}
    return {"answer": answer, "metric": metric, "of": of} | rounded


def rows_over(answer: str, figures: Callable[[np.ndarray], Mapping[str, float]], people: np.ndarray) -> list[Row]:
    """Return rows of figures with their intervals over people."""
    found = intervals(figures, people, draws=DRAWS)
    return [row(answer, name, i.value, i.low, i.high) for name, i in found.items()]


def answer_rows(s: BenchSet, answer: str, errors: pd.DataFrame | None, found: Reading, gallery: Reading) -> list[Row]:
    """Return an answer's figures: its distance from the truth, and what the evaluator says of it (`found`).

    The distance is of strong expressions; without `errors`, as of the truth, there is none.
    """
    t, m = s.trials, s.data.manifest
    _, own = gallery_rows(s.data, t)
    distances = nearness(errors, len(t.face)) if errors is not None else {}
    strong = m.intensity[t.truth] >= STRONG

    def figures(rows: np.ndarray) -> dict[str, float]:
        trials = Trials(t.example[rows], t.face[rows], t.truth[rows], t.landmarks[rows])
        reading, far = rows_of(found, rows), rows[strong[rows]]
        values = {name: float(each[far].mean()) if len(far) else np.nan for name, each in distances.items()}
        values |= au_figures(reading, s.data, trials)[0]
        values |= class_figures(reading, s.data, trials) if len(far) else {}
        return values | identity_figures(reading, gallery, own[rows])

    rows = rows_over(answer, figures, m.subject[t.truth])
    for name, value in au_figures(found, s.data, t)[1].items():
        metric, _, unit = name.partition("_")
        rows.append(row(answer, {"icc": "icc", "mse": "au_mse"}[metric], value, of=unit))
    return rows


def nearness(errors: pd.DataFrame, count: int) -> dict[str, np.ndarray]:
    """Return each trial's L1 by region and the SSIM of the face, (T,) each."""
    regions = errors.region.iloc[: len(errors) // count]
    l1, ssim = (errors[name].to_numpy().reshape(count, -1) for name in ("l1", "ssim"))  # a trial's regions follow
    found = {f"l1_{region}": l1[:, k] for k, region in enumerate(regions)}
    return found | {"ssim_face": ssim[:, list(regions).index("face")]}


def rows_of(reading: Reading, rows: np.ndarray) -> Reading:
    """Return some rows of a reading."""
    return replace(reading, **{name: part[rows] for name, part in vars(reading).items() if part is not None})


def intensity_rows(answer: str, swept: pd.DataFrame) -> list[Row]:
    """Return Spearman's correlation and the gain: the mean over people and classes, and by class."""
    each = of_each_person(swept)
    rows = rows_over(answer, column_means(each[["spearman", "gain"]]), each.subject.to_numpy())
    for line in intensity_table(swept).itertuples():
        rows += [row(answer, name, getattr(line, name), of=line.expression) for name in ("spearman", "gain")]
    return rows


def frechet_rows(table: pd.DataFrame) -> list[Row]:
    """Return the Fréchet distance by class and its mean over classes, of the model's answers and of two to go by."""
    rows = []
    for column, answer in SETS.items():
        rows.append(row(answer, "frechet", table[column].mean()))
        rows += [row(answer, "frechet", v, of=w) for w, v in zip(table.expression, table[column], strict=True)]
    return rows


def own_rows(model: Family, data: Data) -> list[Row]:
    """Return what a model itself, and probes of its codes, tell of the set's pictures."""
    figures, small = recognition_figures(model, data), data.at_size(int(model.config.image_size))
    rows = []
    if isinstance(model, Recognizes):
        chosen = small.select(protocol_rows(small))
        right = predict(model.recognize, chosen, BASIC) == chosen.manifest.expression
        rows += rows_over("", lambda some: {"recognize": right[some].mean()}, chosen.manifest.subject)
    rows += [row("", name, value) for name, value in figures.items() if name != "recognize"]
    if isinstance(model, Embeds):
        rows.append(row("", "retrieval", retrieved(model, small)))
    return rows


def retrieved(model: Embeds, small: Data) -> float:
    """Return the mean average precision with which the expression code finds other people of the same class."""
    chosen = small.select(protocol_rows(small))
    order = ranking(codes(model, chosen)["expression"], chosen.manifest.subject)
    return float(retrieval_table(query_figures(chosen, {"c": order})).loc[("c", "all"), "mAP"])


def curves_of(swept: pd.DataFrame) -> dict[str, list[Any]]:
    """Return what `intensity.draw_intensity` needs, column by column."""
    kept = swept[["subject", "expression", "asked", "measured"]].round(DIGITS)
    return {name: [None if v != v else v for v in column.tolist()] for name, column in kept.items()}


def as_text(picture: np.ndarray) -> str:
    """Return a picture uint8 RGB (S, S, 3) as PNG in base64."""
    content = BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


def as_picture(text: str, path: Path) -> np.ndarray:
    """Return the picture that `as_text` wrote, as a part below the folder `path` holds it. Raises InputError."""
    expected, remedy = "expected a part with PNG pictures", "remove it, and measure again"
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InputError(f"{path}: holds a picture that is damaged; {remedy}") from error
    with open_picture(path, f"{expected}; {remedy}", remedy, 1 << 20, ("PNG",), content) as image:
        return np.asarray(image.convert("RGB"))
