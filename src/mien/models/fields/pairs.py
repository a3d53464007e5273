"""What a training pair is made into."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mien.data.batch import Batch, Motion
from mien.labels import AUS
from mien.models.fields.code import shrunk
from mien.models.fields.lids import shutting
from mien.models.reader.code import UNITS, code_of
from mien.nn.degrade import relight, toned

STILL = 0.08  # share of the training pairs in which nothing is to change
DOUBT = 0.12  # the most by which action units read from a picture are off, about


@dataclass(frozen=True)
class Pair:
    """Faces, what is to become of them, and how: one person in two expressions a row."""

    face: Tensor  # (B, 3, S, S), x
    truth: Tensor  # (B, 3, S, S), y
    shown: Tensor  # (B, 46) code of the face
    wanted: Tensor  # (B, 46) code of the truth, NaN where unknown, or where no change is asked for
    motion: Motion  # from face to truth

    def shutting(self) -> Tensor:
        """Return how far lids are to be drawn, (B,) in 0-1, of the side that goes further down."""
        change = (self.wanted - self.shown)[:, : 2 * UNITS].nan_to_num(0).unflatten(1, (2, UNITS))
        return shutting(change[:, :, AUS.index(43)].amax(1))


def prepared(batch: Batch) -> Pair:
    """Return the pairs to learn moving from: those of known motion, in other light, some of them made still."""
    pair = moving(batch)
    face, truth = toned(*relight(pair.face, pair.truth))
    return stilled(replace(pair, face=face, truth=truth))


def moving(batch: Batch) -> Pair:
    """Return the pairs whose motion is known.

    If none is, all of them, which teach flow and shade nothing: no pair at all would have no gradient.

    Raises ValueError for a batch without any motion.
    """
    motion = batch.motion
    if motion is None:
        raise ValueError("fields learn from motion; give the sampler a geometry")
    seen = motion.known.flatten(1).amax(1) > 0
    seen = seen if seen.any() else torch.ones_like(seen)
    return Pair(
        batch.target.image[seen],
        batch.truth[seen],
        code_of(batch.target)[seen],
        code_of(batch.source)[seen],
        motion.map(lambda x: x[seen]),
    )


def stilled(pair: Pair) -> Pair:
    """Return pairs of which a share STILL, drawn anew, is made one of no change: the face is its own truth.

    So that what is not asked for is learnt to be left alone, in faces that show something too.
    """
    still = torch.rand(len(pair.face), device=pair.face.device) < STILL
    at, motion = still[:, None, None, None], pair.motion
    return replace(
        pair,
        truth=torch.where(at, pair.face, pair.truth),
        wanted=torch.where(still[:, None], torch.nan, pair.wanted),
        motion=Motion(
            motion.flow.where(~at, 0),
            motion.mouth.where(~at, 0),
            motion.known.where(~at, 1),
            None if motion.teeth is None else motion.teeth.where(~at, torch.nan),
        ),
    )


def noisy_codes(shown: Tensor, wanted: Tensor, read: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return what the mover is given in training, twice (B, 46): the code a face seems to show, and the one asked for.

    Action units seem as shown, or as `read`, but off by noise of a deviation drawn for each face, up to DOUBT, and
    shrunk. When an edit leaves a unit out, what is asked of it is what it seems to be, misread or not, and nothing must
    happen to it. So that this is learnt, it is asked of every number that is unknown, and of half (drawn anew) of those
    in which face and truth agree; the other half ask for the true value, as an edit that names the unit does.
    Head and gaze are given as they are: a label counts them from the person's frontal picture, which nobody can read in
    another one.
    """
    units, known = slice(2 * UNITS), shown.clone()
    noise = DOUBT * torch.rand_like(known[:, :1]) * torch.randn_like(known[:, units])
    known[:, units] = (shown if read is None else read)[:, units] + noise
    known = shrunk(torch.where(known.isnan(), 0, known))
    alone = wanted.isnan() | (wanted == shown) & (torch.rand_like(wanted) < 0.5)
    return known, torch.where(alone, known, wanted)
