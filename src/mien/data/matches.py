"""Which images show the same expression, of one person or of several, as far as labels say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.data.manifest import Manifest
from mien.labels import EXPRESSIONS

POSE_STEP = 15.0
"""Degrees to which poses are rounded where no `expr_id` says that they were posed exactly alike."""


@dataclass(frozen=True, eq=False)
class Matches:
    """Numbers that are equal where images show one expression."""

    look: np.ndarray  # (N,) int64: expression and intensity; an image without them equals no other
    key: np.ndarray  # (N,) int64: look, pose and gaze; -1 where another person's picture cannot be matched


def matches_of(manifest: Manifest) -> Matches:
    """Number every image's expression.

    With an `expr_id`: that and the intensity, and for `key` equal pose and gaze. Without: the expression word and the
    intensity, and pose and gaze to within POSE_STEP degrees. The word `other` alone names no expression.
    """
    free = EXPRESSIONS.index("other")
    named = manifest.expr_id != ""
    worded = (manifest.expression >= 0) & (manifest.expression != free)
    ids = np.unique(manifest.expr_id, return_inverse=True)[1]
    what = np.where(named, ids, np.where(worded, -1 - manifest.expression, np.iinfo(np.int64).min // 2))
    intensity = np.nan_to_num(np.round(manifest.intensity.astype(np.float64), 3), nan=-1.0)
    look = _number(np.stack([what.astype(np.float64), intensity], axis=1))
    known = named | worded
    look = np.where(known, look, len(manifest) + np.arange(len(manifest)))

    pose = np.stack([manifest.yaw, manifest.pitch, manifest.roll, manifest.gaze_x, manifest.gaze_y], axis=1)
    step = np.where(named, 0.01, POSE_STEP)[:, None]
    pose = np.nan_to_num(np.round(pose.astype(np.float64) / step), nan=1e9)
    return Matches(look, np.where(known, _number(np.column_stack([look, pose])), -1))


def _number(rows: np.ndarray) -> np.ndarray:
    """Return (N,) int64, equal where rows of (N, D) are."""
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
