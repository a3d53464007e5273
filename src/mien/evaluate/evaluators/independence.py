"""Who labelled, who measured, and whether they are the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from mien.data.manifest import Manifest
from mien.evaluate.evaluators.base import Evaluator
from mien.evaluate.evaluators.networks import NetEvaluator


def labelled_by(manifest: Manifest) -> str:
    """Return who labelled a data set: the words of its `source` column, "unknown" where there are none."""
    return "+".join(str(word) for word in np.unique(manifest.source) if word) or "unknown"


def named(table: pd.DataFrame, judge: Evaluator, manifest: Manifest) -> pd.DataFrame:
    """Return a table with two more columns: who labelled and who judged."""
    return table.assign(labels=labelled_by(manifest), judge=judge.name)


def dependence(judge: Evaluator, manifest: Manifest, models: Iterable[Any] = ()) -> list[str]:
    """Return a line for each way in which the judge is no stranger: it labelled the data, or it is judged itself."""
    words = [str(word) for word in np.unique(manifest.source)]
    kind = _plain(judge.name.split(":")[0].removesuffix(" CSV"))
    lines = []
    if labelled := [word for word in words if kind in _plain(word)]:
        lines.append(
            f"{judge.name} judges, and the labels come from {', '.join(labelled)}: agreement is partly with itself"
        )
    net = judge.net if isinstance(judge, NetEvaluator) else None
    if any(type(model) is type(net) for model in models):
        lines.append(f"{judge.name} judges a model of its own kind: it may forgive its own mistakes")
    return lines


def _plain(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())
