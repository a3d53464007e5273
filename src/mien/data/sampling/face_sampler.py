"""Single faces for a reader: every batch a pure function of the seed and the step, so a run resumes exactly."""

from __future__ import annotations

import numpy as np
import torch

from mien.data.batch import Batch
from mien.data.dataset import Data
from mien.data.sampling.collate import faces
from mien.data.words import named
from mien.errors import InputError
from mien.labels import CLASSES
from mien.nn.images import to_tensor

PHOTOGRAPH = "real"  # of the column `kind`


class FaceSampler:
    """Draws faces by shares: `photographs` of all (rows of kind "real", evenly among their words); of the others
    `neutral`, `unnamed` (with units and without a word), and the expressions evenly. A batch's pairs are two faces that
    have nothing to do with each other.

    Raises InputError where no face has a word or units.
    """

    def __init__(
        self,
        data: Data,
        batch_size: int,
        seed: int,
        neutral: float = 0.25,
        unnamed: float = 0.3,
        photographs: float = 0.15,
    ):
        self.data, self.batch_size, self.seed = data, batch_size, seed
        self.neutral, self.unnamed, self.photographs = neutral, unnamed, photographs
        m = data.manifest
        word = named(m.expression, m.left, m.right)
        read = (word >= 0) | ~np.isnan(m.aus).all(axis=1)
        photograph = m.kind == PHOTOGRAPH
        self._groups = {
            (real, w): rows
            for real in (False, True)
            for w in range(-1, len(CLASSES))
            if len(rows := np.flatnonzero(read & (photograph == real) & (word == w)))
        }
        if not self._groups:
            raise InputError(f"{m.folder}: no image has an expression or action units; expected either to read from")

    def batch(self, step: int) -> Batch:
        """Return the faces of a step >= 0; the same (data, settings, seed, step) give the same bits."""
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, step]))
        rows = np.array([self._row(rng) for _ in range(2 * self.batch_size)])
        mirrored = rng.random(len(rows)) < 0.5
        images = np.where(mirrored[:, None, None, None], self.data.images[rows][:, :, ::-1], self.data.images[rows])
        half = self.batch_size
        a, b = (faces(self.data, rows[k], images[k], mirrored[k]) for k in (slice(half), slice(half, None)))
        truth = torch.full_like(to_tensor(images[:half]), torch.nan)
        return Batch(a, b, truth, torch.zeros(half, dtype=torch.bool))

    def _row(self, rng: np.random.Generator) -> int:
        """Draw a kind of picture, then a word, then one of its rows."""
        kinds = sorted({real for real, _ in self._groups})
        real = kinds[-1] if len(kinds) == 1 else bool(rng.random() < self.photographs)
        words = [w for kind, w in self._groups if kind == real]
        chance = np.array([self._share(w, real) for w in words])
        return int(rng.choice(self._groups[real, int(rng.choice(words, p=chance / chance.sum()))]))

    def _share(self, word: int, real: bool) -> float:
        if real:
            return 1.0
        rest = (1 - self.unnamed - self.neutral) / (len(CLASSES) - 1)
        return {-1: self.unnamed, 0: self.neutral}.get(word, rest)
