"""Runs experiments one after another, keeps each one's rows, and goes on where it was stopped."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mien.about import versions
from mien.data.dataset import labels_digest
from mien.errors import InputError
from mien.evaluate.evaluators.base import signature
from mien.evaluate.reproduction.bench import Bench
from mien.evaluate.reproduction.corpora import chosen, lacking, regime_of
from mien.evaluate.reproduction.experiment import CORPORA, Experiment, Found
from mien.files import kept, write_json
from mien.models.io import fingerprint, load
from mien.models.registry import name_of

RESULTS = "results"
"""The folder of finished experiments' rows, in that of the paper."""


def slug(words: str) -> str:
    """Return words as a file's name has them."""
    return re.sub("[^a-z0-9]+", "-", words.lower()).strip("-")


@dataclass(frozen=True)
class Result:
    """An experiment's rows on some data: what `docs/reproduced` keeps and tables are drawn from."""

    paper: str
    experiment: str  # its name, as table_1
    data: str  # "" where it was not run
    corpus: bool  # whether the data are the paper's
    preset: str
    weights: str  # the name of those that were measured in place of a training, "" where one was made
    missing: str  # what the data do not show, so that it could not be run; "" where it was
    rows: tuple[Mapping[str, Any], ...]  # key, value, low, high, verdict
    about: Mapping[str, Any]

    @property
    def file(self) -> str:
        """The name of its JSON file."""
        how = f"weights-{self.weights}" if self.weights else self.preset
        return f"{self.paper}-{self.experiment}-{slug(self.data)}-{how}.json"


SHAPE = {
    **dict.fromkeys(("paper", "experiment", "data", "preset", "weights", "missing"), str),
    "corpus": bool, "rows": [{"key": str}], "about": {"*": object},
}  # fmt: skip
"""A result as JSON."""

EXPECTED = "expected the rows of an experiment, as mien reproduce writes them"


def result_of(content: Mapping[str, Any]) -> Result:
    """Return a result as its JSON has it."""
    return Result(**{**{name: content[name] for name in SHAPE}, "rows": tuple(content["rows"])})


def rows_of(experiment: Experiment, found: Found) -> tuple[dict[str, Any], ...]:
    """Return the experiment's rows as they are kept; of what was not found, nothing but the name."""
    rows = []
    for row in experiment.rows:
        it = row.of(found)
        kept_row: dict[str, Any] = {"key": row.key}
        if it is not None:
            ends = {
                name: None if math.isnan(end) else round(end, 6) for name, end in (("low", it.low), ("high", it.high))
            }
            kept_row |= {"value": round(it.value, 6), **ends, "verdict": row.verdict(it)}
        rows.append(kept_row)
    return tuple(rows)


def reproduce(
    paper: str,
    experiments: Sequence[Experiment],
    bench: Bench,
    out: Path,
    report: Callable[[Experiment, Result], None] = lambda experiment, result: None,
) -> list[Result]:
    """Return the results of a paper's experiments, each on its corpus if that is among the data, else on all of them.

    Rows of a finished experiment lie in `out`/<paper>/results and are not made again; trainings and what was looked at
    lie beside, so that a killed run goes on. What ends one experiment does not keep others from being run; its
    InputError is raised when they are: `out` keeps something made otherwise, or the data do not serve.
    """
    _check_weights(paper, experiments, bench.weights)
    results, refused = [], list[InputError]()
    for experiment in experiments:
        try:
            result = _run(paper, experiment, bench, out / paper)
        except InputError as error:
            refused.append(type(error)(f"{experiment.title}: {error}"))
            continue
        write_json(out / paper / RESULTS / result.file, vars(result) | {"rows": list(result.rows)})
        report(experiment, result)
        results.append(result)
    if refused:
        raise refused[0]
    return results


def _check_weights(paper: str, experiments: Sequence[Experiment], weights: Sequence[str]) -> None:
    """Raise InputError for weights of a model that none of the experiments measures."""
    variants = (v for e in experiments for v in getattr(e.measure, "variants", ()))
    measured = [paper, *dict.fromkeys(v.family for v in variants if v.family)]
    for name in weights:
        if (family := name_of(load(name))) not in measured:
            raise InputError(f"--model {name}: is {family}; expected weights of {' or '.join(measured)}")


def _run(paper: str, experiment: Experiment, bench: Bench, out: Path) -> Result:
    sets, is_corpus = chosen(experiment, bench.sets)
    data = regime_of(sets.folders)
    weights = "-".join(Path(name).stem for name in bench.weights)
    empty = Result(paper, experiment.name, "", is_corpus, bench.preset, weights, "", (), {})
    if experiment.measure is None:
        return empty
    if experiment.alone and not is_corpus:
        return replace(empty, missing=CORPORA[experiment.corpus])
    manifest = sets.manifest()
    if lacks := lacking(experiment, manifest):
        corpus = f"{CORPORA[experiment.corpus]}, " if experiment.corpus and not is_corpus else ""
        return replace(empty, data=data, missing=f"{corpus}{' and '.join(lacks)}")
    place = out / f"{slug(data)}-{weights or bench.preset}"
    about = _about(bench, labels_digest(manifest))
    measured = replace(bench, sets=sets, folder=place)
    measure = experiment.measure

    def run() -> dict[str, Any]:
        return {"rows": list(rows_of(experiment, measure.run(measured)))}

    rows = kept(place / "rows" / f"{experiment.name}.json", about | {"keys": [r.key for r in experiment.rows]}, run)
    told = about | {"evaluator": bench.evaluator.name, "versions": versions()}
    return replace(empty, data=data, rows=tuple(rows["rows"]), about=told)


def _about(bench: Bench, data: str) -> dict[str, Any]:
    """Return all that an experiment's rows depend on besides the code."""
    return {
        "preset": bench.preset, "changes": dict(bench.changes), "seeds": list(bench.seeds), "people": bench.people,
        "evaluator": signature(bench.evaluator)[0], "evaluator_sha256": bench.evaluator.mark(), "data_sha256": data,
        "weights": "-".join(fingerprint(load(name)) for name in bench.weights),
        "start": fingerprint(load(str(bench.start))) if bench.start else "",
        "precision": bench.settings.precision, "unseen_variants": bench.variants, "minutes": bench.minutes,
        "pretrained_on_others": bench.pretrain,
    }  # fmt: skip
