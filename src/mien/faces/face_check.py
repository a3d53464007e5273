"""Is there a face? A net of 80,000 numbers that looks at 48×48 pixels around two eyes; NumPy runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from mien.faces.align import align, similarity

SIDE = 48
STRIDES = (2, 2, 1, 2)
LEAK = 0.1
FLOOR = 6.0  # levels added to a crop's deviation, so that the noise of a plain wall is not blown up
INNER = np.s_[:, 14:40, 10:38]  # brows to mouth of crops (N, SIDE, SIDE, 3)
WEIGHTS = Path(__file__).with_suffix(".safetensors")


def face_likelihood(rgb: np.ndarray, eyes: Sequence[np.ndarray], weights: Path = WEIGHTS) -> np.ndarray:
    """Return for each of several pairs of eyes (2, 2) in a photo uint8 (H, W, 3) how likely a face has them.

    These are log odds, (N,) float64: above 0 a face is likelier than none.
    """
    if not len(eyes):
        return np.zeros(0)
    crops = np.stack([align(rgb, similarity(pair, SIDE), SIDE) for pair in eyes])
    return log_odds(crops, read_weights(weights))


def inner_contrast(rgb: np.ndarray, eyes: np.ndarray) -> float:
    """Return how strong the contrast from brows to mouth is to that of the whole crop, as deviations of brightness.

    The net sees a crop levelled as a whole, by its rim too, so that on a smooth stone before a dark gap it sees next to
    nothing. How bright a face is, how strong its contrast, and how sharp it is do not count.
    """
    grey = align(rgb, similarity(eyes, SIDE), SIDE)[None].mean(axis=3)
    return float(grey[INNER].std() / max(grey.std(), 1e-6))


@cache
def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Return the net's weights by name, float32."""
    return {name: values.astype(np.float32) for name, values in load_file(path).items()}


def log_odds(crops: np.ndarray, weights: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the log odds (N,) of a face for aligned crops uint8 (N, SIDE, SIDE, 3)."""
    x = levelled(crops)
    for number, stride in enumerate(STRIDES):
        x = _convolved(x, weights[f"{number}.weight"], weights[f"{number}.bias"], stride)
    # (N, 6, 6, C) -> (N, 6·6·C)
    hidden = _leaky(x.reshape(len(x), -1) @ weights["hidden.weight"].T + weights["hidden.bias"])
    return np.asarray(hidden @ weights["odds.weight"][0] + weights["odds.bias"][0], np.float64)


def levelled(crops: np.ndarray) -> np.ndarray:
    """Return crops (N, H, W, 3) as float32, each with mean 0 and a deviation near 1."""
    x = crops.astype(np.float32)
    mean, spread = x.mean(axis=(1, 2, 3), keepdims=True), x.std(axis=(1, 2, 3), keepdims=True)
    return (x - mean) / (spread + FLOOR)


def _convolved(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int) -> np.ndarray:
    """Return a 3×3 convolution (kernel (out, 3, 3, in)) of (N, H, W, in), zeros around it, through a leaky ReLU."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    high, wide = (x.shape[1] - 1) // stride + 1, (x.shape[2] - 1) // stride + 1
    reach = [
        (slice(i, i + stride * high, stride), slice(j, j + stride * wide, stride)) for i in (0, 1, 2) for j in (0, 1, 2)
    ]
    # (N, H', W', 9·in): the nine neighbours of each place, beside each other
    neighbours = np.concatenate([padded[:, down, across] for down, across in reach], axis=3)
    return _leaky(neighbours @ kernel.reshape(len(kernel), -1).T + bias)


def _leaky(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, LEAK * x)
