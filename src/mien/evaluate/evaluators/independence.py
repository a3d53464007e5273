"""Who labelled, who measured, and whether they are the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from mien.data.manifest import Manifest
from mien.evaluate.evaluators.base import Evaluator


def labelled_by(manifest: Manifest) -> str:
    """Return who labelled a data set: the words of its `source` column, "unknown" where there are none."""
    return "+".join(str(word) for word in np.unique(manifest.source) if word) or "unknown"


def with_sources(table: pd.DataFrame, evaluator: Evaluator, manifest: Manifest) -> pd.DataFrame:
    """Return a table with two more columns: who labelled and who measured."""
    return table.assign(labels=labelled_by(manifest), evaluator=evaluator.name)


def dependence(evaluator: Evaluator, manifest: Manifest, models: Iterable[Any] = ()) -> list[str]:
    """Return a line for each way in which an evaluator is not independent: of the labels, or of the models."""
    words = [str(word) for word in np.unique(manifest.source)]
    kind = _plain(evaluator.name.split(":")[0].removesuffix(" CSV"))
    lines = []
    if labelled := [word for word in words if kind in _plain(word)]:
        source = ", ".join(labelled)
        lines.append(f"{evaluator.name} measures, and the labels come from {source}: agreement is partly with itself")
    net = getattr(evaluator, "net", None)  # whatever learnt it; a tool from outside has none
    if any(type(model) is type(net) for model in models):
        lines.append(f"{evaluator.name} measures a model of its own kind: it may forgive its own mistakes")
    return lines


def _plain(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())
