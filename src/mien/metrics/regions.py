"""Where expressions happen: boxes around brows, eyes, mouth and the whole face, from 68 landmarks."""

from __future__ import annotations

import numpy as np

GROUPS = {
    "face": tuple(range(68)),
    "brows": tuple(range(17, 27)),
    "eyes": tuple(range(36, 48)),
    "mouth": tuple(range(48, 68)),
}
"""Region name -> indices of the usual 68 landmarks."""

MARGIN = 0.15  # of the distance between the outer eye corners: skin that moves with the feature


def region_boxes(landmarks: np.ndarray, size: int) -> dict[str, tuple[slice, slice]]:
    """Return row and column slices by region name, holding the landmarks of all given faces with a margin.

    landmarks: (68, 2) or (K, 68, 2) pixels (x, y) in a frame of `size`: with several faces, as the face before and
    after an edit, a region holds the feature in each of them. Slices lie inside the frame.
    """
    points = np.asarray(landmarks, np.float64).reshape(-1, 68, 2)
    margin = MARGIN * np.linalg.norm(points[0, 36] - points[0, 45])
    boxes = {}
    for name, group in GROUPS.items():
        xy = points[:, list(group)].reshape(-1, 2)
        low = np.clip(np.floor(xy.min(0) - margin), 0, size - 2).astype(int)
        high = np.clip(np.ceil(xy.max(0) + margin) + 1, low + 1, size).astype(int)
        boxes[name] = (slice(low[1], high[1]), slice(low[0], high[0]))
    return boxes
