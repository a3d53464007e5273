"""The finder's two small nets, which ONNX Runtime runs on one thread: they have too little to do for more."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnxruntime


def run(path: Path, values: np.ndarray) -> np.ndarray:
    """Return what a net of one input and one output makes of values."""
    session = _session(path)
    return np.asarray(session.run(None, {session.get_inputs()[0].name: values})[0])


@cache
def _session(path: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors alone
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
