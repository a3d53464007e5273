"""What a training pair is made into."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.data.batch import Batch, Motion
from mien.models.fields.code import UNITS, code_of, shrunk

STILL = 0.08  # share of the training pairs in which nothing is to change
DOUBT = 0.12  # the most by which action units read from a picture are off, about


def told(shown: Tensor, wanted: Tensor, read: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return what the mover is told in training, twice (B, 46): the code a face seems to show, and what is asked of it.

    Action units are as shown, or as `read`, off by noise of a deviation drawn for each face, up to DOUBT, and shrunk.
    Of those that stay as they are, half (drawn anew) are asked to be what they seem to be: they were not asked for.
    Head and gaze are told as they are: a label counts them from the person's frontal picture, which nobody can read in
    another one.
    """
    units, known = slice(2 * UNITS), shown.clone()
    noise = DOUBT * torch.rand_like(known[:, :1]) * torch.randn_like(known[:, units])
    known[:, units] = (shown if read is None else read)[:, units] + noise
    known = shrunk(torch.where(known.isnan(), 0, known))
    alone = wanted.isnan() | (wanted == shown) & (torch.rand_like(wanted) < 0.5)
    return known, torch.where(alone, known, wanted)


def moving(batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor, Motion]:
    """Return faces, truths, both codes and the motions of the pairs whose motion is known.

    If none is, all of them, which teach flow and shade nothing: no pair at all would have no gradient.

    Raises ValueError for a batch without any motion.
    """
    motion = batch.motion
    if motion is None:
        raise ValueError("fields learn from motion; give the sampler a geometry")
    seen = motion.known.flatten(1).amax(1) > 0
    seen = seen if seen.any() else torch.ones_like(seen)
    codes = code_of(batch.target)[seen], code_of(batch.source)[seen]
    chosen = Motion(motion.flow[seen], motion.mouth[seen], motion.known[seen])
    return batch.target.image[seen], batch.truth[seen], *codes, chosen


def stilled(face: Tensor, truth: Tensor, wanted: Tensor, motion: Motion) -> tuple[Tensor, Tensor, Motion]:
    """Return truths, codes and motions with a share STILL of the pairs, drawn anew, made ones of no change.

    So that what is not asked for is learnt to be left alone, in faces that show something too.
    """
    still = torch.rand(len(face), device=face.device) < STILL
    at = still[:, None, None, None]
    truth, wanted = torch.where(at, face, truth), torch.where(still[:, None], torch.nan, wanted)
    flow, mouth, known = motion.flow.where(~at, 0), motion.mouth.where(~at, 0), motion.known.where(~at, 1)
    return truth, wanted, Motion(flow, mouth, known)
