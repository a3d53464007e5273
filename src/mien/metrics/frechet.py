"""The Fréchet distance between two sets of feature vectors (Heusel et al. 2017), with any net's features."""

from __future__ import annotations

import numpy as np


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the Fréchet distance of the normal distributions fitted to features (N, D) and (M, D).

    ‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^½). It shrinks with more features: compare only sets of equal sizes.
    """
    mean = np.square(a.mean(0) - b.mean(0)).sum()
    left, right = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # The eigenvalues of Σ_a Σ_b are real and not negative, as both are positive semi-definite.
    roots = np.sqrt(np.clip(np.linalg.eigvals(left @ right).real, 0, None))
    return float(max(0.0, mean + np.trace(left) + np.trace(right) - 2 * roots.sum()))
