"""Does an edit go as far as it should? Achieved against true change."""

from __future__ import annotations

import numpy as np


def strength(achieved: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Return slope and correlation of achieved on true changes (N, U), over all pairs that are known; NaN if none vary.

    The slope is that of the least-squares line with an intercept: 1 goes as far as the truth, 0 nowhere.
    """
    known = ~np.isnan(achieved) & ~np.isnan(true)
    x, y = true[known].astype(np.float64), achieved[known].astype(np.float64)
    if len(x) < 2 or not x.std() > 0:
        return {"slope": float("nan"), "change_r": float("nan")}
    together = ((x - x.mean()) * (y - y.mean())).mean()
    spread = x.std() * y.std()
    return {"slope": float(together / x.var()), "change_r": float(together / spread) if spread > 0 else float("nan")}
