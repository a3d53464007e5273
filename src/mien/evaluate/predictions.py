"""A model over a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from mien.data.dataset import Data
from mien.evaluate.batches import batches
from mien.labels import BASIC, CLASSES
from mien.models.contract import EstimatesAus, Prediction
from mien.nn.images import to_tensor

BASELINE = "baseline"
"""The plain net beside a model, in tables of what both predict."""

STAGE_1 = "stage_1"
"""The model without its game, likewise: what its encoder knew before."""


def protocol_rows(data: Data, words: Sequence[str] = BASIC, least: float = 0.5) -> np.ndarray:
    """Return (N,) bool: rows that show one of `words` at `least` intensity (a sequence's last three frames) or more.

    Neutral, of which there is no more and no less, counts at any intensity.
    """
    m, numbers = data.manifest, [CLASSES.index(word) for word in words]
    return np.isin(m.expression, numbers) & (~(m.intensity < least) | (m.expression == CLASSES.index("neutral")))


def tensors(data: Data, batch: int = 256) -> Iterator[torch.Tensor]:
    """Yield the data's pictures in their order, (B, 3, S, S) in [-1, 1]."""
    for rows in batches(len(data), batch):
        yield to_tensor(data.images[rows])


@torch.inference_mode()
def predict(recognize: Callable[[torch.Tensor], Prediction], data: Data, words: Sequence[str]) -> np.ndarray:
    """Return (N,) class numbers: the likeliest among `words`."""
    numbers = torch.tensor([CLASSES.index(word) for word in words])
    best = [numbers[recognize(faces).probabilities[:, numbers].argmax(1)] for faces in tensors(data)]
    return torch.cat(best).numpy()


@torch.inference_mode()
def estimate_aus(model: EstimatesAus, data: Data) -> np.ndarray:
    """Return (N, 21) action units 0-5, NaN where the model does not know one."""
    return np.concatenate([model.estimate_aus(faces).double().numpy() for faces in tensors(data)])
