"""Exported graphs run by OpenVINO: its own form, or ONNX files as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from mien.devices import AUTO
from mien.errors import InputError, missing
from mien.runtime.description import Description
from mien.runtime.onnx import threads


class OpenvinoRunner:
    """Compiles a graph when it is first asked for; in float32, whatever its weights are."""

    def __init__(self, about: Description, device: str = "cpu"):
        if device not in ("cpu", AUTO):
            raise InputError(f"device {device!r}: OpenVINO runs on the cpu here; use cpu, or another --backend")
        self._made_of = about, device
        self._open = cache(lambda name: compiled(about.graph(name)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._made_of  # another process compiles graphs of its own

    def run(self, graph: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]) -> list[np.ndarray]:
        """Return outputs."""
        model = self._open(graph)
        found = model({place.any_name: inputs[place.any_name] for place in model.inputs})
        return [np.array(found[name]) for name in outputs]  # copies: the next call writes there


def compiled(path: Any) -> Any:
    """Return a graph, ready to run. Raises InputError for a file that is none, and where OpenVINO is missing."""
    try:
        import openvino
    except ImportError as error:
        raise missing("--backend openvino", error) from error
    config = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads():
        config["INFERENCE_NUM_THREADS"] = str(threads())
    try:
        return openvino.Core().compile_model(str(path), "CPU", config)
    except RuntimeError as error:
        said = str(error).strip().splitlines()[-1][:120]
        raise InputError(f"{path}: OpenVINO cannot open it ({said}); export the model again") from error
