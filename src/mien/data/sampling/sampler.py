"""Pairs of faces for training: every batch a pure function of the seed and the step, so a run resumes exactly."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch

from mien.data.batch import Batch, Faces
from mien.data.dataset import Data
from mien.data.sampling.augment import Augmentation, Warp, apply
from mien.data.sampling.collate import faces
from mien.data.sampling.geometry import Geometry
from mien.data.sampling.pair_index import PairIndex
from mien.errors import InputError
from mien.nn.images import to_tensor


@dataclass(frozen=True, eq=False)
class Rows:
    """A batch before its images are read: row numbers into the data set."""

    source: np.ndarray  # (B,) int64
    target: np.ndarray  # (B,) int64
    truth: np.ndarray  # (B,) int64, -1 where there is none
    alike: np.ndarray  # (B,) bool: the target is the truth, of another person


class NoPairs(InputError):
    """The data have no pair of the kind that is asked for."""


class PairSampler:
    """Draws pairs: the source gives the expression, the target the identity, the truth is what should come out.

    Same-person pairs (a share `same` of the sources that can give both kinds; one that can give a single kind gives
    that, which `describe` counts): two images of one person with different expressions or intensities; the truth is
    the source itself. Other pairs: two people who are not related; the truth is a picture of the
    target's person showing the source's expression, pose and gaze, where there is one. With `need_truth` only pairs
    that have one are drawn, and the target's own expression differs from it. In a share `alike` of two people's
    pairs, as far as there are such, the target itself shows the source's expression, pose and gaze. Sources walk
    through a new permutation of all usable images each epoch. The truth is augmented as its target is; the source
    has an augmentation of its own (unless `independent` is False), but where there is a truth all three are
    mirrored together, since expressions are not symmetric. With `geometry`, a batch has the motion from target to
    truth. In a share `neutral` of same-person pairs, as far as there are such, the target is neutral.

    Raises NoPairs where no pair can be made, saying why, and InputError for senseless settings.
    """

    def __init__(
        self,
        data: Data,
        batch_size: int,
        seed: int,
        same: float = 0.5,
        need_truth: bool = False,
        augmentation: Augmentation | None = None,
        independent: bool = True,
        alike: float = 0.0,
        geometry: Geometry | None = None,
        neutral: float = 0.0,
    ):
        if batch_size < 1 or seed < 0 or not 0 <= same <= 1 or not 0 <= alike <= 1:
            raise InputError(
                f"batch_size {batch_size}, seed {seed}, same {same}, alike {alike}: "
                "expected at least 1, at least 0, from 0 to 1, from 0 to 1"
            )
        self.alike, self.geometry, self.neutral = alike, geometry, neutral
        self.data, self.batch_size, self.seed, self.same = data, batch_size, seed, same
        self.need_truth, self.augmentation, self.independent = need_truth, augmentation, independent
        self._index = PairIndex(data.manifest)
        crossed = self._index.can_triple if need_truth else self._index.can_cross
        self._can_same = self._index.can_same & (same > 0)
        self._can_cross = crossed & (same < 1)
        self._usable = np.flatnonzero(self._can_same | self._can_cross)
        self._order: tuple[int, np.ndarray] = (-1, self._usable)  # the last epoch's permutation, to save time
        if not len(self._usable):
            counts = ", ".join(f"{name} {count}" for name, count in self.describe().items())
            raise NoPairs(
                f"{data.manifest.folder}: no pairs can be made with same={same}, need_truth={need_truth} ({counts}); "
                "expected people with several expressions, or several people"
            )

    def describe(self) -> dict[str, int]:
        """Say how many images and subjects there are, and how many can be the source of which kind of pair."""
        index, subject = self._index, self.data.manifest.subject

        def count(name: str, mask: np.ndarray) -> dict[str, int]:
            return {f"images {name}": int(mask.sum()), f"subjects {name}": len(np.unique(subject[mask & index.known]))}

        people = len(self.data.manifest.subjects)
        triples = count("giving triples with another person", index.can_triple)
        return (
            {"images": len(subject), "subjects": people}
            | count("giving same-person pairs", index.can_same)
            | count("giving pairs of two people", index.can_cross)
            | triples
            | {"subjects giving no triple": people - triples["subjects giving triples with another person"]}
            | count("giving none of these", ~(index.can_same | index.can_cross))
            | {"images used as source": len(self._usable)}
        )

    def batch(self, step: int) -> Batch:
        """Return the pairs of a step >= 0; the same (data, settings, seed, step) give the same bits."""
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, step]))
        rows = self._rows(rng, step)
        paired = rows.truth >= 0
        target_warps = self._draw_warps(rng)
        source_warps = self._draw_warps(rng) if self.independent else target_warps
        source_warps = [
            replace(s, flip=t.flip) if p and s.flip != t.flip else s
            for s, t, p in zip(source_warps, target_warps, paired.tolist(), strict=True)
        ]
        truth = to_tensor(self._images(rows.truth, target_warps))
        # in the order in which it lies in memory, which is 20 times as fast
        truth.permute(0, 2, 3, 1)[torch.from_numpy(~paired)] = torch.nan
        return Batch(
            self._faces(rows.source, source_warps),
            self._faces(rows.target, target_warps),
            truth,
            torch.from_numpy(rows.alike),
            None if self.geometry is None else self.geometry.motion(rows.target, rows.truth, target_warps),
        )

    def rows(self, step: int) -> Rows:
        """Return which images a step's batch is made of, without reading them."""
        return self._rows(np.random.default_rng(np.random.SeedSequence([self.seed, step])), step)

    def _rows(self, rng: np.random.Generator, step: int) -> Rows:
        source = self._sources(step)
        wanted = rng.random(len(source)) < self.same
        can_same, can_cross = self._can_same[source], self._can_cross[source]
        same = np.where(can_same & can_cross, wanted, can_same)
        target, truth = np.empty_like(source), np.empty_like(source)
        target[same] = self._index.another_look(rng, source[same], self._index.subject[source[same]])
        if self.neutral:
            calm = same & self._index.can_calm[source] & (rng.random(len(source)) < self.neutral)
            target[calm] = self._index.neutral_look(rng, source[calm])
        truth[same] = source[same]
        crossed = self._index.triples if self.need_truth else self._index.crosses
        target[~same], truth[~same] = crossed(rng, source[~same])
        alike = ~same & self._index.can_triple[source] & (rng.random(len(source)) < self.alike)
        target[alike] = truth[alike] = self._index.shown_by_another(rng, source[alike])
        return Rows(source, target, truth, alike)

    def _sources(self, step: int) -> np.ndarray:
        """Return the step's part of an endless row of permutations of the usable images, (B,)."""
        place = step * self.batch_size + np.arange(self.batch_size)
        epochs = place // len(self._usable)
        source = np.empty(self.batch_size, dtype=np.int64)
        for epoch in np.unique(epochs).tolist():
            here = epochs == epoch
            source[here] = self._permutation(epoch)[place[here] % len(self._usable)]
        return source

    def _permutation(self, epoch: int) -> np.ndarray:
        known, order = self._order  # read and written whole: threads may share a sampler
        if known != epoch:
            # The third word keeps an epoch's stream apart from the step of the same number.
            rng = np.random.default_rng(np.random.SeedSequence([self.seed, epoch, 1]))
            order = rng.permutation(self._usable)
            self._order = (epoch, order)
        return order

    def _draw_warps(self, rng: np.random.Generator) -> list[Warp]:
        if self.augmentation is None:
            return [Warp()] * self.batch_size
        return [self.augmentation.draw(rng) for _ in range(self.batch_size)]

    def _faces(self, rows: np.ndarray, warps: list[Warp]) -> Faces:
        points = None if self.geometry is None else self.geometry.points(rows, warps)
        return faces(self.data, rows, self._images(rows, warps), [warp.flip for warp in warps], points)

    def _images(self, rows: np.ndarray, warps: list[Warp]) -> np.ndarray:
        """Return (B, S, S, 3) uint8, warped; rows of -1 stay black."""
        out = np.zeros((len(rows), *self.data.images.shape[1:]), dtype=np.uint8)
        out[rows >= 0] = self.data.images[rows[rows >= 0]]
        if self.augmentation is not None:
            for i in np.flatnonzero(rows >= 0).tolist():
                out[i] = apply(out[i], warps[i], self.data.size)
        return out


class Sampler(Protocol):
    """Anything that makes the batch of a step."""

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, the same whenever it is asked for."""
        ...


def prefetch(sampler: Sampler, start_step: int, depth: int = 2) -> Generator[Batch, None, None]:
    """Yield the batches of start_step, start_step + 1, … without end; a background thread makes them ahead of time.

    What the sampler raises for a step is raised here in its place. Closing the iterator ends the thread.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as pool:
        ahead: deque[Future[Batch]] = deque()
        step = start_step
        try:
            while True:
                while len(ahead) < max(1, depth):
                    ahead.append(pool.submit(sampler.batch, step))
                    step += 1
                yield ahead.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
