"""How far what another runtime gives is from what PyTorch gives, and how far it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mien.errors import InputError
from mien.export.graph import Graph
from mien.runtime.exported import Runner


@dataclass(frozen=True)
class Bound:
    """In which unit outputs are compared, and their largest mean and single difference."""

    unit: str
    scale: float
    mean: float
    most: float
    span: tuple[float, float] | None = None  # in which values lie


LEVELS = Bound("grey levels of 255", 127.5, 1.0, 8.0, (-1, 1))
UNITS = Bound("action units 0-5", 1.0, 0.01, 0.01, (0, 5))
SHARE = Bound("shares", 1.0, 0.002, 0.01, (0, 1))
CODE = Bound("of a code", 1.0, 0.002, 0.01)
MAP = Bound("of a map's deviation", 1.0, 0.002, 0.05)
BOUNDS = {
    "picture": LEVELS, "paint": LEVELS,
    "residual": Bound(LEVELS.unit, 127.5, 1.0, 8.0, (-2, 2)),
    "units": UNITS, "left": UNITS, "right": UNITS,
    "angles": Bound("degrees", 1.0, 0.05, 0.2), "points": Bound("shares of the side", 1.0, 0.0005, 0.002),
    "probabilities": SHARE, "alpha": SHARE,
    "flow": Bound("shares of the side", 1.0, 0.0005, 0.004), "shade": Bound("log brightness", 1.0, 0.005, 0.05),
    "code": CODE, "known": CODE, "better": CODE,
}  # fmt: skip
"""Of the outputs by name; all others are maps and codes of nets."""


def measured(graph: Graph, runner: Runner) -> list[dict[str, Any]]:
    """Return how far a graph's outputs are from PyTorch's, on its own inputs.

    Raises InputError where one is further than its bound.
    """
    want = {name: values.float().numpy() for name, values in graph.found().items()}
    inputs = {name: values.numpy() for name, values in graph.inputs.items()}
    return [
        _compared(graph, name, want[name], values)
        for name, values in zip(want, runner.run(graph.name, inputs, list(want)), strict=True)
    ]


def _compared(graph: Graph, name: str, want: np.ndarray, found: np.ndarray) -> dict[str, Any]:
    bound = BOUNDS.get(name, MAP)
    scale = bound.scale if bound is not MAP else 1 / max(float(np.nanstd(want)), 1e-6)
    if found.shape != want.shape or (np.isnan(found) != np.isnan(want)).any():
        raise InputError(f"{graph.name}: {name} has another form than PyTorch's; it was not exported")
    off = scale * np.abs(found - want)
    off = off[~np.isnan(off)]
    mean, most = (float(off.mean()), float(off.max())) if off.size else (0.0, 0.0)
    if mean > bound.mean or most > bound.most:
        raise InputError(
            f"{graph.name}: {name} is {mean:.4g} {bound.unit} from PyTorch's on average and {most:.4g} at most, "
            f"more than {bound.mean:g} and {bound.most:g}; it was not exported"
        )
    return {"output": name, "unit": bound.unit, "mean": mean, "most": most, "bound": asdict(bound) | {"scale": scale}}


def worst(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the row that is nearest to its bound."""
    return max(rows, key=lambda row: max(row["mean"] / row["bound"]["mean"], row["most"] / row["bound"]["most"]))
