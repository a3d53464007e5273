"""How near edited faces are to true ones of their class: the Fréchet distance in an evaluator's features."""

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
from mien.evaluate.answers import ANSWERS, TRUTH, edit_each
from mien.evaluate.batches import batches
from mien.evaluate.evaluators.base import Evaluator, all_read, must_measure
from mien.evaluate.evaluators.independence import with_sources
from mien.evaluate.evaluators.networks import as_evaluator
from mien.evaluate.record import made_with, write_protocol
from mien.evaluate.trials import STRONG
from mien.labels import CLASSES
from mien.metrics.bootstrap import Interval
from mien.metrics.frechet import frechet_distance
from mien.models.contract import Family, Transfers
from mien.models.registry import able
from mien.models.residual import composite
from mien.nn.images import at_size, resized

DIMENSIONS = 8
"""Principal components of the evaluator's codes that are compared: a class has tens of pictures, no more."""

SETS = {"true": TRUTH, "unchanged": ANSWERS[0], "generated": ANSWERS[2], "composited": ANSWERS[3]}
"""Sets of pictures, as columns and as answers."""


def by_frechet(
    models: Mapping[str, Family], evaluator: Evaluator | Family, data: Data, folder: Path, least: float = STRONG
) -> pd.DataFrame:
    """Return `frechet_by_class` of each model; write frechet.csv, and frechet.json with the mean over classes.

    A distance is between whole sets and grows where pictures come twice: people drawn anew give no interval of it.
    """
    evaluator = as_evaluator(evaluator)
    found = all_read({name: partial(frechet_by_class, model, evaluator, data, least) for name, model in models.items()})
    results = {
        (name, answer): {"frechet": table[kind].mean()}
        | {f"frechet_{word}": value for word, value in zip(table.expression, table[kind], strict=True)}
        for name, table in found.items()
        for kind, answer in SETS.items()
    }
    tables = pd.concat(found, names=["model"])
    alone = {key: {name: Interval(value, nan, nan) for name, value in of.items()} for key, of in results.items()}
    settings = {"least_intensity": least, "dimensions": DIMENSIONS}
    write_protocol(folder, "frechet", made_with(data, evaluator, models) | {"settings": settings}, alone, tables)
    return tables


@torch.inference_mode()
def frechet_by_class(
    model: Family, evaluator: Evaluator | Family, data: Data, least: float = STRONG, batch: int = 128
) -> pd.DataFrame:
    """Return the Fréchet distance between a class's true pictures and neutral faces edited to it.

    Features are the leading principal components of the evaluator's codes, expression and identity, so that a lost
    person counts as a wrong expression does. One half of the people's true pictures stand against the other half's
    pictures of each kind, both ways, so that all columns are of one size. Columns: expression, images; unchanged (the
    neutral faces themselves), generated (the model's own picture), composited (the face plus the change it makes), true
    (what is left at this number of images). Raises InputError without neutral faces.
    """
    evaluator, manifest, work = as_evaluator(evaluator), data.manifest, {}
    neutral = {person: rows[0] for person, rows in neutral_faces(manifest).items()}
    halves: dict[str, np.ndarray] = {}  # by class, 0 or 1 for each true picture: whose side its person is on
    for k, word in enumerate(CLASSES):
        shown = (manifest.expression == k) & (manifest.intensity >= least)
        true = np.array([i for i in np.flatnonzero(shown) if manifest.subject[i] in neutral], dtype=np.int64)
        people, place = np.unique(manifest.subject[true], return_inverse=True)
        if k and len(people) > 3:
            parts = [_pictures(model, data, true[rows], neutral, word) for rows in batches(len(true), batch)]
            for name in SETS:
                pictures = np.concatenate([at_size(part[name], evaluator.size) for part in parts])
                work[word, name] = partial(features, evaluator, pictures)
            halves[word] = place % 2
    if not halves:
        raise InputError(f"{manifest.folder}: expected four people or more who show both neutral and an expression")
    return with_sources(_distances(all_read(work), halves), evaluator, manifest)


def _distances(codes: Mapping[tuple[str, str], np.ndarray], halves: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return the distance of every set's codes from the true ones by class: one half of the people from the other."""
    everything = np.concatenate([codes[word, "true"] for word in halves])
    basis = PCA(min(DIMENSIONS, *everything.shape), svd_solver="full").fit(everything)
    rows = []
    for word, half in halves.items():
        flat, one = {name: basis.transform(codes[word, name]) for name in SETS}, half == 0
        distance = {
            name: np.mean([frechet_distance(flat["true"][a], flat[name][b]) for a, b in ((one, ~one), (~one, one))])
            for name in (*list(SETS)[1:], "true")
        }
        rows.append({"expression": word, "images": len(half)} | distance)
    return pd.DataFrame(rows)


def _pictures(
    model: Family, data: Data, rows: np.ndarray, neutral: dict[int, int], word: str
) -> dict[str, torch.Tensor]:
    """Return true pictures of a class, the same people's neutral faces, and these edited, each (B, 3, S, S)."""
    size = model.config.image_size
    face = resized(data.images[np.array([neutral[s] for s in data.manifest.subject[rows]])], size)
    made = edit_each(model, face, word, data.manifest.intensity[rows])
    composited = composite(able(model, Transfers), face, made)
    return dict(zip(SETS, (resized(data.images[rows], size), face, made, composited), strict=True))


def features(evaluator: Evaluator, pictures: np.ndarray) -> np.ndarray:
    """Return the evaluator's codes of pictures (N, E + I) float64: of the expression, if any, and the person."""
    must_measure(evaluator, "identity")
    found = evaluator.read(pictures)
    return np.concatenate([part for part in (found.code, found.identity) if part is not None], 1).astype(np.float64)
