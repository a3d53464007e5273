"""A face's code: its action units by side, its pose and gaze; Eq. 1 of docs/fields.md."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.data.batch import Faces
from mien.labels import AUS

UNITS = len(AUS)
CODE = 2 * UNITS + 4
STRONGEST = 5.0  # action units' intensity that counts 1
ANGLE = 30.0  # degrees that count as much


def code_of(faces: Faces) -> Tensor:
    """Eq. 1: c = (AU_left / 5, AU_right / 5, (yaw, pitch, gaze_x, gaze_y) / 30°), (B, 46), NaN where unknown."""
    angles = torch.stack([faces.yaw, faces.pitch, faces.gaze_x, faces.gaze_y], 1)
    return torch.cat([faces.left / STRONGEST, faces.right / STRONGEST, angles / ANGLE], 1)


def mirrored(code: Tensor) -> Tensor:
    """Return the code (B, 46) that the mirror image of a face has."""
    left, right, angles = code.split([UNITS, UNITS, CODE - 2 * UNITS], 1)
    return torch.cat([right, left, angles * angles.new_tensor([-1.0, 1.0, -1.0, 1.0])], 1)


def held(code: Tensor) -> Tensor:
    """Return a code (B, 46) whose action units are held in 0-1."""
    return torch.cat([code[:, : 2 * UNITS].clamp(0, 1), code[:, 2 * UNITS :]], 1)


def stronger_side(code: Tensor) -> Tensor:
    """Return action units (B, 21), 0-5, of the side that shows more."""
    units = STRONGEST * code[:, : 2 * UNITS].clamp(0, 1)
    return torch.maximum(units[:, :UNITS], units[:, UNITS:])
