"""A model over a data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from mien.data.dataset import Data
from mien.labels import BASIC, CLASSES
from mien.models.contract import EstimatesAus, Prediction
from mien.nn.images import to_tensor


def protocol_rows(data: Data, words: Sequence[str] = BASIC, least: float = 0.5) -> np.ndarray:
    """Return (N,) bool: rows that show one of `words` at `least` intensity (a sequence's last three frames) or more."""
    numbers = [CLASSES.index(word) for word in words]
    return np.isin(data.manifest.expression, numbers) & ~(data.manifest.intensity < least)


@torch.inference_mode()
def predict(
    recognize: Callable[[torch.Tensor], Prediction], data: Data, words: Sequence[str], batch: int = 256
) -> np.ndarray:
    """Return (N,) class numbers: the likeliest among `words`."""
    numbers = torch.tensor([CLASSES.index(word) for word in words])
    best = []
    for k in range(0, len(data), batch):
        rows = np.arange(k, min(k + batch, len(data)))
        best.append(numbers[recognize(to_tensor(data.images[rows])).probabilities[:, numbers].argmax(1)])
    return torch.cat(best).numpy()


@torch.inference_mode()
def estimated(model: EstimatesAus, data: Data, batch: int = 256) -> np.ndarray:
    """Return (N, 21) action units 0-5, NaN where the model does not know one."""
    parts = [np.arange(k, min(k + batch, len(data))) for k in range(0, len(data), batch)]
    return np.concatenate([model.estimate_aus(to_tensor(data.images[rows])).double().numpy() for rows in parts])
