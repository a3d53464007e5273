"""Lips that close are drawn over what is left of teeth between them; teeth that are seen and stay so are not painted.

No flow fetches lips from where teeth are seen: a sliver of teeth stays, squeezed. Lips have the colours that they have
around. And nobody's own teeth are those of the dentition. A jaw that drops leaves upper teeth where they are, while a
flow takes their lower rims along with the lip: they were seen twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mien.nn.resample import max_around, mean_around, mean_of
from mien.nn.tint import Tint

NEAR, FAR = 0.03, 0.065  # of the window's side, from the line where lips meet: teeth may be left so far; lips are
DEEP = 0.1  # of the window's side: upper teeth that a falling lower lip takes along are left so far from the rest
DARK = 12.0  # of brightness in 0-1: what is darker counts for more of what is seen beneath them
SPREAD = 0.05  # of the window's side, twice: as far as lips are looked for
BRIGHT = 1.25  # of the lips' brightness: teeth
PALE = 0.5  # by what share of the face's colour teeth are less red, where they are no darker
LINE = 0.4  # of log brightness: how dark the line is
OPENED, CLOSED = 0.15, 0.35  # of AU25 and 26 in 0-1: by such a fall nothing is drawn, and all
LEFT = 0.2  # of the higher of them: a mouth that is left so open is not closed
SEEN, SURE = 0.2, 0.4  # of AU25: by so much teeth are not seen yet, and are
STILL, JAW = 0.1, 0.3  # of AU26: a change by which they stay where they are, and do not, as the jaw drops


@dataclass(frozen=True)
class Parting:
    """What becomes of lips and of the teeth between them, each (B,) in 0-1."""

    closes: Tensor  # lips meet
    stays: Tensor  # teeth that are seen stay in sight, where they are
    drops: Tensor  # the jaw drops under teeth that are seen


def parting(asked: Tensor, change: Tensor) -> Parting:
    """Return it of the units that part lips (B, 2), asked in 0-1, and their changes."""
    return Parting(closing(asked, change), staying(asked, change), dropping(asked, change))


def closing(asked: Tensor, change: Tensor) -> Tensor:
    """Return how far lips close, (B,) in 0-1, of the units that part them (B, 2), asked in 0-1, and their changes."""
    falls = ((-change.sum(1) - OPENED) / (CLOSED - OPENED)).clamp(0, 1)
    return falls * (1 - asked.amax(1) / LEFT).clamp(0, 1)


def staying(asked: Tensor, change: Tensor) -> Tensor:
    """Return how far teeth that a face shows stay in sight, (B,) in 0-1, of the same (B, 2)."""
    shown = ((asked - change)[:, 0] - SEEN) / (SURE - SEEN)
    return shown.clamp(0, 1) * ((JAW - change[:, 1].abs()) / (JAW - STILL)).clamp(0, 1)


def dropping(asked: Tensor, change: Tensor) -> Tensor:
    """Return how far a jaw drops under teeth that a face shows, (B,) in 0-1, of the same (B, 2)."""
    shown = ((asked - change)[:, 0] - SEEN) / (SURE - SEEN)
    return shown.clamp(0, 1) * ((change[:, 1] - STILL) / (JAW - STILL)).clamp(0, 1)


def lips(
    parting: Parting, covered: Tensor, brightness: Tensor, redness: Tensor, pixels: Tensor, tint: Tint
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return what covers, its brightness (B, 1, w, w) and redness (B, 3, w, w), and which of it are no teeth's place.

    The three (B, 1, w, w) are what the net would paint: along the line where the lips meet. `pixels` (B, 3, w, w) in
    [-1, 1] are the window's, moved already.
    """
    line = (3 * covered).clamp(max=1)
    within, around = (wider(line, round(share * line.shape[-1])) for share in (NEAR, FAR))
    light = ((pixels.float() + 1) / 2).clamp(min=0.01)
    bright = light.mean(1, keepdim=True)
    ring = (around - within).clamp(min=0)
    mean = mean_of(bright, ring)
    counts = ring * ((1.1 - bright / mean.clamp(min=0.01)) / 0.05).sigmoid() + 1e-6  # no teeth, no highlights
    reach = round(SPREAD * line.shape[-1])
    spread = mean_around(mean_around(torch.cat([counts, counts * light], 1), reach), reach)
    near, lip = spread.split([1, 3], 1)
    lip = lip / near
    grey = lip.mean(1, keepdim=True)
    pale = (tint.along(lip / grey - light / bright) - PALE) / 0.1
    over = bright / grey
    paler = tint.variety * pale.sigmoid() * ((over - 1) / 0.05).sigmoid()
    teeth = torch.maximum(((over - BRIGHT) / 0.05).sigmoid(), paler)
    closes, stays, drops = (x.view(-1, 1, 1, 1) for x in (parting.closes, parting.stays, parting.drops))
    teeth = max_around(teeth, 1)  # with their rims
    covered = covered * (1 - stays * (1 - closes) * mean_around(teeth, 1))
    torn = drops * torn_teeth(line, teeth)
    dark = covered * (-DARK * brightness).exp()
    brightness, redness = (torch.lerp(x, mean_of(x, dark), torn) for x in (brightness, redness))
    covered = torch.maximum(covered, torn)
    cover = mean_around(torch.maximum(within * teeth, covered), 1)
    own = tint.redness(lip, grey)
    return (
        torch.lerp(covered, cover, closes),
        torch.lerp(brightness, grey * (-LINE * covered).exp(), closes),
        torch.lerp(redness.expand_as(own), own, closes),
        torn,
    )


def torn_teeth(line: Tensor, teeth: Tensor) -> Tensor:
    """Return (B, 1, w, w) in 0-1 which teeth a falling lip takes along: those that what is covered reaches downwards.

    A highlight on the lip below, which has the look of a tooth, is not reached.
    """
    reached = line
    for _ in range(round(DEEP * line.shape[-1])):
        reached = torch.maximum(reached, teeth * max_around(reached, 1))
    rows = (torch.arange(line.shape[-1], device=line.device) + 0.5).view(1, 1, -1, 1) / line.shape[-1]
    below = ((rows - mean_of(rows.expand_as(line), line)) / 0.02).sigmoid()
    return mean_around(max_around(below * reached, 1), 1)


def wider(line: Tensor, by: int) -> Tensor:
    """Return a line (B, 1, w, w) in 0-1, wider by so many pixels on all sides, and soft."""
    return mean_around(max_around(line, by), 1)
