"""Exported graphs run by ONNX Runtime."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mien.devices import AUTO, has_cuda
from mien.errors import InputError
from mien.runtime.description import Description
from mien.runtime.pruned import pruned
from mien.whole_numbers import whole_number

if TYPE_CHECKING:
    import onnxruntime

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxRunner:
    """Opens a graph when certain outputs of it are first asked for, and no more of it than these need."""

    def __init__(self, about: Description, device: str = "cpu"):
        self._made_of = about, device
        self._needed = cache(lambda name, outputs: needed(about.graph(name), outputs))
        self._open = cache(lambda name, model: session(about.graph(name), device, model))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._made_of  # another process opens graphs of its own

    def run(self, graph: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]) -> list[np.ndarray]:
        """Return outputs; what only others need is not computed."""
        found: onnxruntime.InferenceSession = self._open(graph, self._needed(graph, tuple(outputs)))
        wanted = {place.name: inputs[place.name] for place in found.get_inputs()}
        return list(found.run(list(outputs), wanted))


def needed(path: Path, outputs: Sequence[str]) -> bytes:
    """Return what outputs need of a graph; nothing where the file is none, which `session` tells."""
    try:
        return pruned(path.read_bytes(), outputs)
    except (OSError, ValueError, IndexError):
        return b""


def session(path: Any, device: str = "cpu", model: bytes = b"") -> onnxruntime.InferenceSession:
    """Return a graph, ready to run; or the part of it that `model` is, which has its weights from beside the file.

    Raises InputError for a file that is none, and for a device that is not there.
    """
    import onnxruntime

    there = onnxruntime.get_available_providers()
    if device == AUTO:
        device = "cuda" if PROVIDERS["cuda"] in there and has_cuda() else "cpu"
    kind, _, number = device.partition(":")
    provider = PROVIDERS.get(kind)
    if provider not in there:
        raise InputError(f"device {device!r} is not to be had by ONNX Runtime here; use cpu, or --backend torch")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.log_severity_level = 3  # errors alone
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others compute here, too
    chosen: Any = (provider, {"device_id": int(number)}) if number else provider
    if model:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(Path(path).parent))
    try:
        return onnxruntime.InferenceSession(model or str(path), options, providers=[chosen])
    except Exception as error:  # of many kinds, all the library's own
        said = str(error).strip().splitlines()[0][:120]
        raise InputError(f"{path}: ONNX Runtime cannot open it ({said}); export the model again") from error


def threads() -> int:
    """Return how many threads a graph may use: as OMP_NUM_THREADS says, no more than there are cores; 0, as many as
    those, without it.
    """
    said = whole_number(os.environ.get("OMP_NUM_THREADS", ""))
    return min(said or 0, os.cpu_count() or 1)
