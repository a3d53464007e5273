"""The open benchmark: every model on the same people, one page to read and one file to cite.

Every part (a model, or the trivial answers, on a set) is kept as soon as it is done, under a key of all it depends on:
a run that was stopped goes on, a new model is measured alone, and nothing is computed twice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from mien.about import versions
from mien.errors import InputError
from mien.evaluate.benchmark.page import write_page
from mien.evaluate.benchmark.part import MODEL_FORM, TRIVIAL_FORM, as_picture, model_part, trivial_part
from mien.evaluate.benchmark.record import SCHEMA, read_record
from mien.evaluate.benchmark.sets import BenchSet
from mien.evaluate.cost import deployed_parameters, milliseconds
from mien.evaluate.evaluators.base import Evaluator, NeedsToolRun, all_read
from mien.evaluate.evaluators.independence import dependence
from mien.evaluate.protocols.intensity import draw_intensity
from mien.evaluate.sheets import draw_chosen, for_show
from mien.files import kept, write_json
from mien.metrics.bootstrap import DRAWS
from mien.models.contract import Family, Transfers
from mien.models.io import fingerprint, load
from mien.models.registry import able, name_of
from mien.weights.resolve import zoo

TRIVIAL_MODEL = "—"
"""The model's name in rows that no model has a part in."""

Report = Callable[[int, int, str], None]


def bench_models(added: Sequence[str] = ()) -> dict[str, Family]:
    """Return all models of the zoo that transfer, and the weights added, by a name for each.

    A run's folder or a file is named as itself. Raises InputError for weights that cannot transfer, or a name twice.
    """
    found: dict[str, Family] = {}
    for name in zoo():
        if isinstance(net := load(name), Transfers):
            found[name] = net
    for text in added:
        path = Path(text)
        name = path.parent.name if path.stem in ("model", "checkpoint") else path.stem
        net = load(text)
        able(net, Transfers)
        if name in found:
            raise InputError(f"--model {text}: would be the second model named {name}; rename its folder or file")
        found[name] = net
    return found


def bench(
    sets: Sequence[BenchSet],
    models: Mapping[str, Family],
    evaluator: Evaluator,
    folder: Path,
    evaluator_print: str | None = None,
    against: Sequence[Path] = (),
    report: Report = lambda done, total, note: None,
) -> dict[str, Any]:
    """Measure every model on every set; write bench.json, times.json, pictures/ and index.html to `folder`.

    Returns what bench.json holds. `evaluator_print`, the digest of its file, says which evaluator it is where it has no
    mark. `against` are other authors' records, for the page alone. Raises InputError where two sets share a name or a
    record does not stand beside this one.
    """
    if len({s.name for s in sets}) < len(sets):
        raise InputError(f"two data sets are named {', '.join(s.name for s in sets)}; rename a folder")
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "versions": versions(),
        "evaluator": {"name": evaluator.name, "fingerprint": evaluator.mark() or evaluator_print or ""},
        "sets": {s.name: s.record() for s in sets},
        "models": {name: describe(model) for name, model in models.items()},
    }
    others = {label: read_record(path, record) for label, path in records_by_label(against).items()}
    parts = measure(sets, models, evaluator, folder / "parts", record, report)
    record["figures"] = [
        {"set": s.name, "model": name} | figure
        for s in sets
        for name in (TRIVIAL_MODEL, *models)
        for figure in parts[s.name, name]["figures"]
    ]
    times = {name: transfer_time(model, folder, record["models"][name]) for name, model in models.items()}
    write_json(folder / "bench.json", record)
    write_json(folder / "times.json", {"threads": torch.get_num_threads(), "milliseconds": times})
    drawn = {s.name: draw(s, list(models), parts, folder / "pictures") for s in sets}
    careful = [line for s in sets for line in dependence(evaluator, s.data.manifest, models.values())]
    write_page(folder, record, others, times, list(dict.fromkeys(careful)), drawn)
    return record


def describe(model: Family) -> dict[str, Any]:
    """Return what a reader must know of a model."""
    size = int(model.config.image_size)
    return {
        "family": name_of(model), "fingerprint": fingerprint(model), "parameters": deployed_parameters(model),
        "image_size": size,
    }  # fmt: skip


