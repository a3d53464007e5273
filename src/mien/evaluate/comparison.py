"""All models side by side on people none of them was trained on: against the truth, and by the judge.

A judge (`mien.evaluate.judges`) reads action units, class and person from the results, whichever it can. Ours was
trained on true pictures of other people, and no model was trained with it; what a judge says of the true answers is
the ceiling.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import torch

from mien.data.dataset import Data
from mien.data.images import resize_square
from mien.data.manifest import Manifest
from mien.data.neutral import neutral_faces
from mien.editor import Editor
from mien.evaluate.judges import Judge, Reading, all_read, as_judge, named
from mien.evaluate.probes import codes, probes
from mien.evaluate.recognition import estimated, predict, protocol_rows
from mien.evaluate.transfer import ANSWERS, STARTS, STRONG, Trials, answers, errors_of, trials
from mien.labels import AUS, BASIC, CLASSES
from mien.media.sheet import save_sheet, sheet
from mien.metrics.edit_strength import strength
from mien.metrics.icc import agreements, icc_3_1, mse
from mien.metrics.verification import cosines, rank_1, tar_at_far
from mien.models.contract import Edits, Embeds, EstimatesAus, Family, Recognizes, Transfers
from mien.models.registry import able

matplotlib.use("Agg")

DISFA_AUS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
"""The twelve action units of DISFA, which AU tables are about."""

TRIVIAL, MADE = ANSWERS[:2], ANSWERS[2:]
BY_UNITS = "units asked"
"""Of models that take action units by side: asked for the truth's own, instead of shown an example."""
TRUTH = "the truth itself"
GALLERY = "the neutral faces"


def compare(
    models: Mapping[str, Family],
    judge: Judge | Family,
    data: Data,
    folder: Path,
    seed: int = 0,
    report: Callable[[int, int], None] = lambda done, total: None,
    start: str = STARTS[0],
) -> pd.DataFrame:
    """Return a row a model and answer, and write comparison.csv, aus.csv, trials.csv and comparison.png to `folder`.

    The transfers are those of `mien.evaluate.transfer.trials`. Columns: l1_<region> (share of white), psnr_<region> and
    ssim_<region> of strong expressions, and of all with `all_` before it; icc and au_mse (judge's AUs of the result
    against the example's true labels, mean over DISFA_AUS), slope and change_r (`metrics.strength` of what the judge
    sees change, over the same units), expression (share the judge names as the example's class; strong), rank_1 and tar
    (identity among the neutral faces, TAR at FAR 1 %), ms (a transfer on one face), parameters (of the parts in use),
    what `recognition_figures` gives, and who labelled and who judged. Figures that the judge can say nothing about are
    left out.
    """
    judge = as_judge(judge)
    t, size = trials(data, seed, start=start), judge.size
    total = len(t.face) * (len(models) + 1)
    parts, tables, shown = {}, {}, {}
    for answer, pictures in unpainted(data, t).items():
        parts["—", answer] = np.stack([resize_square(picture, size) for picture in pictures])
        if answer in TRIVIAL:
            tables["—", answer] = errors_frame(pictures, data, t)
    for number, (name, model) in enumerate(models.items()):
        begun = number * len(t.face)
        errors, made = answered(model, data, t, size, partial(_of_all, report, begun, total))
        tables |= {(name, answer): frame for answer, frame in errors.items()}
        parts |= {(name, answer): pictures for answer, pictures in made.items()}
        shown[name] = list(made[MADE[1]])
    figures, by_au = judged(judge, data, t, parts)
    for key, errors in tables.items():
        figures[key] = error_figures(errors) | figures[key]
    for name, model in models.items():
        own = recognition_figures(model, data) | {"ms": milliseconds(model), "parameters": deployed_parameters(model)}
        for answer in (*MADE, BY_UNITS):
            if (name, answer) in figures:
                figures[name, answer] |= own
    table = pd.DataFrame(figures).T.rename_axis(["model", "answer"]).sort_index(key=_order(models))
    table = named(table, judge, data.manifest)
    folder.mkdir(parents=True, exist_ok=True)
    table.round(4).to_csv(folder / "comparison.csv")
    named(by_au, judge, data.manifest).rename_axis(["model", "answer"]).round(3).to_csv(folder / "aus.csv")
    pd.concat(tables, names=["model", "answer"]).round(5).to_csv(folder / "trials.csv")
    draw(data, t, shown, folder / "comparison.png")
    return table


def unpainted(data: Data, t: Trials) -> dict[str, list[np.ndarray]]:
    """Return the truth and the two trivial answers to every trial, uint8 (S, S, 3) each."""
    rows = dict(zip((TRUTH, *TRIVIAL), (t.truth, t.face, t.example), strict=True))
    return {answer: [data.images[row] for row in chosen.tolist()] for answer, chosen in rows.items()}


