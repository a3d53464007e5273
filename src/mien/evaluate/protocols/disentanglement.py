"""Does f(e) hold the expression and not the person, and f(i) the reverse? Linear probes, swap tests, a t-SNE picture.

A swap puts the expression of one picture, A, on the person of another, B, as the model's own transfer does. Then a
judge says what it sees, and the model encodes its result again: probes, fitted on true pictures, read those codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import torch
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from mien.data.dataset import Data
from mien.data.images import resize_square
from mien.data.manifest import Manifest
from mien.evaluate.evaluators.base import Evaluator
from mien.evaluate.evaluators.networks import as_evaluator, signature
from mien.evaluate.figures import named_as, unit_figures
from mien.evaluate.identity_gallery import gallery_rows
from mien.evaluate.observations import Key, observations
from mien.evaluate.probes import CODES, Probe, asked_of, codes, fit_probes, hits, probe_table, probed_rows
from mien.evaluate.protocols.transfer import trial_facts
from mien.evaluate.record import column_means, made_with, over_people, result_list, whose, write_figures, write_record
from mien.evaluate.trials import Trials, random_pairs
from mien.labels import CLASSES
from mien.metrics.bootstrap import DRAWS, Interval
from mien.metrics.verification import cosines
from mien.models.contract import Embeds, Family, Transfers
from mien.models.io import fingerprint
from mien.models.registry import able
from mien.nn.images import to_tensor

matplotlib.use("Agg")
from matplotlib import pyplot as plt

TRUE = "true pictures"
SEEN = ["expression", "icc", "expression_kept", "rank_1", "rank_1_example"]
PROBED = [f"{what}_from_{code}" for code in CODES for what in ("expression", "person")]

Probes = Mapping[tuple[str, str], Probe]


def by_disentanglement(
    model: Family,
    name: str,
    judge: Evaluator | Family,
    data: Data,
    folder: Path,
    seed: int = 0,
    report: Callable[[int, int], None] = lambda done, total: None,
    draws: int = DRAWS,
) -> tuple[pd.DataFrame, dict[Key, dict[str, Interval]]]:
    """Return `probe_table` and figures by model and answer; write disentanglement.json, .csv, probes.csv and tsne.png.

    Of true pictures: what the probes name, as person_from_expression. Of swaps (`swapped`), if the model transfers, the
    same, and what the judge sees. `probed_rows` take part, in t-SNE all. What was looked at is kept in `folder`. Raises
    InputError for a model without codes and for too few people or expressions.
    """
    judge, net = as_evaluator(judge), able(model, Embeds)
    everything, shown = codes(net, data.at_size(model.config.image_size)), probed_rows(data.manifest)
    chosen, found = data.select(shown), {code: values[shown] for code, values in everything.items()}
    m, t = chosen.manifest, random_pairs(chosen, 1, seed)
    known = fit_probes(found, m)
    table = probe_table(known, found, m)
    people = whose(m, np.arange(len(m)))
    figures = {(name, TRUE): over_people(partial(_accuracies, _true_hits(known, found, m)), people, draws)}
    if isinstance(model, Transfers):
        figures |= swapped(model, name, known, judge, chosen, t, folder, report, draws)
    folder.mkdir(parents=True, exist_ok=True)
    table.round(4).to_csv(folder / "probes.csv", index=False)
    draw_tsne(everything, data, folder / "tsne.png")
    write_figures(folder / "disentanglement.csv", figures)
    write_record(
        folder / "disentanglement.json",
        {
            "protocol": "disentanglement", **made_with(data, signature(judge), {name: model}),
            "settings": {"seed": seed, "partners": 1}, "trials": trial_facts(chosen, t),
            "chance": dict(zip(table.probe, table.chance, strict=True)), "results": result_list(figures),
        },
    )  # fmt: skip
    return table, figures


def swapped(
    model: Family,
    name: str,
    known: Probes,
    judge: Evaluator,
    data: Data,
    t: Trials,
    folder: Path,
    report: Callable[[int, int], None] = lambda done, total: None,
    draws: int = DRAWS,
) -> dict[Key, dict[str, Interval]]:
    """Return figures of the swaps `t` of A (example) and B (face), by model and answer, with intervals over B's people.

    By the judge: icc, au_mse (against A's labels), expression (named as A's class; A at 0.75 or more), expression_kept
    (still as B's, where it is another; B at 0.75 or more), rank_1 (the nearest of the gallery is B), rank_1_example (it
    is A). By the probes, on the codes that the model gives its result: expression_from_… (A's), person_from_… (B's);
    A's person and B's expression are in the fold that the probe was not fitted on.
    """
    rows, _ = gallery_rows(data, t)
    gallery = np.stack([resize_square(data.images[row], judge.size) for row in rows])
    known_by = judge.read(gallery).identity if "identity" in judge.gives else None
    look = partial(_look, model, known, judge, known_by, data, t)
    made_by = {"protocol": "disentanglement", "judge": signature(judge), "encoder": fingerprint(model)}
    seen = observations({name: model}, data, t, look, folder / "seen", made_by, report)
    m, people = data.manifest, whose(data.manifest, t.face)
    persons, shown = m.subject[np.array(rows)], {key: pd.DataFrame(told) for key, told in seen.items()}
    return {key: over_people(_statistics(told, persons, data, t), people, draws) for key, told in shown.items()}


def _look(
    model: Family, known: Probes, judge: Evaluator, gallery: np.ndarray | None, data: Data, t: Trials,
    pictures: list[np.ndarray], rows: np.ndarray,
) -> Sequence[dict[str, Any]]:  # fmt: skip
    """Return what the judge sees in each picture, and what the probes read off the codes that the model gives it."""
    found = judge.read(np.stack([resize_square(picture, judge.size) for picture in pictures]))
    told: dict[str, list[Any]] = {}
    if found.aus is not None:
        told["aus"] = found.aus.tolist()
    if found.classes is not None:
        told["class"] = found.classes.tolist()
    if found.identity is not None and gallery is not None:
        told["nearest"] = cosines(found.identity, gallery).argmax(1).tolist()
    size = model.config.image_size
    with torch.inference_mode():
        embedded = able(model, Embeds).embed(
            to_tensor(np.stack([resize_square(picture, size) for picture in pictures]))
        )
    groups = {what: group[rows] for what, (_, group) in _swap_asks(data.manifest, t).items()}
    for (code, what), probe in known.items():
        told[f"{what}_from_{code}"] = probe.says(getattr(embedded, code).float().numpy(), groups[what]).tolist()
    return [dict(zip(told, values, strict=True)) for values in zip(*told.values(), strict=True)]


def _swap_asks(manifest: Manifest, t: Trials) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return by question each swap's right answer and the group that its probe must not know: A's person, B's class."""
    pairs = zip(asked_of(manifest).items(), (t.example, t.face), strict=True)
    return {what: (label[rows], group[rows]) for (what, (label, group)), rows in pairs}


