"""How near edited faces are to true ones of a class: the Fréchet distance in the judge's features, class by class."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import nan
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA

from mien.data.dataset import Data
from mien.data.neutral import neutral_faces
from mien.errors import InputError
from mien.evaluate.answers import ANSWERS, TRUTH, edited
from mien.evaluate.evaluators.base import Evaluator, all_read, must_measure
from mien.evaluate.evaluators.independence import named
from mien.evaluate.evaluators.networks import as_evaluator, signature
from mien.evaluate.record import made_with, result_list, write_record
from mien.evaluate.trials import STRONG
from mien.labels import CLASSES
from mien.metrics.bootstrap import Interval
from mien.metrics.frechet import frechet_distance
from mien.models.contract import Family, Transfers
from mien.models.registry import able
from mien.models.residual import pasted
from mien.nn.images import at_size, resized

DIMENSIONS = 8
"""Principal components of the judge's codes that are compared: a class has tens of pictures, no more."""

SETS = {"true": TRUTH, "unchanged": ANSWERS[0], "picture": ANSWERS[2], "pasted": ANSWERS[3]}
"""Sets of pictures, as columns and as answers."""


def by_frechet(
    models: Mapping[str, Family], judge: Evaluator | Family, data: Data, folder: Path, least: float = STRONG
) -> pd.DataFrame:
    """Return `frechet_by_class` of each model; write frechet.csv, and frechet.json with the mean over classes.

    A distance is between whole sets and grows where pictures come twice: people drawn anew give no interval of it.
    """
    judge = as_evaluator(judge)
    found = all_read({name: partial(frechet_by_class, model, judge, data, least) for name, model in models.items()})
    results = {
        (name, answer): {"frechet": table[kind].mean()}
        | {f"frechet_{word}": value for word, value in zip(table.expression, table[kind], strict=True)}
        for name, table in found.items()
        for kind, answer in SETS.items()
    }
    tables = pd.concat(found, names=["model"])
    folder.mkdir(parents=True, exist_ok=True)
    tables.round(4).to_csv(folder / "frechet.csv")
    alone = {key: {name: Interval(value, nan, nan) for name, value in of.items()} for key, of in results.items()}
    about = {"settings": {"least_intensity": least, "dimensions": DIMENSIONS}, "results": result_list(alone)}
    write_record(folder / "frechet.json", {"protocol": "frechet", **made_with(data, signature(judge), models), **about})
    return tables


@torch.inference_mode()
def frechet_by_class(
    model: Family, judge: Evaluator | Family, data: Data, least: float = STRONG, batch: int = 128
) -> pd.DataFrame:
    """Return the Fréchet distance between a class's true pictures and neutral faces edited to it.

    Features are the leading principal components of the judge's codes, expression and identity, so that a lost person
    counts as a wrong expression does. One half of the people's true pictures stand against the other half's pictures of
    each kind, both ways, so that all columns are of one size. Columns: expression, images; unchanged (the neutral faces
    themselves), picture (the model's own), pasted (the face plus the model's change), true (what is left at this number
    of images). Raises InputError without neutral faces.
    """
    judge, manifest, read = as_evaluator(judge), data.manifest, {}
    neutral = {person: rows[0] for person, rows in neutral_faces(manifest).items()}
    sides: dict[str, np.ndarray] = {}
    for k, word in enumerate(CLASSES):
        shown = (manifest.expression == k) & (manifest.intensity >= least)
        true = np.array([i for i in np.flatnonzero(shown) if manifest.subject[i] in neutral], dtype=np.int64)
        people, place = np.unique(manifest.subject[true], return_inverse=True)
        if k and len(people) > 3:
            parts = [_pictures(model, data, true[f : f + batch], neutral, word) for f in range(0, len(true), batch)]
            for name in SETS:
                pictures = np.concatenate([at_size(part[name], judge.size) for part in parts])
                read[word, name] = partial(features, judge, pictures)
            sides[word] = place % 2
    if not sides:
        raise InputError(f"{manifest.folder}: expected four people or more who show both neutral and an expression")
    codes = all_read(read)
    everything = np.concatenate([codes[word, "true"] for word in sides])
    basis = PCA(min(DIMENSIONS, *everything.shape), svd_solver="full").fit(everything)
    rows = []
    for word, side in sides.items():
        flat, one = {name: basis.transform(codes[word, name]) for name in SETS}, side == 0
        distance = {
            name: np.mean([frechet_distance(flat["true"][a], flat[name][b]) for a, b in ((one, ~one), (~one, one))])
            for name in (*list(SETS)[1:], "true")
        }
        rows.append({"expression": word, "images": len(one)} | distance)
    return named(pd.DataFrame(rows), judge, manifest)


def _pictures(
    model: Family, data: Data, rows: np.ndarray, neutral: dict[int, int], word: str
) -> dict[str, torch.Tensor]:
    """Return true pictures of a class, the same people's neutral faces, and these edited, each (B, 3, S, S)."""
    size = model.config.image_size
    face = resized(data.images[np.array([neutral[s] for s in data.manifest.subject[rows]])], size)
    made = edited(model, face, word, data.manifest.intensity[rows])
    changed = pasted(able(model, Transfers), face, made)
    return dict(zip(SETS, (resized(data.images[rows], size), face, made, changed), strict=True))


def features(judge: Evaluator, pictures: np.ndarray) -> np.ndarray:
    """Return the judge's codes of pictures side by side, (N, E + I) float64: identity, and of the expression if any."""
    must_measure(judge, "identity")
    found = judge.read(pictures)
    return np.concatenate([part for part in (found.code, found.identity) if part is not None], 1).astype(np.float64)