def answered(
    model: Family, data: Data, t: Trials, size: int, report: Callable[[int], None] = lambda done: None
) -> tuple[dict[str, pd.DataFrame], dict[str, np.ndarray]]:
    """Return errors and pictures (T, size, size, 3) of a model's answers to every trial, by the answer's name.

    They are MADE, and BY_UNITS of a model that takes units by side.
    """
    editor, asks = Editor(model, aligned=True), takes_sides(model)
    pictures: dict[str, list[np.ndarray]] = {answer: [] for answer in (*MADE, *[BY_UNITS] * asks)}
    for k in range(len(t.face)):
        found = answers(editor, data, t, k)
        if asks:
            found[BY_UNITS] = answered_by_units(editor, data, t, k)
        for answer, kept in pictures.items():
            kept.append(found[answer])
        report(k + 1)
    errors = {answer: errors_frame(made, data, t) for answer, made in pictures.items()}
    return errors, {answer: np.stack([resize_square(one, size) for one in made]) for answer, made in pictures.items()}


def takes_sides(model: Family) -> bool:
    """Whether a model edits by action units, left and right apart."""
    return isinstance(model, Edits) and "sides" in type(model).edits_by


def answered_by_units(editor: Editor, data: Data, t: Trials, trial: int) -> np.ndarray:
    """Return a trial's face with the truth's own units and gaze asked for, uint8 (S, S, 3)."""
    face, truth = int(t.face[trial]), int(t.truth[trial])
    units, gaze = units_shown(data.manifest, truth), gaze_change(data.manifest, face, truth)
    return editor.edit(data.images[face], aus=units, gaze=gaze).rgb


def units_shown(manifest: Manifest, row: int) -> dict[int | str, float]:
    """Return the action units that a row's label knows, by side."""
    sides = (("L", manifest.left[row]), ("R", manifest.right[row]))
    return {f"{au}{side}": float(v) for side, of in sides for au, v in zip(AUS, of, strict=True) if not np.isnan(v)}


def gaze_change(manifest: Manifest, face: int, truth: int) -> tuple[float, float] | None:
    """Return by how many degrees the gaze differs between two rows of a person, None where it is not known."""
    x, y = (float(of[truth] - of[face]) for of in (manifest.gaze_x, manifest.gaze_y))
    return None if np.isnan((x, y)).any() else (x, y)


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


def judged(
    judge: Judge | Family, data: Data, t: Trials, pictures: Mapping[Any, np.ndarray]
) -> tuple[dict[Any, dict[str, float]], pd.DataFrame]:
    """Return the judge's figures of every set of pictures (T, S, S, 3), and ICC and MSE by AU.

    Raises InputError where an outside tool has to read the pictures first.
    """
    judge = as_judge(judge)
    gallery, own = gallery_of(data, t, judge)
    work = {key: partial(judge.read, made) for key, made in {GALLERY: gallery, **pictures}.items()}
    readings = all_read(work)  # what must be read outside is asked for all at once
    known = readings.pop(GALLERY)
    figures, by_au = {}, {}
    for key, found in readings.items():
        of_aus, by_au[key] = au_figures(found, data, t)
        of_aus |= change_figures(found, *(readings.get(("—", answer)) for answer in (TRIVIAL[0], TRUTH)))
        figures[key] = of_aus | class_figures(found, data, t) | identity_figures(found, known, own)
    return figures, pd.DataFrame(by_au).T


def gallery_rows(data: Data, t: Trials) -> tuple[list[int], np.ndarray]:
    """Return a picture of every person of the trials, and whose (T,) the trials' faces are, as an index of it.

    It is a neutral one, if the person has any, and none of the trials' faces, if there is another: a face is no proof
    of itself.
    """
    people, own = np.unique(data.manifest.subject[t.face], return_inverse=True)
    return one_each(data.manifest, people, t.face), own


def one_each(manifest: Manifest, people: np.ndarray, used: np.ndarray | None = None) -> list[int]:
    """Return a picture of each of `people`: a neutral one, if there is any, and none of `used`, if there is another."""
    neutral, known, rows = neutral_faces(manifest), set() if used is None else set(used.tolist()), []
    for person in people.tolist():
        theirs = neutral.get(person) or np.flatnonzero(manifest.subject == person).tolist()
        rows.append(next((row for row in theirs if row not in known), theirs[0]))
    return rows


def gallery_of(data: Data, t: Trials, judge: Judge) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures (P, S, S, 3) among which the trials' people are to be found again, and whose each face is."""
    rows, own = gallery_rows(data, t)
    return np.stack([resize_square(data.images[row], judge.size) for row in rows]), own


def au_figures(found: Reading, data: Data, t: Trials) -> tuple[dict[str, float], dict[str, float]]:
    """Return mean ICC and MSE of the units that judge and labels know, and both by unit; nothing without AUs."""
    return ({}, {}) if found.aus is None else unit_figures(data.manifest.aus[t.example], found.aus)


def change_figures(found: Reading, before: Reading | None, after: Reading | None) -> dict[str, float]:
    """Return slope and correlation of the change the judge sees on the one it sees in the truth, over DISFA_AUS."""
    if before is None or after is None or any(reading.aus is None for reading in (found, before, after)):
        return {}
    columns = [k for k, au in enumerate(AUS) if au in DISFA_AUS]
    made, unmoved, true = (np.asarray(reading.aus)[:, columns] for reading in (found, before, after))
    return strength(made - unmoved, true - unmoved)


