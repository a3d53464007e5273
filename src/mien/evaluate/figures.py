"""From pictures, and what an evaluator reads in them, to figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from mien.data.dataset import Data
from mien.data.manifest import Manifest
from mien.editing.editor import Editor
from mien.evaluate.answers import BY_UNITS, MADE, TRIVIAL, TRUTH, answer_by_units, answers, takes_sides
from mien.evaluate.evaluators.base import Evaluator, Reading, all_read, squares
from mien.evaluate.evaluators.networks import as_evaluator
from mien.evaluate.identity_gallery import GALLERY, gallery_of
from mien.evaluate.predictions import estimate_aus, predict, protocol_rows
from mien.evaluate.probes import codes, probes
from mien.evaluate.trials import STRONG, Trials
from mien.labels import AUS, BASIC, CLASSES, DISFA_AUS, EXPRESSIONS, FURTHER_AUS, au_name
from mien.metrics.edit_strength import strength
from mien.metrics.icc import agreements, icc_3_1, mse
from mien.metrics.image_similarity import l1, psnr, ssim_map
from mien.metrics.regions import region_boxes
from mien.metrics.verification import cosines, rank_1, tar_at_far
from mien.models.contract import Embeds, EstimatesAus, Family, Recognizes


def errors_of(picture: np.ndarray, data: Data, t: Trials, trial: int) -> list[dict[str, float | str]]:
    """Return a row a region: a trial's labels and how far `picture`, uint8 (S, S, 3), is from its truth."""
    row = int(t.truth[trial])
    truth, manifest = data.images[row], data.manifest
    labels: dict[str, float | str] = {
        "subject": manifest.subjects[manifest.subject[row]],
        "expression": EXPRESSIONS[manifest.expression[row]],
        "intensity": round(float(manifest.intensity[row]), 3),
    }
    structure = ssim_map(picture, truth)
    return [
        labels
        | {
            "region": region,
            "l1": l1(picture, truth, box),
            "psnr": psnr(picture, truth, box),
            "ssim": float(structure[box].mean()),
        }
        for region, box in region_boxes(t.landmarks[trial], data.size).items()
    ]


DISFA_COLUMNS = [AUS.index(unit) for unit in DISFA_AUS]


def answer_all(
    model: Family, data: Data, t: Trials, size: int, report: Callable[[int], None] = lambda done: None
) -> tuple[dict[str, pd.DataFrame], dict[str, np.ndarray]]:
    """Return errors and pictures (T, size, size, 3) of a model's answers to every trial, by the answer's name.

    They are MADE, and BY_UNITS of a model that takes units by side.
    """
    editor, by_units = Editor(model, aligned=True), takes_sides(model)
    pictures: dict[str, list[np.ndarray]] = {answer: [] for answer in (*MADE, *[BY_UNITS] * by_units)}
    for trial in range(len(t.face)):
        found = answers(editor, data, t, trial)
        if by_units:
            found[BY_UNITS] = answer_by_units(editor, data, t, trial)
        for answer, made in pictures.items():
            made.append(found[answer])
        report(trial + 1)
    errors = {answer: errors_frame(made, data, t) for answer, made in pictures.items()}
    return errors, {answer: squares(made, size) for answer, made in pictures.items()}


def error_figures(errors: pd.DataFrame) -> dict[str, float]:
    """Return the mean L1, PSNR and SSIM by region, of strong expressions and (`all_`) of all."""
    found: dict[str, float] = {}
    for name, some in (("", errors[errors.intensity >= STRONG]), ("all_", errors)):
        means = some.groupby("region")[["l1", "psnr", "ssim"]].mean()
        found |= {
            f"{name}{measure}_{region}": means.loc[region, measure] for measure in means for region in means.index
        }
    return found


def errors_frame(pictures: Sequence[np.ndarray], data: Data, t: Trials) -> pd.DataFrame:
    """Return `errors_of` a picture for every trial, a row a trial and region."""
    return pd.DataFrame([row for k, picture in enumerate(pictures) for row in errors_of(picture, data, t, k)])


def evaluator_figures(
    evaluator: Evaluator | Family, data: Data, t: Trials, pictures: Mapping[Any, np.ndarray]
) -> tuple[dict[Any, dict[str, float]], pd.DataFrame]:
    """Return the evaluator's figures of every set of pictures (T, S, S, 3), and ICC and MSE by AU.

    Raises InputError where an outside tool has to read the pictures first.
    """
    evaluator = as_evaluator(evaluator)
    gallery, own = gallery_of(data, t, evaluator)
    work = {key: partial(evaluator.read, made) for key, made in {GALLERY: gallery, **pictures}.items()}
    readings = all_read(work)  # what must be read outside is asked for all at once
    known = readings.pop(GALLERY)
    figures, by_au = {}, {}
    for key, found in readings.items():
        of_aus, by_au[key] = au_figures(found, data, t)
        of_aus |= change_figures(found, *(readings.get(("—", answer)) for answer in (TRIVIAL[0], TRUTH)))
        figures[key] = of_aus | class_figures(found, data, t) | identity_figures(found, known, own)
    return figures, pd.DataFrame(by_au).T


