"""The losses of the reader, one function each, unweighted."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.data.batch import Faces
from mien.data.words import named, shares

SMALL_ERROR = 0.1  # of the code: below, its loss is a square


def code_loss(code: Tensor, true: Tensor) -> Tensor:
    """Eq. 2: L_read = mean H(ĉ - c) over the numbers that are known (not NaN), H Huber's over .1; 0 if none are."""
    known = ~true.isnan()
    error = F.smooth_l1_loss(code, true.nan_to_num(), reduction="none", beta=SMALL_ERROR)
    return (error * known).sum() / known.sum().clamp(min=1)


def words_loss(logits: Tensor, faces: Faces) -> Tensor:
    """Return the cross-entropy of logits (B, 8) to the shares of words, over the faces that have any; else 0."""
    left, right = faces.left.cpu().numpy(), faces.right.cpu().numpy()
    true = torch.from_numpy(shares(named(faces.expression.cpu().numpy(), left, right), left, right)).to(logits.device)
    known = ~true[:, :1].isnan()
    loss = -(true.nan_to_num() * logits.log_softmax(1)).sum(1, keepdim=True)
    return (loss * known).sum() / known.sum().clamp(min=1)
