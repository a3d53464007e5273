"""Ablations: presets of one model, trained alike on the same people and measured on the same strangers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from mien.data.dataset import Data, digest
from mien.data.images import resize_square
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.evaluate.answers import BY_UNITS, TRIVIAL, TRUTH, answered_by_units, takes_sides
from mien.evaluate.evaluators.base import Evaluator
from mien.evaluate.evaluators.independence import named
from mien.evaluate.evaluators.networks import as_evaluator, signature
from mien.evaluate.figures import error_figures, errors_frame, judged, recognition_figures
from mien.evaluate.trials import Trials, trials
from mien.files import kept
from mien.models.contract import Family, Transfers
from mien.models.io import fingerprint, load
from mien.models.registry import able, create, find_family
from mien.models.residual import pasted
from mien.nn.images import resized, to_pixels
from mien.training.loop import train
from mien.training.settings import Progress, Settings
from mien.training.start import begin_with, sampler_of


def ablations(family: str) -> list[str]:
    """Return a family's presets to set side by side: small first, then its ablations; none of the papers' sizes."""
    return [preset for preset in find_family(family).PRESETS if not preset.startswith("paper")]


def ablate(
    family: str,
    presets: Sequence[str],
    data: Data,
    test: Data,
    judge: Evaluator | Family,
    folder: Path,
    settings: Settings,
    seeds: Sequence[int] = (0,),
    changes: Mapping[str, Any] | None = None,
    report: Callable[[str, Progress], None] = lambda preset, p: None,
    start: Path | None = None,
) -> pd.DataFrame:
    """Train every preset on `data` with the same seeds and changes, and measure it on `test`; resumes if killed.

    `start` is a run whose weights all begin with, as one whose reader alone was trained.

    Columns: preset, seed, those of `recognition_figures` (own recogniser, probe, leak), and for models that transfer
    `error_figures` of the model's change at its own size, and the judge's icc, au_mse, expression, rank_1 and tar; for
    models that take units by side also, with `units_` before them, those of faces that were asked for the truth's own
    units, at the data's size, and slope and change_r. Writes ablation.csv.
    Raises InputError where `folder` keeps figures of other data or settings.
    """
    judge, rows = as_evaluator(judge), []
    who = signature(judge)
    for seed in seeds:
        for preset in presets:
            made_by = {
                "family": family, "preset": preset, "seed": seed, "changes": dict(changes or {}),
                "precision": settings.precision, "rows": digest(data), "test": digest(test), "judge": who,
            } | ({"start": fingerprint(load(str(start)))} if start else {})  # fmt: skip
            place = folder / f"seed{seed}" / preset
            tell, chosen = partial(report, preset), replace(settings, seed=seed)
            learn = partial(_figures, data, test, judge, place, chosen, made_by, start, tell)
            rows.append({"preset": preset, "seed": seed} | kept(place.with_suffix(".json"), made_by, learn))
    table = named(pd.DataFrame(rows), judge, test.manifest)
    table.round(4).to_csv(folder / "ablation.csv", index=False)
    return table


def spread(table: pd.DataFrame) -> pd.DataFrame:
    """Return each preset's mean and standard deviation over seeds (n - 1), in columns <figure> and <figure>_sd."""
    found = table.drop(columns=["seed", "labels", "judge"]).groupby("preset", sort=False).agg(["mean", "std"])
    found.columns = [name if kind == "mean" else f"{name}_sd" for name, kind in found.columns]
    return found.reset_index()


def _figures(
    data: Data,
    test: Data,
    judge: Evaluator,
    place: Path,
    settings: Settings,
    made_by: Mapping[str, Any],
    start: Path | None,
    report: Callable[[Progress], None],
) -> dict[str, float]:
    """Return what one preset, trained in `place`, achieves."""
    torch.manual_seed(settings.seed)
    changes = {**made_by["changes"], "subjects": len(data.manifest.subjects)}
    model = create(made_by["family"], made_by["preset"], **changes)
    if start:
        begin_with(model, start)
    if not train(model, sampler_of(model, data, settings.seed), place, settings, report):
        raise InputError(f"{place}: stopped before its end; call again to go on")
    model.cpu().eval()
    figures = recognition_figures(model, test)
    if isinstance(model, Transfers):
        t, size = trials(test), int(model.config.image_size)
        made = transferred(model, test, t)
        figures |= error_figures(
            errors_frame(list(made), test.at_size(size), replace(t, landmarks=t.landmarks * size / test.size))
        )
        found, _ = judged(judge, test, t, {TRUTH: np.stack([resize_square(picture, judge.size) for picture in made])})
        figures |= found[TRUTH]
        if takes_sides(model):
            figures |= {f"units_{name}": value for name, value in _by_units(model, judge, test, t).items()}
    return figures


def _by_units(model: Family, judge: Evaluator, test: Data, t: Trials) -> dict[str, float]:
    """Return errors and the judge's figures of faces asked for the truth's own action units."""
    editor = Editor(model, aligned=True)
    made = [answered_by_units(editor, test, t, k) for k in range(len(t.face))]
    parts = {("—", TRIVIAL[0]): list(test.images[t.face]), ("—", TRUTH): list(test.images[t.truth]), BY_UNITS: made}
    found, _ = judged(
        judge, test, t, {k: np.stack([resize_square(one, judge.size) for one in v]) for k, v in parts.items()}
    )
    return error_figures(errors_frame(made, test, t)) | found[BY_UNITS]


@torch.inference_mode()
def transferred(model: Family, data: Data, t: Trials, batch: int = 32) -> np.ndarray:
    """Return the faces of trials with the model's change, uint8 (T, S, S, 3) at the model's size."""
    size, out, able_model = int(model.config.image_size), [], able(model, Transfers)
    for k in range(0, len(t.face), batch):
        face = resized(data.images[t.face[k : k + batch]], size)
        made = able_model.transfer(face, resized(data.images[t.example[k : k + batch]], size))
        out += [to_pixels(image) for image in pasted(able_model, face, made)]
    return np.stack(out)
