"""Retrieval by expression: do the nearest pictures of other people feel alike, by code c, by class y, by pixels x?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mien.data.dataset import Data
from mien.errors import InputError
from mien.evaluate.predictions import protocol_rows, tensors
from mien.evaluate.record import column_means, made_with, over_people, write_protocol
from mien.labels import BASIC, CLASSES
from mien.media.sheet import save_sheet, sheet
from mien.metrics.bootstrap import DRAWS, Interval
from mien.models.contract import Embeds, Family, Recognizes
from mien.models.registry import able

SPACES = ("c", "y", "x")
"""Expression code, the likeliest class (one-hot), pixels: the spaces of ExprGAN's Fig. 7."""

CUTS = (1, 5, 10)


@torch.inference_mode()
def spaces(model: Family, data: Data) -> dict[str, np.ndarray]:
    """Return every picture's place in each of SPACES: name -> (N, D) float32.

    Raises InputError for a model that gives no codes or names no expressions.
    """
    embed, recognize = able(model, Embeds).embed, able(model, Recognizes).recognize
    c, y = [], []
    for faces in tensors(data):
        c.append(embed(faces).expression.float())
        y.append(recognize(faces).probabilities.argmax(1))
    pixels = data.images[np.arange(len(data))].reshape(len(data), -1)
    return {
        "c": torch.cat(c).numpy(),
        "y": np.eye(len(CLASSES), dtype=np.float32)[torch.cat(y).numpy()],
        "x": pixels.astype(np.float32) / 255,
    }


def ranking(places: np.ndarray, person: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return for each picture the others by Euclidean distance, nearest first: (N, N) int64, -1 after the last.

    Pictures of the query's own person are left out: they would be found by the person. Equally near ones come in a
    random order, as with one-hot classes most are. `places` is (N, D), `person` (N,).
    """
    shuffled = np.random.default_rng(seed).permutation(len(places))
    x = places[shuffled].astype(np.float64)
    norm = (x**2).sum(1)
    distance = np.maximum(norm[:, None] + norm - 2 * x @ x.T, 0).round(9)  # equal places must tie exactly
    own = person[shuffled][:, None] == person[shuffled]
    order = np.argsort(np.where(own, np.inf, distance), axis=1, kind="stable")
    found = np.where(np.take_along_axis(own, order, 1), -1, shuffled[order])
    out = np.empty_like(found)
    out[shuffled] = found
    return out


def average_precision(relevant: np.ndarray) -> float:
    """Return the mean, over the relevant of a ranked (G,) bool, of the precision at their ranks; NaN if none is."""
    hits = np.flatnonzero(relevant)
    return float((np.arange(1, len(hits) + 1) / (hits + 1)).mean()) if len(hits) else float("nan")


def query_figures(data: Data, rankings: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return one row a query and space: its average precision and precision at CUTS for its class, and the first one.

    `style@1` is 1 where the first picture shows the very same performance (expr_id), NaN where the query has none;
    `intensity gap@1` is how far its intensity is from the query's. `subject` is whose the query is, a number.
    """
    m, rows = data.manifest, []
    for space, order in rankings.items():
        for query in range(len(data)):
            found = order[query][order[query] >= 0]
            if not len(found):
                continue
            relevant = m.expression[found] == m.expression[query]
            first = found[0]
            rows.append(
                {"space": space, "expression": CLASSES[m.expression[query]], "subject": int(m.subject[query])}
                | {"mAP": average_precision(relevant)}
                | {f"precision@{k}": relevant[:k].mean() for k in CUTS}
                | {
                    "style@1": float(m.expr_id[first] == m.expr_id[query]) if m.expr_id[query] else float("nan"),
                    "intensity gap@1": abs(float(m.intensity[first]) - float(m.intensity[query])),
                }
            )
    if not rows:
        raise InputError(f"{m.folder}: retrieval needs labelled pictures of two people or more")
    return pd.DataFrame(rows)


def retrieval_table(figures: pd.DataFrame) -> pd.DataFrame:
    """Return the means by space and expression, and over all queries."""
    figures = figures.drop(columns="subject")
    each = figures.groupby(["space", "expression"], sort=False).mean()
    overall = figures.drop(columns="expression").groupby("space", sort=False).mean()
    overall.index = pd.MultiIndex.from_product([overall.index, ["all"]], names=["space", "expression"])
    return pd.concat([overall, each])


def draw_retrieval(data: Data, rankings: dict[str, np.ndarray], path: Path, top: int = 1, seed: int = 0) -> None:
    """Draw one random query of each expression and, beside it, the `top` nearest pictures in every space (Fig. 7)."""
    rng, m = np.random.default_rng(seed), data.manifest
    queries = [int(rng.choice(np.flatnonzero(m.expression == k))) for k in np.unique(m.expression)]
    spread = [[query, *(int(i) for order in rankings.values() for i in order[query][:top])] for query in queries]
    pictures = [[data.images[i] if i >= 0 else None for i in row] for row in spread]
    notes = [[f"{CLASSES[m.expression[i]]} {m.intensity[i]:.2g}" if i >= 0 else "" for i in row] for row in spread]
    heads = ["query", *(f"by {space}" + (f" #{k + 1}" if top > 1 else "") for space in rankings for k in range(top))]
    save_sheet(sheet(pictures, heads, notes=notes, size=max(96, data.size)), path)


def by_retrieval(
    model: Family,
    name: str,
    data: Data,
    folder: Path,
    words: Sequence[str] = BASIC,
    least: float = 0.5,
    top: int = 1,
    seed: int = 0,
    draws: int = DRAWS,
) -> tuple[pd.DataFrame, dict[tuple[str, str], dict[str, Interval]]]:
    """Retrieve among the rows that show `words` at `least` intensity or more; write retrieval.csv, .json and .png.

    Returns `retrieval_table` and its figures by model and space; the intervals draw the people who are queries, the
    gallery stays whole. Raises InputError where there is nothing to retrieve or the model cannot.
    """
    chosen = data.select(protocol_rows(data, words, least))
    if not len(chosen):
        raise InputError(f"{data.manifest.folder}: nobody shows {', '.join(words)} at {least:g} or more")
    person = chosen.manifest.subject
    rankings = {space: ranking(places, person, seed) for space, places in spaces(model, chosen).items()}
    queries = query_figures(chosen, rankings)
    table, figures = retrieval_table(queries), {}
    for space, mine in queries.groupby("space", sort=False):
        means = column_means(mine.drop(columns=["space", "expression", "subject"]), mine.expression.tolist())
        figures[name, f"by {space}"] = over_people(means, mine.subject.to_numpy(), draws)
    settings = {"classes": list(words), "least_intensity": least, "seed": seed}
    about = made_with(data, None, {name: model}) | {"settings": settings, "queries": len(chosen)}
    write_protocol(folder, "retrieval", about, figures, table)
    draw_retrieval(chosen, rankings, folder / "retrieval.png", top, seed)
    return table, figures
