"""Batches of which a fixed share comes from each of several samplers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch

from mien.data.batch import Batch, Faces
from mien.data.sampling.sampler import Sampler


@dataclass(frozen=True)
class MixedSampler:
    """Puts the parts' batches of a step behind one another, without motion; their people may share numbers.

    So a small set is seen as often, a step, beside a large one as beside a small one.
    """

    parts: Sequence[Sampler]

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, as long as all the parts' together."""
        found = [part.batch(step) for part in self.parts]
        return Batch(
            _joined([b.source for b in found]),
            _joined([b.target for b in found]),
            torch.cat([b.truth for b in found]),
            torch.cat([b.alike for b in found]),
        )


def _joined(parts: Sequence[Faces]) -> Faces:
    return Faces(*(torch.cat([getattr(part, f.name) for part in parts]) for f in fields(Faces)))
