"""What a model costs: milliseconds and parameters."""

from __future__ import annotations

import time

import numpy as np
import torch

from mien.models.contract import Family, Transfers
from mien.models.registry import able


@torch.inference_mode()
def milliseconds(model: Family, times: int = 20) -> float:
    """Return the median time of a transfer between two faces, on as many threads as torch has."""
    size = model.config.image_size
    face = torch.zeros(1, 3, size, size).contiguous(memory_format=torch.channels_last)
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        able(model, Transfers).transfer(face, face)
        spent.append(time.perf_counter() - begin)
    return float(1000 * np.median(spent))


def deployed_parameters(model: Family) -> int:
    """Return how many parameters a model's uses need."""
    return sum(p.numel() for name, p in model.named_parameters() if name.split(".")[0] in model.deployed)
