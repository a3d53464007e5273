"""Pairs for one class at a time, as JESRL is trained: what a step's sources show, none of its targets does."""

from __future__ import annotations

import numpy as np

from mien.data.dataset import Data
from mien.data.sampling.augment import Augmentation
from mien.data.sampling.groups import group, pick
from mien.data.sampling.sampler import NoPairs, PairSampler, Rows
from mien.labels import CLASSES


class CycledSampler(PairSampler):
    """Draws pairs of two unrelated people who show different classes; step k's sources show the k-th class in turn.

    Faces of known class that show it at intensity `least` or more take part; neutral ones always do. There is no truth.
    Classes that nobody shows, or no unrelated person beside another, are left out. Raises NoPairs where none is left.
    """

    def __init__(
        self, data: Data, batch_size: int, seed: int, least: float = 0.0, augmentation: Augmentation | None = None
    ):
        super().__init__(data, batch_size, seed, same=0.0, augmentation=augmentation)
        m = data.manifest
        shown = self._index.known & (m.expression >= 0) & (m.expression < len(CLASSES))
        shown &= (m.expression == 0) | ~(m.intensity < least)
        self._shown = group(np.where(shown, m.expression, -1), len(CLASSES))
        rows = np.arange(len(m))
        self._others = [rows[shown & (m.expression != k)] for k in range(len(CLASSES))]
        self._givers = [self._who_has_a_partner(k) for k in range(len(CLASSES))]
        self._cycle = [k for k, giver in enumerate(self._givers) if len(giver)]
        if not self._cycle:
            raise NoPairs(
                f"{m.folder}: nobody shows a class while an unrelated person shows another"
                + (f", at intensity {least:g} or more" if least else "")
                + "; expected several people and classes"
            )

    def _who_has_a_partner(self, k: int) -> np.ndarray:
        """Return the rows of class k beside which an unrelated person shows another class."""
        subject = self._index.subject
        people, others = np.unique(subject[self._shown[k]]), np.unique(subject[self._others[k]])
        related = self._index.relatives.related
        lucky = [p for p in people.tolist() if len(others) and not related(np.full(len(others), p), others).all()]
        return self._shown[k][np.isin(subject[self._shown[k]], lucky)]

    def _rows(self, rng: np.random.Generator, step: int) -> Rows:
        k = self._cycle[step % len(self._cycle)]
        source = self._givers[k][rng.integers(len(self._givers[k]), size=self.batch_size)]
        others = group(np.zeros(len(self._others[k]), dtype=np.int64), 1)
        nobody = np.zeros(len(source), dtype=np.int64)  # all others are one group
        place = pick(rng, others, nobody, lambda at, other: self._index.unrelated(source[at], self._others[k][other]))
        none = np.full(len(source), -1, dtype=np.int64)
        return Rows(source, self._others[k][place], none, np.zeros(len(source), bool))
