"""Is one recogniser better than another on the same pictures? Exact McNemar by picture; permutation by person.

McNemar's test takes pictures as independent, which those of one person are not: the test by person is the one to trust.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binomtest, permutation_test

EXACT = 16
"""Up to so many people every exchange of signs is tried; 2¹⁶ of them."""


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """Return the exact two-sided p-value that two recognisers err alike; (N,) bool: who was right (McNemar 1947)."""
    only = int((first & ~second).sum()), int((second & ~first).sum())
    return float(binomtest(only[0], sum(only)).pvalue) if sum(only) else 1.0


def by_person(values: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Return the mean of values (N,) over each person's rows, (P,) in the order of their names."""
    _, of = np.unique(people, return_inverse=True)
    return np.bincount(of, weights=values) / np.bincount(of)


def sign_permutation(differences: np.ndarray, draws: int = 9999, seed: int = 0) -> float:
    """Return the two-sided p-value that people's differences (P,) are as likely below as above 0.

    The signs are exchanged: all of them up to EXACT people, `draws` at random beyond.
    """
    if not np.any(differences):
        return 1.0
    resamples = np.inf if len(differences) <= EXACT else draws
    found = permutation_test(
        (differences,),
        lambda x, axis: x.mean(axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)
