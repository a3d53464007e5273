"""Which rows of a data set can be paired with which, and fair draws of such pairs."""

from __future__ import annotations

import numpy as np

from mien.data.manifest import Manifest
from mien.data.matches import matches_of
from mien.data.relatives import Relatives, relatives_of
from mien.data.sampling.groups import Groups, group, pick
from mien.labels import EXPRESSIONS


class PairIndex:
    """Which rows of a data set can be paired: who has several looks, and who else shows a row's expression."""

    def __init__(self, manifest: Manifest):
        people = len(manifest.subjects)
        self.subject = manifest.subject
        self.known = self.subject >= 0
        self.relatives: Relatives = relatives_of(manifest)
        shown = matches_of(manifest)
        self.look = shown.look
        self.key = np.where(self.known, shown.key, -1)
        keys = int(self.key.max(initial=-1)) + 1
        self.by_subject = group(self.subject, people)
        neutral = self.known & (manifest.expression == EXPRESSIONS.index("neutral"))
        self.by_neutral = group(np.where(neutral, self.subject, -1), people)
        self.can_calm = ~neutral & np.append(self.by_neutral.count > 0, False)[self.subject]
        self.everyone = group(np.where(self.known, 0, -1), 1)

        looks = np.unique(np.stack([self.subject, self.look], axis=1)[self.known], axis=0)[:, 0]
        varied = np.append(np.bincount(looks, minlength=people) > 1, False)  # the last entry serves subject -1
        self.can_same = varied[self.subject]
        # A triple's target is another look of the truth's person, so only people with several can give truths.
        self.by_key = group(np.where(self.can_same, self.key, -1), keys)
        self.can_cross = self._has_unrelated(self.everyone, np.where(self.known, 0, -1))
        self.can_triple = self._has_unrelated(self.by_key, self.key)
        code = np.where(self.key >= 0, self.subject * keys + self.key, -1)
        self._keys, self._by_code = keys, np.argsort(code, kind="stable")
        self._codes = code[self._by_code]

    def unrelated(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return (n,) bool for rows a and b."""
        return ~self.relatives.related(self.subject[a], self.subject[b])

    def another_look(self, rng: np.random.Generator, rows: np.ndarray, subject: np.ndarray) -> np.ndarray:
        """Draw for each row an image of `subject` (n,) that shows another expression or intensity than the row."""
        return pick(rng, self.by_subject, subject, lambda at, other: self.look[other] != self.look[rows[at]])

    def neutral_look(self, rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
        """Draw for each row a neutral image of the same person."""
        return self.by_neutral.draw(rng, self.subject[rows])

    def triples(self, rng: np.random.Generator, source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw (target, truth) with an unrelated person who shows the source's expression in `truth` alone."""
        truth = self.shown_by_another(rng, source)
        return self.another_look(rng, source, self.subject[truth]), truth

    def shown_by_another(self, rng: np.random.Generator, source: np.ndarray) -> np.ndarray:
        """Draw for each row an image of an unrelated person who shows its expression, pose and gaze."""
        return pick(rng, self.by_key, self.key[source], lambda at, row: self.unrelated(source[at], row))

    def crosses(self, rng: np.random.Generator, source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw (target, truth): any image of an unrelated person, and their picture of the source's key, or -1."""
        nobody = np.zeros(len(source), dtype=np.int64)  # everyone is one group
        target = pick(rng, self.everyone, nobody, lambda at, row: self.unrelated(source[at], row))
        wanted = self.subject[target] * self._keys + self.key[source]
        first, end = (np.searchsorted(self._codes, wanted, side) for side in ("left", "right"))
        place = first + (rng.random(len(source)) * (end - first)).astype(np.int64)
        found = (end > first) & (self.key[source] >= 0)
        return target, np.where(found, self._by_code[np.where(found, place, 0)], -1)

    def _has_unrelated(self, groups: Groups, labels: np.ndarray) -> np.ndarray:
        """Return (N,) bool: the label's group has a row of somebody unrelated to this row's person."""
        people = np.array([len(np.unique(self.subject[groups[i]])) for i in range(len(groups.count))], dtype=np.int64)
        offered = np.append(people, 0)[labels]  # label -1 has none
        # More people than relatives settles nearly every row; the few others are looked at one by one.
        answer = offered > np.append(self.relatives.most(), 0)[self.subject]
        answer &= self.known
        for row in np.flatnonzero(~answer & self.known & (offered > 0)).tolist():
            others = groups[int(labels[row])]
            answer[row] = self.unrelated(np.full(len(others), row), others).any()
        return answer