def au_figures(found: Reading, data: Data, t: Trials) -> tuple[dict[str, float], dict[str, float]]:
    """Return mean ICC and MSE of the units that evaluator and labels know, and both by unit; nothing without AUs."""
    return ({}, {}) if found.aus is None else unit_figures(data.manifest.aus[t.example], found.aus)


def change_figures(found: Reading, before: Reading | None, after: Reading | None) -> dict[str, float]:
    """Return slope and correlation of the change the evaluator sees on the one it sees in the truth, over DISFA_AUS."""
    if before is None or after is None or any(reading.aus is None for reading in (found, before, after)):
        return {}
    made, unmoved, true = (np.asarray(reading.aus)[:, DISFA_COLUMNS] for reading in (found, before, after))
    return strength(made - unmoved, true - unmoved)


def unit_figures(truth: np.ndarray, found: np.ndarray) -> tuple[dict[str, float], dict[str, float]]:
    """Return mean ICC and MSE between (T, 21) intensities, and both by unit, as icc_AU12.

    icc and au_mse are means over DISFA_AUS, icc_further and au_mse_further over FURTHER_AUS (EET, Table VIII). A unit
    that one side does not know, or whose truth does not vary, has no figures, and no part in a mean.
    """
    known = ~np.isnan(truth) & ~np.isnan(found)
    varied = np.where(known, truth, -np.inf).max(0) > np.where(known, truth, np.inf).min(0)
    values = dict(zip(("icc", "mse"), agreements(truth, found), strict=True))
    means: dict[str, float] = {}
    for group, units in (("", DISFA_AUS), ("_further", FURTHER_AUS)):
        shown = [column for column in map(AUS.index, units) if varied[column]]
        if shown and not np.isnan(values["icc"][shown]).all():
            means[f"icc{group}"] = float(np.nanmean(values["icc"][shown]))
            means[f"au_mse{group}"] = float(np.mean(values["mse"][shown]))
    of_unit = {f"{name}_{au_name(AUS[k])}": float(of[k]) for name, of in values.items() for k in np.flatnonzero(varied)}
    return means, of_unit


def class_figures(found: Reading, data: Data, t: Trials) -> dict[str, float]:
    """Return the share of strong expressions that is named as the example's; nothing without classes."""
    if found.classes is None:
        return {}
    right = named_as(found.classes, data.manifest, t.example)
    return {} if np.isnan(right).all() else {"expression": float(np.nanmean(right))}


def named_as(classes: np.ndarray, manifest: Manifest, rows: np.ndarray) -> np.ndarray:
    """Return (T,) 1 where the class is that of a row (T,), 0 where not, NaN where that is weak or has no class."""
    shown = ~(manifest.intensity[rows] < STRONG)
    shown &= (manifest.expression[rows] >= 0) & (manifest.expression[rows] < len(CLASSES))
    return np.where(shown, classes == manifest.expression[rows], np.nan)


def identity_figures(found: Reading, gallery: Reading, own: np.ndarray) -> dict[str, float]:
    """Return how often the person is known again among the gallery; nothing without identities."""
    if found.identity is None or gallery.identity is None:
        return {}
    alike = cosines(found.identity, gallery.identity)
    return {"rank_1": rank_1(alike, own), "tar": tar_at_far(alike, own)}


def recognition_figures(model: Family, data: Data) -> dict[str, float]:
    """Return how well the model itself and a linear probe on its expression code name the data's expressions.

    recognize: accuracy of the model's own recogniser on the six basic expressions (`protocol_rows`), if it has one.
    own_icc, own_mse: agreement of its own AU estimates with the labels, the mean over DISFA_AUS, if it has some.
    probe, leak: accuracy of a linear probe on the expression code for expression, by subject folds of the data, and
    for person, by expression folds; the model should not have been trained on the data's people.
    """
    size, figures = int(model.config.image_size), {}
    small = data.at_size(size)
    if isinstance(model, Recognizes):
        chosen = small.select(protocol_rows(small))
        figures["recognize"] = float((predict(model.recognize, chosen, BASIC) == chosen.manifest.expression).mean())
    if isinstance(model, EstimatesAus):
        units = [agreement for agreement in au_agreement(model, small).values() if not np.isnan(agreement["icc"])]
        if units:
            figures |= {f"own_{name}": float(np.mean([unit[name] for unit in units])) for name in ("icc", "mse")}
    if isinstance(model, Embeds):
        table = probes(codes(model, small), small).set_index(["code", "probe"]).accuracy
        figures |= {"probe": float(table["expression", "expression"]), "leak": float(table["expression", "person"])}
    return figures


def au_agreement(model: EstimatesAus, data: Data) -> dict[int, dict[str, float]]:
    """Return ICC(3,1) and MSE of a model's AU estimates and the labels, for DISFA_AUS that it knows and that vary."""
    found, label = estimate_aus(model, data), data.manifest.aus
    units = [k for k in DISFA_COLUMNS if np.nanstd(label[:, k]) > 0]
    return {AUS[k]: agree(label[:, k], found[:, k]) for k in units if not np.isnan(found[:, k]).any()}


def agree(label: np.ndarray, estimate: np.ndarray) -> dict[str, float]:
    """Return ICC(3,1) and MSE over the rows whose label and estimate are known."""
    known = ~np.isnan(label) & ~np.isnan(estimate)
    return {"icc": icc_3_1(label[known], estimate[known]), "mse": mse(label[known], estimate[known])}
