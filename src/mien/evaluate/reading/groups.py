"""By whom: the same figures of people alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mien.data.manifest import Manifest

AGES = ((25, "under 25"), (35, "25 to 34"), (50, "35 to 49"), (np.inf, "50 and over"))
"""Age groups, each by the age that no longer belongs to it."""

UNNAMED = "pictures"
KINDS = {"real": "photographs", "rendered": "rendered"}
"""Word of the column `kind` -> what tables call such pictures; UNNAMED for those without."""


def kinds_of(m: Manifest) -> dict[str, np.ndarray]:
    """Return the pictures' kinds by what tables call them, (N,) bool each."""
    named = {KINDS.get(str(kind), str(kind) or UNNAMED): m.kind == kind for kind in np.unique(m.kind)}
    return {name: named[name] for name in sorted(named, key=lambda name: (name != KINDS["real"], name))}


def people_alike(m: Manifest) -> Iterator[tuple[str, np.ndarray]]:
    """Yield groups of two and more by gender, age and ethnicity: `gender female` and (N,) bool."""
    ages = np.full(len(m), "", object)
    for below, name in reversed(AGES):
        ages[m.age < below] = name
    for column, values in (("gender", m.gender), ("age", ages), ("ethnicity", m.ethnicity)):
        groups = [str(value) for value in np.unique(values.astype(str)) if value]
        if len(groups) > 1:
            yield from ((f"{column} {group}", values.astype(str) == group) for group in groups)