def records_by_label(against: Sequence[Path]) -> dict[str, Path]:
    """Return records by the name under which their figures go: their folder's, or their file's if it has its own."""
    found: dict[str, Path] = {}
    for path in map(Path, against):
        label = path.resolve().parent.name if path.stem == "bench" else path.stem
        if label in found:
            raise InputError(f"--against {path}: would be the second named {label}; rename its file or folder")
        found[label] = path
    return found


def measure(
    sets: Sequence[BenchSet],
    models: Mapping[str, Family],
    evaluator: Evaluator,
    folder: Path,
    record: Mapping[str, Any],
    report: Report,
) -> dict[tuple[str, str], Any]:
    """Return the parts by set and model, each taken from `folder` if it is there."""
    total, begun = (len(models) + 1) * sum(len(s.trials.face) for s in sets), 0
    work: dict[tuple[str, str], Callable[[], Any]] = {}
    for s in sets:
        for name in (TRIVIAL_MODEL, *models):
            what = f"{s.name}: {name}"
            tell = partial(_tell, report, begun, total, what)
            compute, form = partial(trivial_part, s, evaluator), TRIVIAL_FORM
            if name in models:
                compute, form = partial(model_part, models[name], s, evaluator, tell), MODEL_FORM
            made_by = {
                "schema": SCHEMA, "versions": record["versions"], "evaluator": record["evaluator"], "draws": DRAWS,
                "set": s.digest, "model": record["models"][name]["fingerprint"] if name in models else "",
            }  # fmt: skip
            path = part_path(folder / s.name, name if name in models else "trivial", made_by)
            work[s.name, name] = partial(_part, what, tell, path, made_by, compute, form)
            begun += len(s.trials.face)
    return all_read(work)  # what an outside tool must read is asked for all at once


def part_path(folder: Path, name: str, made_by: Mapping[str, Any]) -> Path:
    """Return where a part is kept: named after the model and a hash of all that the part depends on."""
    key = hashlib.sha256(json.dumps(made_by, sort_keys=True).encode()).hexdigest()[:12]
    return folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}-{key}.json"


def _part(
    what: str, tell: Callable[[int], None], path: Path, made_by: Mapping[str, Any], compute: Callable[[], Any],
    form: Mapping[str, Any],
) -> Any:  # fmt: skip
    tell(0)  # so that the time left is counted from the beginning, and a part that is kept already counts as done
    try:
        return kept(path, made_by, compute, form)
    except NeedsToolRun:
        raise
    except InputError as error:  # a net that was not trained to its end, say; which one, it cannot know
        raise InputError(f"{what}: {error}") from error


def _tell(report: Report, begun: int, total: int, note: str, done: int) -> None:
    report(begun + done, total, note)


def transfer_time(model: Family, folder: Path, described: Mapping[str, Any]) -> float:
    """Return the milliseconds of a transfer, measured once on a machine and then kept; no two measurements agree."""
    made_by = {"model": described["fingerprint"], "threads": torch.get_num_threads(), "torch": str(torch.__version__)}
    path = part_path(folder / "parts" / "times", described["family"], made_by)
    return float(kept(path, made_by, lambda: round(milliseconds(model), 2)))


def draw(s: BenchSet, models: Sequence[str], parts: Mapping[tuple[str, str], Any], folder: Path) -> list[str]:
    """Draw a set's comparison sheet and, where there are any, its intensity curves; return their file names."""
    kept_in = folder.parent / "parts" / s.name
    shown = {name: [as_picture(text, kept_in) for text in parts[s.name, name]["pictures"]] for name in models}
    draw_chosen(s.data, s.trials, for_show(s.data, s.trials), shown, folder / f"{s.name}_comparison.png")
    curves = {name: parts[s.name, name]["curves"] for name in models}
    swept = {name: pd.DataFrame(columns).astype({"measured": float}) for name, columns in curves.items() if columns}
    if not swept:
        return [f"{s.name}_comparison.png"]
    draw_intensity(swept, folder / f"{s.name}_intensity.png")
    return [f"{s.name}_comparison.png", f"{s.name}_intensity.png"]
