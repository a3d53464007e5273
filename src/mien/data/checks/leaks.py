"""Who is on both sides of a data set's own split. It is reported, not refused: corpora may come like that."""

from __future__ import annotations

import numpy as np

from mien.data.manifest import Manifest
from mien.data.relatives import relatives_of


def leaks(manifest: Manifest) -> list[str]:
    """Return a line for each pair of sides (of `split`, of `test`, of `fold`) that share people or relatives."""
    return [line for names in sides(manifest).values() for line in _shared(manifest, names)]


def sides(manifest: Manifest) -> dict[str, np.ndarray]:
    """Return by column the side (N,) str that every image is on, as "fold=3"; '' is on none."""
    return {
        "split": np.where(manifest.split != "", np.char.add("split=", manifest.split), ""),
        "test": np.where(manifest.test, "test=1", "test=0"),
        "fold": np.where(manifest.fold >= 0, np.char.add("fold=", manifest.fold.astype(str)), ""),
    }


def _shared(manifest: Manifest, side: np.ndarray) -> list[str]:
    """Return a line for every two sides, named by (N,) str, that share people or relatives; '' is no side."""
    roots = relatives_of(manifest).roots
    names = [str(n) for n in np.unique(side) if n]
    people = {n: np.unique(manifest.subject[(side == n) & (manifest.subject >= 0)]) for n in names}
    lines = []
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            both = np.intersect1d(people[a], people[b])
            ancestors = np.intersect1d(roots[people[a]], roots[people[b]])
            ancestors = ancestors[ancestors >= 0]
            kin = people[a][np.isin(roots[people[a]], ancestors).any(1)]
            only_kin = np.setdiff1d(kin, both)
            if len(both):
                lines.append(f"{a} and {b} share {len(both)} people: {_some(manifest, both)}")
            if len(only_kin):
                lines.append(f"{a} has {len(only_kin)} people related to some in {b}: {_some(manifest, only_kin)}")
    return lines


def _some(manifest: Manifest, people: np.ndarray) -> str:
    names = [manifest.subjects[i] for i in people[:5]]
    return ", ".join(names) + (", …" if len(people) > 5 else "")
