"""Landmarks: the 68 points of a face in a crop, for alignment; no paper's. Learnt from exactly known points."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from mien.data.batch import Batch
from mien.labels import CORNERS, POINTS
from mien.models.contract import Family
from mien.models.landmarks.config import PRESETS, LandmarksConfig
from mien.models.recipe import Adam, Sampling, Stage, Turn, rotations
from mien.nn.blocks import halvings
from mien.nn.degrade import relight, worsen
from mien.nn.losses import mean_dtype
from mien.nn.trunk import Trunk


def point_loss(found: Tensor, true: Tensor) -> Tensor:
    """Return the mean distance of found and true points (B, P, 2), over those that are known; 0 if none are."""
    known = ~true.isnan().any(2)
    off = torch.where(known[..., None], found.to(mean_dtype(found)) - torch.nan_to_num(true), 0)
    return ((off.square().sum(2) + 1e-8).sqrt() * known).sum() / known.sum().clamp(min=1)


def eye_centres(points: Tensor) -> Tensor:
    """Return the eye centres (B, 2, 2) of landmarks (B, 68, 2): by them a crop is aligned."""
    return points[:, torch.tensor(CORNERS, device=points.device)].mean(2)


GAPS = ((37, 41), (38, 40), (43, 47), (44, 46), (61, 67), (62, 66), (63, 65))
"""Which landmarks face each other across an eye or the lips, the upper first."""


def gaps(points: Tensor) -> Tensor:
    """Return the ways (B, 7, 2) across eyes and lips of landmarks (B, 68, 2): how far each is open."""
    upper, lower = (points[:, torch.tensor(side, device=points.device)] for side in zip(*GAPS, strict=True))
    return lower - upper


class Landmarks(Family):
    """A trunk of five halvings and one linear layer that keeps where everything is."""

    paper = ""
    Config = LandmarksConfig
    PRESETS = PRESETS
    deployed = ("trunk", "points")

    def __init__(self, config: LandmarksConfig):
        super().__init__(config)
        widths = [config.width * k for k in (1, 2, 4, 6, 8)]
        left = halvings(config.image_size, len(widths))[-1]
        self.trunk = Trunk(widths)
        self.points = nn.Sequential(
            nn.Flatten(), nn.Linear(widths[-1] * left**2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 2 * POINTS)
        )

    def stages(self) -> tuple[Stage, ...]:
        """Return one supervised stage."""
        c = self.config
        turn = Turn("find", self.deployed, {"point": 100.0, "eyes": 50.0, "gaps": 100.0}, Adam(c.lr, (0.9, 0.99)))
        return (Stage("supervised", c.steps, (turn,), decay=0.6),)

    def sampling(self) -> Sampling:
        """Pairs are only two faces here, moved, turned and scaled as far as a detector is off."""
        c = self.config
        augmented = Sampling(1.0, margin=c.margin, rotations=rotations(c.turn, 4), colour=c.colour, scale=c.scale)
        return replace(augmented, motion=True, anywhere=True)

    def losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the mean distance from the true points, in shares of the side, over both faces of the pairs.

        Those of an eye's centre and of what is open between lids and lips count by themselves: by the one a face is
        aligned, by the other eyes are read as shut, and both are small beside where a face is.
        """
        faces = batch.both()
        found, true = self.find_points(worsen(relight(faces.image)[0])), faces.points
        parts = {"point": lambda points: points, "eyes": eye_centres, "gaps": gaps}
        return {name: point_loss(part(found), part(true)) for name, part in parts.items()}

    def find_points(self, face: Tensor) -> Tensor:
        """Return the landmarks (B, 68, 2) of faces (B, 3, S, S) in [-1, 1]: x, y in shares of the side."""
        return self.points(self.trunk(face)).float().unflatten(1, (POINTS, 2)) + 0.5
