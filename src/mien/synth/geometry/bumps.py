"""Smooth bumps and steps from which relief and motion of the face are composed."""

import numpy as np


def bell(x: np.ndarray, center: float, width: float) -> np.ndarray:
    """Return exp(-((x - center) / width)²), 1 at the centre."""
    return np.exp(-(((x - center) / width) ** 2))


def spot(x: np.ndarray, y: np.ndarray, at: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """Return a bell in two dimensions, 1 at `at`."""
    return np.exp(-(((x - at[0]) / size[0]) ** 2) - ((y - at[1]) / size[1]) ** 2)


def step(x: np.ndarray, start: float | np.ndarray, end: float | np.ndarray) -> np.ndarray:
    """Return 0 before `start`, 1 after `end` (which may lie below `start`), smooth between."""
    u = np.clip((x - start) / (end - start), 0, 1)
    return u * u * (3 - 2 * u)


def smooth_max(a: np.ndarray, b: np.ndarray, softness: float) -> np.ndarray:
    """Return a maximum without a kink; differs from the sharp one within a few `softness`."""
    high, low = np.maximum(a, b), np.minimum(a, b)
    return high + softness * np.log1p(np.exp((low - high) / softness))
