"""The losses of the reader, one function each, unweighted."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.data.batch import Faces
from mien.data.words import named, shares
from mien.nn.losses import known_square_error


def code_loss(code: Tensor, true: Tensor) -> Tensor:
    """Eq. 2: L_read = mean (ĉ - c)² over the numbers that are known; 0 if none are.

    A square, so that the least is at the mean: most units are 0 in most faces, and an absolute error would be least
    where all is 0, from which nothing is learnt.
    """
    return known_square_error(code, true)


def words_loss(logits: Tensor, faces: Faces) -> Tensor:
    """Return the cross-entropy of logits (B, 8) to the shares of words, over the faces that have any; else 0."""
    left, right = faces.left.cpu().numpy(), faces.right.cpu().numpy()
    true = torch.from_numpy(shares(named(faces.expression.cpu().numpy(), left, right), left, right)).to(logits.device)
    known = ~true[:, :1].isnan()
    loss = -(true.nan_to_num() * logits.log_softmax(1)).sum(1, keepdim=True)
    return (loss * known).sum() / known.sum().clamp(min=1)
