"""A face that a model paints anew, whatever runs it, as a sitter."""

from __future__ import annotations

import numpy as np

from mien.controls import Controls
from mien.runtime.engine import Engine


class Repainted:
    """A face that a model paints anew: requests are residuals (S, S, 3), and what comes on top is added."""

    def __init__(self, engine: Engine, crop: np.ndarray):
        self._engine, self._crop = engine, crop

    def asked(self, controls: Controls | None, after: np.ndarray | None = None) -> np.ndarray:
        """Return a request's residual."""
        if controls is None:
            return np.zeros(self._crop.shape, np.float32) if after is None else after
        residual = self._engine.change(self._crop, controls)
        assert isinstance(residual, np.ndarray)
        return residual if after is None else after + residual

    def change(self, asked: np.ndarray, draft: bool = False) -> np.ndarray:
        """Return the residual."""
        return asked

    def corrected(self, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the residual, which lacks nothing."""
        return asked, np.zeros_like(asked)

    def again(self, asked: np.ndarray, lacked: np.ndarray) -> np.ndarray:
        """Return the residual."""
        return asked