def _statistics(
    told: pd.DataFrame, persons: np.ndarray, data: Data, t: Trials
) -> Callable[[np.ndarray], dict[str, float]]:
    """Return what gives the figures of some swaps; `persons` are those of the gallery."""
    m, values = data.manifest, {}
    if "class" in told:
        other = m.expression[t.face] != m.expression[t.example]
        values["expression"] = named_as(told["class"].to_numpy(), m, t.example)
        values["expression_kept"] = np.where(other, named_as(told["class"].to_numpy(), m, t.face), np.nan)
    if "nearest" in told:
        nearest = persons[told.nearest.to_numpy()]
        values |= {"rank_1": nearest == m.subject[t.face], "rank_1_example": nearest == m.subject[t.example]}
    for name in told.columns.drop(["aus", "class", "nearest"], errors="ignore"):
        values[name] = told[name].to_numpy() == _swap_asks(m, t)[name.partition("_")[0]][0]
    means = column_means(pd.DataFrame(values).astype(float))
    if "aus" not in told:
        return means
    aus, wanted = np.array(told.aus.tolist(), float), m.aus[t.example]
    return lambda rows: unit_figures(wanted[rows], aus[rows])[0] | means(rows)


def _true_hits(
    known: Probes, found: Mapping[str, np.ndarray], manifest: Manifest
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    asked = asked_of(manifest)
    return {f"{what}_from_{code}": hits(probe, found[code], *asked[what]) for (code, what), probe in known.items()}


def _accuracies(told: Mapping[str, tuple[np.ndarray, np.ndarray]], rows: np.ndarray) -> dict[str, float]:
    return {name: float(np.average(right[rows], weights=weight[rows])) for name, (right, weight) in told.items()}


def draw_tsne(found: dict[str, np.ndarray], data: Data, path: Path, seed: int = 0, people: int = 10) -> None:
    """Draw t-SNE of both codes, coloured by expression and, for the first `people`, by person."""
    manifest = data.manifest
    shown = np.flatnonzero((manifest.expression >= 0) & (manifest.expression < len(CLASSES)))
    few = np.isin(manifest.subject[shown], np.arange(people))
    figure, axes = plt.subplots(2, 2, figsize=(11, 10), layout="constrained")
    for row, (name, code) in zip(axes, found.items(), strict=True):
        perplexity = min(30.0, (len(shown) - 1) / 3)
        flat = TSNE(init="pca", random_state=seed, perplexity=perplexity).fit_transform(
            StandardScaler().fit_transform(code[shown])
        )
        for k, word in enumerate(CLASSES):
            at = manifest.expression[shown] == k
            row[0].scatter(*flat[at].T, s=8, label=word)
        row[0].legend(markerscale=2, fontsize=8)
        for k in range(people):
            at = few & (manifest.subject[shown] == k)
            row[1].scatter(*flat[at].T, s=10)
        row[0].set_title(f"{name} code by expression")
        row[1].set_title(f"{name} code by person ({people} people)")
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
    plt.close(figure)
