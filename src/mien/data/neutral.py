"""Everybody's neutral face, from which edits begin."""

from __future__ import annotations

import numpy as np

from mien.data.manifest import Manifest
from mien.labels import EXPRESSIONS

UNKNOWN = 0.5  # degrees for an unknown angle: such a picture comes after one that is known to be frontal

STARTS = ("neutral", "other")
"""What a face shows before it is changed: nothing, or another expression."""


def neutral_faces(manifest: Manifest) -> dict[int, list[int]]:
    """Return each person's neutral pictures, subject number -> rows, the least turned first."""
    m = manifest
    rows = np.flatnonzero((m.expression == EXPRESSIONS.index("neutral")) & (m.subject >= 0))
    angles = np.stack([m.yaw, m.pitch, m.gaze_x, m.gaze_y], 1)[rows]
    turned = np.abs(np.nan_to_num(angles, nan=UNKNOWN)).sum(1)
    found: dict[int, list[int]] = {}
    for row in rows[np.argsort(turned, kind="stable")].tolist():
        found.setdefault(int(m.subject[row]), []).append(row)
    return found
