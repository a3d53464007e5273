"""The losses of the reader, one function each, unweighted."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.data.batch import Faces
from mien.data.words import named, shares
from mien.models.reader.code import UNITS
from mien.nn.losses import known_square_error


def code_loss(code: Tensor, true: Tensor, angles: float = 1.0) -> Tensor:
    """Eq. 2: L_read = mean w (ĉ - c)² over the numbers that are known; 0 if none are; w is 1, of `angles` as given.

    A square, so that the least is at the mean: most units are 0 in most faces, and an absolute error would be least
    where all is 0, from which nothing is learnt.
    """
    weights = torch.ones_like(code)
    weights[:, 2 * UNITS :] = angles
    return known_square_error(code * weights.sqrt(), true * weights.sqrt())


def words_loss(logits: Tensor, faces: Faces) -> Tensor:
    """Return the cross-entropy of logits (B, 8) to the shares of words, over the faces that have any; else 0."""
    left, right = faces.left.cpu().numpy(), faces.right.cpu().numpy()
    true = torch.from_numpy(shares(named(faces.expression.cpu().numpy(), left, right), left, right)).to(logits.device)
    known = ~true[:, :1].isnan()
    loss = -(true.nan_to_num() * logits.log_softmax(1)).sum(1, keepdim=True)
    return (loss * known).sum() / known.sum().clamp(min=1)
