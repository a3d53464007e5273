"""Opens the finder's nets, which ONNX Runtime runs on one thread: they have too little to do for more."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnxruntime


def said(weights: Path, seen: np.ndarray) -> np.ndarray:
    """Return the one output of a net, float64, for its one input."""
    return np.asarray(_session(weights).run(None, {"seen": seen})[0], np.float64)


@cache
def _session(path: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors alone
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
