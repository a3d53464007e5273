"""Measures of what codes hold: probes of encoders before and after the game, swaps, retrieval, sizes and times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mien.data.dataset import Data
from mien.errors import InputError
from mien.evaluate.cost import milliseconds
from mien.evaluate.predictions import tensors
from mien.evaluate.probes import CODES, codes, fit_probes, hits, probed_rows, questions
from mien.evaluate.protocols.disentanglement import by_disentanglement, draw_tsne
from mien.evaluate.protocols.retrieval import by_retrieval
from mien.evaluate.record import over_people, people_of
from mien.evaluate.reproduction.bench import Bench
from mien.evaluate.reproduction.experiment import Found
from mien.evaluate.reproduction.pictures import flat
from mien.metrics.bootstrap import Interval
from mien.models.contract import Embeds
from mien.models.registry import able, create

STAGE_1_NET = "frozen_expression_encoder"
"""Where a family keeps its expression encoder as it was before the game."""


@dataclass(frozen=True)
class Swaps:
    """`mien evaluate disentanglement`: what both codes hold, and whose expression and face a swap shows."""

    def run(self, bench: Bench) -> Found:
        """Return its figures by answer, as generated/expression, without the model's name."""
        model = bench.model()
        data = bench.tested()
        _, figures = by_disentanglement(
            model, "", bench.evaluator, data, bench.folder / "disentanglement", tell=bench.tell
        )
        return {name.removeprefix("/"): it for name, it in flat(figures).items()}


@dataclass(frozen=True)
class BeforeAndAfter:
    """Probes of the expression encoder before the game and after it (TER-GAN, Fig. 5a and b); draws both.

    Figures: before/expression and before/person, what a linear probe names, on people and in expressions that it does
    not know; after/… likewise.
    """

    def run(self, bench: Bench) -> Found:
        """Return the figures, and write before.png and after.png."""
        model = bench.model()
        stage_1 = getattr(model, STAGE_1_NET)
        if (given := bench.given()) and not Path(given).is_dir():
            raise InputError(f"--model {given}: holds no encoder of stage 1; give the folder of a run")
        everyone = bench.tested(model.config.image_size)
        after = codes(able(model, Embeds), everyone)
        before = after | {"expression": _encoded(stage_1, everyone)}
        place = bench.folder / "codes"
        for name, found in (("before", before), ("after", after)):
            draw_tsne(found, everyone, place / f"{name}.png")
        return probe_figures({"before": before["expression"], "after": after["expression"]}, everyone)


@torch.inference_mode()
def _encoded(encoder: Any, data: Data) -> np.ndarray:
    return torch.cat([encoder(faces).float() for faces in tensors(data)]).numpy()


def probe_figures(found: Mapping[str, np.ndarray], data: Data) -> Found:
    """Return what probes of codes (N, D) name: expression and person, by the code's name; all folds count alike."""
    shown = probed_rows(data.manifest)
    chosen, manifest = {name: code[shown] for name, code in found.items()}, data.manifest.select(shown)
    asked = questions(manifest)
    fitted = fit_probes(chosen, manifest)
    scores = {f"{name}/{what}": hits(probe, chosen[name], *asked[what]) for (name, what), probe in fitted.items()}

    def statistics(rows: np.ndarray) -> dict[str, float]:
        return {name: float(np.average(right[rows], weights=w[rows])) for name, (right, w) in scores.items()}

    return over_people(statistics, people_of(manifest, np.arange(len(manifest))))


@dataclass(frozen=True)
class Codes:
    """Probes of both codes (ExprGAN, Fig. 6): identity/person and its like; draws t-SNE."""

    def run(self, bench: Bench) -> Found:
        """Return the figures, and write tsne.png."""
        model = bench.model()
        data = bench.tested(model.config.image_size)
        found = codes(able(model, Embeds), data)
        draw_tsne(found, data, bench.folder / "codes" / "tsne.png")
        return probe_figures({name: found[name] for name in CODES}, data)


@dataclass(frozen=True)
class Retrieval:
    """`mien evaluate retrieval` (ExprGAN, Fig. 7): do the nearest by code, class and pixels show the same?"""

    def run(self, bench: Bench) -> Found:
        """Return figures by space, as c/precision@1."""
        model = bench.model()
        data = bench.tested(model.config.image_size)
        _, figures = by_retrieval(model, bench.family, data, bench.folder / "retrieval")
        return {
            f"{space.removeprefix('by ')}/{name}": it for (_, space), of in figures.items() for name, it in of.items()
        }


@dataclass(frozen=True)
class Cost:
    """Parameters of preset `paper` by parts, in millions, and milliseconds of the chosen preset on this machine."""

    parts: Callable[[Any], Mapping[str, int]] | None = None  # a model's parameters, by part

    def run(self, bench: Bench) -> Found:
        """Return millions by part, and ms of a transfer between two faces; neither has an interval."""
        found: Found = {}
        if self.parts is not None:
            with torch.device("meta"):
                counts = self.parts(create(bench.family, "paper"))
            found |= {name: Interval(count / 1e6, nan, nan) for name, count in counts.items()}
        t = bench.training()
        untrained = create(t.family, t.preset, **t.changes).eval()
        return found | {"ms": Interval(milliseconds(untrained), nan, nan)}
