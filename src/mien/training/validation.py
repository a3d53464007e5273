"""How a training does on people kept out of it: the losses of its recipe, without a step."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from typing import TypeVar, cast

import numpy as np
import torch

from mien.data.batch import Batch
from mien.data.dataset import Data
from mien.data.relatives import relatives_of
from mien.data.shards import Shards
from mien.errors import InputError
from mien.models.contract import Family
from mien.models.recipe import Stage

Labelled = TypeVar("Labelled", bound=Data | Shards)


def split(data: Labelled, share: float) -> tuple[Labelled, Labelled]:
    """Return the data to learn from, and that of a share of the people, who are the same ones in every call.

    Who is kept out hangs on a person's name, so that others who join change nobody's place; at least one is. Morphs of
    people who are kept out are in neither. Raises InputError where nobody is left on a side.
    """
    m, relatives = data.manifest, relatives_of(data.manifest)
    drawn = np.array([int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 16**8 for name in m.subjects])
    drawn[(relatives.roots >= 0).sum(1) > 1] = np.inf  # morphs
    apart = np.flatnonzero(drawn < share)
    apart = apart if len(apart) or not share else np.array([drawn.argmin()])
    near = np.zeros(len(m.subjects), bool)
    for person in apart:
        near |= relatives.related(np.asarray(person), np.arange(len(near)))
    if near.all() or not len(apart):
        raise InputError(f"--validation {share:g}: keeps {len(apart)} of {len(near)} people out; give another share")
    kept, out = data.select(~near[m.subject]), data.select(np.isin(m.subject, apart))
    return cast(Labelled, kept), cast(Labelled, out)


def validated(model: Family, stage: Stage, batches: Sequence[Batch], seed: int) -> dict[str, float]:
    """Return the mean losses of a stage's turns on batches, of a copy of the model in its state for use."""
    judged = copy.deepcopy(model).eval()
    device = next(judged.parameters()).device
    found: dict[str, list[float]] = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for batch in batches:
            moved = batch.to(device)
            for turn in stage.turns:
                for name, loss in judged(moved, turn.name).items():
                    found.setdefault(f"validation/{turn.name}/{name}", []).append(float(loss.detach()))
    return {name: float(np.mean(values)) for name, values in found.items()}
