"""Who is related to whom: a morph to its parents, and to every other morph of one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.data.manifest import Manifest


@dataclass(frozen=True, eq=False)
class Relatives:
    """For each of S subjects the people they descend from, themself included."""

    roots: np.ndarray  # (S, R) int64; -1 fills a row up

    def related(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return (N,) bool: subjects a and b (N,), or one against N, share a root; everyone is related to themself.

        A subject of -1, who is unknown, counts as related to everybody: nothing may be built on their difference.
        """
        ra, rb = self.roots[a], self.roots[b]  # (N, R) each
        shared = (ra[..., :, None] == rb[..., None, :]) & (ra[..., :, None] >= 0)  # (N, R, R)
        return shared.any((-1, -2)) | (np.asarray(a) < 0) | (np.asarray(b) < 0)

    def most(self) -> np.ndarray:
        """Return (S,) int64: an upper bound on how many subjects are related to each, itself counted."""
        known = self.roots >= 0
        counts = np.bincount(self.roots[known])
        return np.where(known, counts[self.roots], 0).sum(1) if len(counts) else np.zeros(0, np.int64)


def parents_of(manifest: Manifest) -> list[tuple[str, ...]]:
    """Return each subject's parents' names, () where none are given."""
    given: list[tuple[str, ...]] = [()] * len(manifest.subjects)
    people, rows = np.unique(manifest.subject, return_index=True)
    for person, row in zip(people.tolist(), rows.tolist(), strict=True):
        if person >= 0:
            given[person] = tuple(p.strip() for p in str(manifest.parents[row]).split("+") if p.strip())
    return given


def relatives_of(manifest: Manifest) -> Relatives:
    """Follow every subject's parents, and their parents, as far as the manifest knows them.

    Parents who have no image of their own count: two morphs of an absent person are related.
    """
    parents = dict(zip(manifest.subjects, parents_of(manifest), strict=True))
    number: dict[str, int] = {name: i for i, name in enumerate(manifest.subjects)}
    lines: list[list[int]] = []
    for name in manifest.subjects:
        found, ahead = {name}, list(parents[name])
        while ahead:  # a set of those found also ends circles
            ancestor = ahead.pop()
            if ancestor not in found:
                found.add(ancestor)
                ahead += parents.get(ancestor, ())
        lines.append(sorted(number.setdefault(n, len(number)) for n in found))
    roots = np.full((len(lines), max(map(len, lines), default=1)), -1, dtype=np.int64)
    for i, line in enumerate(lines):
        roots[i, : len(line)] = line
    return Relatives(roots)
