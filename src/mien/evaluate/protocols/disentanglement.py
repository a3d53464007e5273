"""Does f(e) hold the expression and not the person, and f(i) the reverse? Linear probes, swap tests, a t-SNE picture.

A swap puts the expression of one picture, A, on the person of another, B, as the model's own transfer does. Then an
evaluator says what it sees, and the model encodes its result again: probes, fitted on true pictures, read those codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import torch
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from mien.data.dataset import Data
from mien.data.manifest import Manifest
from mien.evaluate.evaluators.base import Evaluator, read_at_its_size, squares
from mien.evaluate.evaluators.networks import as_evaluator
from mien.evaluate.figures import named_as, unit_figures
from mien.evaluate.identity_gallery import gallery_rows
from mien.evaluate.observations import observations
from mien.evaluate.probes import CODES, Probe, codes, fit_probes, hits, probe_table, probed_rows, questions
from mien.evaluate.record import Key, column_means, made_with, over_people, people_of, trial_facts, write_protocol
from mien.evaluate.trials import Trials, random_pairs
from mien.evaluate.written import write_csv, write_figure
from mien.labels import CLASSES
from mien.metrics.bootstrap import DRAWS, Interval
from mien.metrics.verification import cosines
from mien.models.contract import Embeds, Family, Transfers
from mien.models.io import fingerprint
from mien.models.registry import able
from mien.nn.images import to_tensor
from mien.progress import Tell, untold

matplotlib.use("Agg")
from matplotlib import pyplot as plt

TRUE = "true pictures"
SEEN = ["expression", "icc", "expression_kept", "rank_1", "rank_1_example"]
PROBED = [f"{what}_from_{code}" for code in CODES for what in ("expression", "person")]

Probes = Mapping[tuple[str, str], Probe]
"""By code and question."""


def by_disentanglement(
    model: Family,
    name: str,
    evaluator: Evaluator | Family,
    data: Data,
    folder: Path,
    seed: int = 0,
    tell: Tell = untold,
    draws: int = DRAWS,
) -> tuple[pd.DataFrame, dict[Key, dict[str, Interval]]]:
    """Return `probe_table` and figures by model and answer; write disentanglement.json, .csv, probes.csv and tsne.png.

    Of true pictures: what the probes name, as person_from_expression. Of swaps (`swap_figures`), if the model
    transfers, the same, and what the evaluator sees. `probed_rows` take part, in t-SNE all. What was looked at is kept
    in `folder`. Raises InputError for a model without codes and for too few people or expressions.
    """
    evaluator, net = as_evaluator(evaluator), able(model, Embeds)
    everything, shown = codes(net, data.at_size(model.config.image_size)), probed_rows(data.manifest)
    chosen, found = data.select(shown), {code: values[shown] for code, values in everything.items()}
    probes, pairs = fit_probes(found, chosen.manifest), random_pairs(chosen, 1, seed)
    table = probe_table(probes, found, chosen.manifest)
    people = people_of(chosen.manifest, np.arange(len(chosen)))
    figures = {(name, TRUE): over_people(_true_statistics(probes, found, chosen.manifest), people, draws)}
    if isinstance(model, Transfers):
        figures |= swap_figures(model, name, probes, evaluator, chosen, pairs, folder, tell, draws)
    about = made_with(data, evaluator, {name: model}) | {
        "settings": {"seed": seed, "partners": 1}, "trials": trial_facts(chosen, pairs),
        "chance": dict(zip(table.probe, table.chance, strict=True)),
    }  # fmt: skip
    write_protocol(folder, "disentanglement", about, figures)
    write_csv(table.round(4), folder / "probes.csv", index=False)
    draw_tsne(everything, data, folder / "tsne.png")
    return table, figures


def swap_figures(
    model: Family,
    name: str,
    probes: Probes,
    evaluator: Evaluator,
    data: Data,
    swaps: Trials,
    folder: Path,
    tell: Tell = untold,
    draws: int = DRAWS,
) -> dict[Key, dict[str, Interval]]:
    """Return figures of swaps of A (example) and B (face), by model and answer, with intervals over B's people.

    By the evaluator: icc, au_mse (against A's labels), expression (named as A's class; A at 0.75 or more),
    expression_kept (still as B's, where it is another; B at 0.75 or more), rank_1 (the nearest of the gallery is B),
    rank_1_example (it is A). By the probes, on the codes that the model gives its result: expression_from_… (A's),
    person_from_… (B's); A's person and B's expression are in the fold that the probe was not fitted on.
    """
    rows, _ = gallery_rows(data, swaps)
    gallery = None
    if "identity" in evaluator.measures:
        gallery = read_at_its_size(evaluator, [data.images[row] for row in rows]).identity
    viewer = Viewer(model, probes, evaluator, gallery, _swap_questions(data.manifest, swaps))
    made_by = {"protocol": "disentanglement", "encoder": fingerprint(model)}
    seen = observations({name: model}, evaluator, data, swaps, viewer.look, folder / "seen", made_by, tell)
    people, gallery_people = people_of(data.manifest, swaps.face), data.manifest.subject[np.array(rows)]
    return {
        key: over_people(_swap_statistics(pd.DataFrame(views), gallery_people, data.manifest, swaps), people, draws)
        for key, views in seen.items()
    }


def _swap_questions(manifest: Manifest, swaps: Trials) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return by question each swap's right answer and the group that its probe must not know.

    The expression is A's, and A's person must be new to the probe; the person is B's, and so must B's expression.
    """
    pairs = zip(questions(manifest).items(), (swaps.example, swaps.face), strict=True)
    return {what: (label[rows], group[rows]) for (what, (label, group)), rows in pairs}


@dataclass(frozen=True)
class Viewer:
    """Looks at swaps: through the evaluator, and through probes of the codes that the model gives its own pictures."""

    model: Family
    probes: Probes
    evaluator: Evaluator
    gallery: np.ndarray | None  # (P, D) identity codes of true pictures; None where the evaluator knows nobody
    questions: Mapping[str, tuple[np.ndarray, np.ndarray]]  # `_swap_questions`

    def look(self, pictures: list[np.ndarray], rows: np.ndarray) -> Sequence[dict[str, Any]]:
        """Return what is seen in each picture of the swaps with these numbers.

        aus, class and nearest (whose place in the gallery), whichever the evaluator measures, and the label that each
        probe gives, as person_from_expression.
        """
        columns = self._evaluated(pictures) | self._probed(pictures, rows)
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def _evaluated(self, pictures: list[np.ndarray]) -> dict[str, list[Any]]:
        found, columns = read_at_its_size(self.evaluator, pictures), {}
        if found.aus is not None:
            columns["aus"] = found.aus.tolist()
        if found.classes is not None:
            columns["class"] = found.classes.tolist()
        if found.identity is not None and self.gallery is not None:
            columns["nearest"] = cosines(found.identity, self.gallery).argmax(1).tolist()
        return columns

    @torch.inference_mode()
    def _probed(self, pictures: list[np.ndarray], rows: np.ndarray) -> dict[str, list[int]]:
        faces = to_tensor(squares(pictures, self.model.config.image_size))
        embedding = able(self.model, Embeds).embed(faces)
        return {
            f"{what}_from_{code}": probe.predict(
                getattr(embedding, code).float().numpy(), self.questions[what][1][rows]
            ).tolist()
            for (code, what), probe in self.probes.items()
        }


def _swap_statistics(
    views: pd.DataFrame, gallery_people: np.ndarray, manifest: Manifest, swaps: Trials
) -> Callable[[np.ndarray], dict[str, float]]:
    """Return a function of swaps: their figures; `views` has a row a swap, as `Viewer.look` gives it."""
    m, values = manifest, {}
    if "class" in views:
        classes, other = views["class"].to_numpy(), m.expression[swaps.face] != m.expression[swaps.example]
        values["expression"] = named_as(classes, m, swaps.example)
        values["expression_kept"] = np.where(other, named_as(classes, m, swaps.face), np.nan)
    if "nearest" in views:
        nearest = gallery_people[views.nearest.to_numpy()]
        values["rank_1"], values["rank_1_example"] = (nearest == m.subject[of] for of in (swaps.face, swaps.example))
    for name in views.columns.drop(["aus", "class", "nearest"], errors="ignore"):
        right, _ = _swap_questions(m, swaps)[name.partition("_")[0]]
        values[name] = views[name].to_numpy() == right
    means = column_means(pd.DataFrame(values).astype(float))
    if "aus" not in views:
        return means
    aus, asked = np.array(views.aus.tolist(), float), m.aus[swaps.example]
    return lambda rows: unit_figures(asked[rows], aus[rows])[0] | means(rows)


def _true_statistics(
    probes: Probes, found: Mapping[str, np.ndarray], manifest: Manifest
) -> Callable[[np.ndarray], dict[str, float]]:
    """Return a function of rows: every probe's accuracy on codes of true pictures, all folds counting alike."""
    asked = questions(manifest)
    scores = {f"{what}_from_{code}": hits(probe, found[code], *asked[what]) for (code, what), probe in probes.items()}

    def statistics(rows: np.ndarray) -> dict[str, float]:
        return {name: float(np.average(right[rows], weights=w[rows])) for name, (right, w) in scores.items()}

    return statistics


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
    write_figure(figure, path)
