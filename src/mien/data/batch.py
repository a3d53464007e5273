"""What one training step sees: faces with their labels, in pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from mien.labels import CLASSES


@dataclass(frozen=True)
class Faces:
    """Aligned faces and their labels; a missing label is -1 (subject, expression) or NaN (all others)."""

    image: Tensor  # (B, 3, H, W) float RGB in [-1, 1]
    subject: Tensor  # (B,) int64, dense 0..subjects-1 in the training set
    expression: Tensor  # (B,) int64 index into mien.labels.EXPRESSIONS
    intensity: Tensor  # (B,) float in [0, 1]
    aus: Tensor  # (B, 21) float in [0, 5], order of mien.labels.AUS, the larger side
    left: Tensor  # (B, 21) float in [0, 5], of the person's own left side
    right: Tensor  # (B, 21)
    yaw: Tensor  # (B,) float degrees, of the head as pictured
    pitch: Tensor  # (B,)
    gaze_x: Tensor  # (B,) float degrees, > 0: towards the right of the picture
    gaze_y: Tensor  # (B,) > 0: up
    points: Tensor  # (B, 68, 2) float, x, y of the landmarks in shares of the side

    def __len__(self) -> int:
        return len(self.subject)

    @property
    def label(self) -> Tensor:
        """(B,) int64 index into mien.labels.CLASSES; -100 for what is no class (unknown, other), as losses skip it."""
        known = (self.expression >= 0) & (self.expression < len(CLASSES))
        return torch.where(known, self.expression, -100)

    def map(self, change: Callable[[Tensor], Tensor]) -> Faces:
        """Return these faces with `change` done to every tensor."""
        return Faces(*(change(getattr(self, f.name)) for f in fields(self)))


@dataclass(frozen=True)
class Motion:
    """How one picture's pixels come out of another's, on a grid of a quarter of their side."""

    flow: Tensor  # (B, 2, G, G) x, y in shares of the side: truth(p) = target(p + flow(p))
    mouth: Tensor  # (B, 1, G, G) in [0, 1]: share of the cell in which the truth shows the inside of the mouth
    known: Tensor  # (B, 1, G, G) in [0, 1]: whether the flow is known there
    teeth: Tensor | None = None
    """(B, 3, 2G, 2G) in the window of the mouth, at the pictures' own resolution: whether the truth shows a tooth, 0 or
    1, and angle and height on the dental arch; NaN outside open mouths, and where nothing is known."""

    def map(self, change: Callable[[Tensor], Tensor]) -> Motion:
        """Return this motion with `change` done to every tensor."""
        teeth = None if self.teeth is None else change(self.teeth)
        return Motion(change(self.flow), change(self.mouth), change(self.known), teeth)


@dataclass(frozen=True)
class Batch:
    """Pairs of faces: `source` gives the expression, `target` the identity.

    `truth` is the real picture of the target's person showing the source's expression; NaN where there is none.
    `alike` marks pairs of two people who show the same expression: there the target is the truth.
    """

    source: Faces
    target: Faces
    truth: Tensor  # (B, 3, H, W) float RGB in [-1, 1], or NaN
    alike: Tensor  # (B,) bool
    motion: Motion | None = None  # from target to truth, for recipes that ask for it

    def __len__(self) -> int:
        return len(self.source)

    @property
    def same(self) -> Tensor:
        """(B,) bool: source and target show one person."""
        return self.source.subject == self.target.subject

    def part(self, k: int, parts: int) -> Batch:
        """Return the k-th of so many parts of equal length, without copying."""
        length = len(self) // parts
        here = slice(k * length, (k + 1) * length)

        def cut(x: Tensor) -> Tensor:
            return x[here]

        motion = None if self.motion is None else self.motion.map(cut)
        return Batch(self.source.map(cut), self.target.map(cut), self.truth[here], self.alike[here], motion)

    def both(self) -> Faces:
        """Return all faces as one batch (2B): the targets, then the sources."""
        names = [f.name for f in fields(Faces)]
        return Faces(*(torch.cat([getattr(self.target, name), getattr(self.source, name)]) for name in names))

    def to(self, device: torch.device | str) -> Batch:
        """Return this batch on `device`, images in channels_last memory order."""

        def move(x: Tensor) -> Tensor:
            form = torch.channels_last if x.ndim == 4 else torch.preserve_format
            return x.to(device, non_blocking=True, memory_format=form)

        motion = None if self.motion is None else self.motion.map(move)
        return Batch(self.source.map(move), self.target.map(move), move(self.truth), move(self.alike), motion)


def partners(x: Tensor) -> Tensor:
    """Return for every face of a pair what belongs to its partner: (2B, …) with its halves exchanged."""
    return x.roll(len(x) // 2, 0)
