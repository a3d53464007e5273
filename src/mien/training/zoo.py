"""Weights for every model: trained, set side by side and packed, within a time given. Called again, it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from mien.data.dataset import Data
from mien.data.sets import Sets, held_out
from mien.errors import InputError
from mien.files import write_json
from mien.models.contract import Family, Transfers
from mien.models.io import load, save_model
from mien.models.registry import find_family
from mien.training.settings import Progress, Settings
from mien.training.start import begin
from mien.weights.index import INDEX, index_of
from mien.weights.resolve import CHECKPOINT, SUFFIX

ORDER = ("evaluator", "landmarks", "fields", "jesrl", "eet", "ter_gan", "rel_gan", "expr_gan")
"""Who measures comes first, then what others rely on, then what is best."""


Measure = Callable[[Mapping[str, Family], Family, Data, Path], Any]
"""Sets models side by side: the models, the net that measures them, people to measure on, a folder for the tables."""


def make_zoo(
    sets: Sets,
    out: Path,
    hours: float,
    measure: Measure,
    models: Sequence[str] = ORDER,
    settings: Settings | None = None,
    changes: Mapping[str, Mapping[str, str]] | None = None,
    report: Callable[[str, Progress], None] = lambda name, p: None,
) -> dict[str, bool]:
    """Train models on data folders, and return for each whether its recipe came to its end.

    Each gets an equal share of the hours that are left, and what one does not need falls to the next; training that is
    cut short goes on when this is called again. Written to `out`: runs/, a folder for each training;
    <name>.safetensors, half precision, the parts in use; index.json with their checksums, for MIEN_ZOO; compare/, how
    they do on the folders' test people, by `measure`, with the evaluator trained here or else the package's. `changes`
    are settings of each model as text.

    Raises InputError, before any training, for unknown models, data without test people, folders that contradict each
    other about a person, or no time.
    """
    for name in models:
        find_family(name)
    if not 0 < hours < float("inf"):
        raise InputError(f"--hours {hours:g}: expected more than 0")
    if not sets.manifest().test.any():
        raise InputError(f"{sets}: no row is marked test=1; mark people to measure on")
    settings, end, finished = settings or Settings(), time.monotonic() + 3600 * hours, {}
    for number, name in enumerate(models):
        share = max(0.0, end - time.monotonic()) / (len(models) - number)
        run, chosen = out / "runs" / name, (changes or {}).get(name, {})

        def tell(p: Progress, name: str = name) -> None:
            report(name, p)

        finished[name] = begin(name, "small", chosen, sets, run, replace(settings, stop_after=share), report=tell)
        if (run / CHECKPOINT).is_file():
            save_model(load(str(run)), out / f"{name}{SUFFIX}", torch.float16)
    write_json(out / INDEX, index_of(out.glob(f"*{SUFFIX}")))
    packed = {name: load(str(out / f"{name}{SUFFIX}")) for name in models if (out / f"{name}{SUFFIX}").is_file()}
    if made := {name: net for name, net in packed.items() if isinstance(net, Transfers)}:
        measure(
            made,
            packed.get("evaluator") or packed.get("judge") or load("evaluator"),
            held_out(sets, 256),
            out / "compare",
        )
    return finished
