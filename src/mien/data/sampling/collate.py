"""Rows of a data set as tensors: faces with their labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from mien.data.batch import Faces
from mien.data.dataset import Data
from mien.labels import POINTS
from mien.nn.images import to_tensor


def faces(
    data: Data,
    indices: Sequence[int] | np.ndarray,
    images: np.ndarray | None = None,
    mirrored: Sequence[bool] | np.ndarray | None = None,
    points: np.ndarray | None = None,
) -> Faces:
    """Return (B,) chosen faces with their labels; `images` (B, H, W, 3) uint8 stand in for the data set's own.

    `mirrored` (B,) tells which of those are, and so look to the other side; `points` (B, 68, 2) are their landmarks.
    """
    rows = np.asarray(indices, dtype=np.int64)
    labels = data.manifest
    flipped = np.zeros(len(rows), bool) if mirrored is None else np.asarray(mirrored, bool)
    sign = np.where(flipped, -1, 1).astype(np.float32)
    left, right = labels.left[rows], labels.right[rows]
    return Faces(
        image=to_tensor(data.images[rows] if images is None else images),
        subject=torch.from_numpy(labels.subject[rows]),
        expression=torch.from_numpy(labels.expression[rows]),
        intensity=torch.from_numpy(labels.intensity[rows]),
        aus=torch.from_numpy(labels.aus[rows]),
        left=torch.from_numpy(np.where(flipped[:, None], right, left)),
        right=torch.from_numpy(np.where(flipped[:, None], left, right)),
        yaw=torch.from_numpy(labels.yaw[rows] * sign),
        pitch=torch.from_numpy(labels.pitch[rows]),
        gaze_x=torch.from_numpy(labels.gaze_x[rows] * sign),
        gaze_y=torch.from_numpy(labels.gaze_y[rows]),
        points=torch.full((len(rows), POINTS, 2), torch.nan) if points is None else torch.from_numpy(points),
    )