def unit_figures(truth: np.ndarray, found: np.ndarray) -> tuple[dict[str, float], dict[str, float]]:
    """Return mean ICC and MSE of DISFA_AUS between (T, 21) intensities, and both by unit, as icc_AU12.

    A unit that one side does not know, or whose truth does not vary, has no figures.
    """
    columns = [k for k, au in enumerate(AUS) if au in DISFA_AUS]
    truth, found = truth[:, columns], found[:, columns]
    known = ~np.isnan(truth) & ~np.isnan(found)
    varied = np.where(known, truth, -np.inf).max(0) > np.where(known, truth, np.inf).min(0)
    if not varied.any():
        return {}, {}
    icc, error = (values[varied] for values in agreements(truth, found))
    names = [AUS[k] for k in np.array(columns)[varied]]
    by_au = {
        f"{name}_AU{au:02d}": float(v)
        for name, of in (("icc", icc), ("mse", error))
        for au, v in zip(names, of, strict=True)
    }
    return {"icc": float(np.nanmean(icc)), "au_mse": float(np.mean(error))}, by_au


def class_figures(found: Reading, data: Data, t: Trials) -> dict[str, float]:
    """Return the share of strong expressions that is named as the example's; nothing without classes."""
    if found.classes is None:
        return {}
    right = named_as_example(found.classes, data, t)
    return {} if np.isnan(right).all() else {"expression": float(np.nanmean(right))}


def named_as_example(classes: np.ndarray, data: Data, t: Trials) -> np.ndarray:
    """Return (T,) 1 where the class is the example's, 0 where not, NaN where that is weak or has no class."""
    return named_as(classes, data.manifest, t.example)


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
    for person, by expression folds; the data's people should be strangers to the model.
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
    found, label = estimated(model, data), data.manifest.aus
    units = [k for k, au in enumerate(AUS) if au in DISFA_AUS and np.nanstd(label[:, k]) > 0]
    return {AUS[k]: agree(label[:, k], found[:, k]) for k in units if not np.isnan(found[:, k]).any()}


def agree(label: np.ndarray, estimate: np.ndarray) -> dict[str, float]:
    """Return ICC(3,1) and MSE over the rows whose label and estimate are known."""
    known = ~np.isnan(label) & ~np.isnan(estimate)
    return {"icc": icc_3_1(label[known], estimate[known]), "mse": mse(label[known], estimate[known])}


@torch.inference_mode()
def milliseconds(model: Family, times: int = 20) -> float:
    """Return the median time of a transfer between two faces, on as many threads as torch has."""
    size = model.config.image_size
    face = torch.zeros(1, 3, size, size).contiguous(memory_format=torch.channels_last)
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        able(model, Transfers).transfer(face, face)
        spent.append(time.perf_counter() - begin)
    return float(1000 * np.median(spent))


def deployed_parameters(model: Family) -> int:
    """Return how many parameters a model's uses need."""
    return sum(p.numel() for name, p in model.named_parameters() if name.split(".")[0] in model.deployed)


def draw(data: Data, t: Trials, shown: Mapping[str, list[np.ndarray]], path: Path) -> None:
    """Write a sheet: example, face, every model's pasted answer, truth; of the trials of `for_show`."""
    chosen = for_show(data, t)
    draw_chosen(data, t, chosen, {name: [made[k] for k in chosen] for name, made in shown.items()}, path)


def for_show(data: Data, t: Trials, rows: int = 8) -> list[int]:
    """Return the numbers of some trials of the strongest expressions, spread over the classes."""
    intensity = data.manifest.intensity[t.truth]
    full = np.flatnonzero(intensity >= intensity.max())
    order = full[np.argsort(data.manifest.expression[t.truth[full]], kind="stable")]
    return order[np.linspace(0, len(order) - 1, min(rows, len(order))).astype(int)].tolist()


def draw_chosen(
    data: Data, t: Trials, chosen: Sequence[int], shown: Mapping[str, Sequence[np.ndarray]], path: Path
) -> None:
    """Write a sheet: example, face, every model's answer to the chosen trials (in their order), truth."""
    size = len(next(iter(shown.values()))[0])
    pictures = [
        [
            resize_square(data.images[int(t.example[k])], size),
            resize_square(data.images[int(t.face[k])], size),
            *(made[row] for made in shown.values()),
            resize_square(data.images[int(t.truth[k])], size),
        ]
        for row, k in enumerate(chosen)
    ]
    save_sheet(sheet(pictures, ["example", "face", *shown, "truth"], size=max(128, size)), path)


def _of_all(report: Callable[[int, int], None], begun: int, total: int, done: int) -> None:
    report(begun + done, total)


def _order(models: Mapping[str, Family]) -> Callable[[Any], Any]:
    place = {name: k for k, name in enumerate(["—", *models, *ANSWERS, BY_UNITS, TRUTH])}
    return lambda level: level.map(place)
