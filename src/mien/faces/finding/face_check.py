"""Is there a face? A net of 80,000 numbers that looks at 48×48 pixels around two eyes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mien.faces.align import align, similarity
from mien.faces.finding.small_net import said

SIDE = 48
FLOOR = 6.0  # levels added to a crop's deviation, so that the noise of a plain wall is not blown up
INNER = np.s_[:, 14:40, 10:38]  # brows to mouth of crops (N, SIDE, SIDE, 3)
WEIGHTS = Path(__file__).with_suffix(".onnx")


def face_likelihood(rgb: np.ndarray, eyes: Sequence[np.ndarray], weights: Path = WEIGHTS) -> np.ndarray:
    """Return for each of several pairs of eyes (2, 2) in a photo uint8 (H, W, 3) how likely a face has them.

    These are log odds, (N,) float64: above 0 a face is likelier than none.
    """
    if not len(eyes):
        return np.zeros(0)
    crops = np.stack([align(rgb, similarity(pair, SIDE), SIDE) for pair in eyes])
    return log_odds(crops, weights)


def contrast(rgb: np.ndarray, eyes: np.ndarray) -> tuple[float, float]:
    """Return how strong the contrast around a pair of eyes is, as deviations of brightness: of the whole crop, in
    levels, and from brows to mouth, as a share of that.

    The net sees a crop levelled as a whole. By its rim too, so that on a smooth stone before a dark gap it sees next to
    nothing; and by its deviation, so that grain that is hardly to be seen looks to it as clear as a face.
    """
    grey = align(rgb, similarity(eyes, SIDE), SIDE)[None].mean(axis=3)
    whole = max(float(grey.std()), 1e-6)
    return whole, float(grey[INNER].std()) / whole


def log_odds(crops: np.ndarray, weights: Path = WEIGHTS) -> np.ndarray:
    """Return the log odds (N,) of a face for aligned crops uint8 (N, SIDE, SIDE, 3)."""
    seen = np.ascontiguousarray(levelled(crops).transpose(0, 3, 1, 2))
    return said(weights, seen)


def levelled(crops: np.ndarray) -> np.ndarray:
    """Return crops (N, H, W, 3) as float32, each with mean 0 and a deviation near 1."""
    x = crops.astype(np.float32)
    mean, spread = x.mean(axis=(1, 2, 3), keepdims=True), x.std(axis=(1, 2, 3), keepdims=True)
    return (x - mean) / (spread + FLOOR)
