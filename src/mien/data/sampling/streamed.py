"""Batches from shards that no memory holds: some of them at a time, in an order that is drawn anew each epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mien.data.batch import Batch
from mien.data.dataset import Data, Images
from mien.data.sampling.sampler import Sampler
from mien.data.shards import Shards

HELD = 8  # shards that are held, decoded


class StreamedSampler:
    """Draws batches from a window of shards that moves on: each is read once an epoch, from beginning to end.

    `sampler_of` makes the sampler of a window's data, whose people have the numbers that they have in all. A window
    gives as many batches as its newest shard has pictures for; `whole`, its pictures once an epoch, about. Every batch
    is a function of seed and step alone, so a run resumes exactly.
    """

    def __init__(
        self, shards: Shards, size: int, batch_size: int, seed: int, sampler_of: Callable[[Data], Sampler],
        held: int = HELD,
    ):  # fmt: skip
        self.shards, self.size, self.seed, self.sampler_of = shards, size, seed, sampler_of
        self.used = [k for k in range(len(shards.files)) if len(shards.places(k))]
        self.held = min(held, len(self.used))
        self.steps = max(1, round(len(shards) / len(self.used) / batch_size))  # of a window
        self._pictures: dict[int, np.ndarray] = {}
        self._window: tuple[int, Sampler] | None = None

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, the same whenever it is asked for."""
        return self.sampler_at(step // self.steps).batch(step)

    def sampler_at(self, window: int) -> Sampler:
        """Return the sampler of a window."""
        if self._window is None or self._window[0] != window:
            self._window = window, self.sampler_of(self.data(self.names(window)))
        return self._window[1]

    def names(self, window: int) -> list[int]:
        """Return which shards a window holds: the next one of an endless row of permutations, and those before it."""
        places = range(window, window + self.held)
        found = [self._permutation(k // len(self.used))[k % len(self.used)] for k in places]
        return sorted(set(found))

    def data(self, names: list[int]) -> Data:
        """Return shards as a data set; their pictures are read, unless they are held already."""
        self._pictures = {k: self._pictures[k] for k in names if k in self._pictures}
        for k in names:
            if k not in self._pictures:
                self._pictures[k] = self.shards.images(k, self.size)
        rows = np.concatenate([self.shards.places(k) for k in names])
        blocks = tuple(self._pictures[k] for k in names)
        block = np.repeat(np.arange(len(names)), [len(images) for images in blocks])
        row = np.concatenate([np.arange(len(images)) for images in blocks])
        return Data(self.shards.manifest.select(rows, renumber=False), Images(blocks, block, row))

    def _permutation(self, epoch: int) -> list[int]:
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, epoch, 2]))
        return [self.used[k] for k in rng.permutation(len(self.used)).tolist()]
