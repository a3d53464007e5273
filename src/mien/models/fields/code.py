"""What becomes of a face's code (`reader/code.py`) on the way to an edit: Eq. 3, 4 and 16."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.controls import Controls
from mien.labels import AUS
from mien.models.reader.code import ANGLE, UNITS

REST = 0.1  # ρ of Eq. 3: half a level of five
MISREAD = 0.3  # of Eq. 16
TAU = 0.05  # Eq. 4


def asked_code(known: Tensor, controls: Controls, example: Tensor | None = None) -> Tensor:
    """Return the code (B, 46) that an edit of faces that show `known` (B, 46) asks for.

    Angles are changes of those shown. `example` (1 or B, 46) is the code of `controls.like`, if another face is asked
    for. What `controls` do not name stays as `known`.
    """
    code = known.clone()
    if example is not None:
        taken = [_place(au, side) for au, side in controls.places()]
        code[:, taken] = controls.intensity * example[:, taken]
    asked = {_place(au, side): value for au, side, value in controls.units()}
    code[:, list(asked)] = known.new_tensor(list(asked.values()))
    for side in "LR":  # one muscle raises the lid (5), and lets it fall (43): what is asked to shut is not raised
        shut = (code - known)[:, _place(43, side)].clamp(0, 1)
        code[:, _place(5, side)] *= 1 - shut
    if controls.turned is not None:
        code[:, -4:-2] += known.new_tensor(controls.turned) / ANGLE
    if controls.eyes is not None:
        code[:, -2:] += known.new_tensor(controls.eyes) / ANGLE
    return code


def _place(au: int, side: str) -> int:
    return AUS.index(au) + UNITS * (side == "R")


def shrunk(code: Tensor) -> Tensor:
    """Eq. 3: û = ĉ - ρ² / ĉ where ĉ > ρ, else 0, of action units; angles stay (B, 46).

    The non-negative garrote (Breiman 1995): most units are at rest in most faces, and a little of each, misread, would
    be taken back from a face that does not show it.
    """
    return torch.cat([garrote(code[:, : 2 * UNITS].clamp(min=0), REST), code[:, 2 * UNITS :]], 1)


def garrote(x: Tensor, least: float) -> Tensor:
    """Return x - least² / x where |x| > least, else 0."""
    return torch.where(x.abs() > least, x - least**2 / x.abs().clamp(min=least) * x.sign(), 0)


def gate(change: Tensor) -> Tensor:
    """Eq. 4: g = 1 - exp(-|c' - û|² / τ²), (B, 46) -> (B,): nothing asked, nothing done."""
    return 1 - torch.exp(-change.square().sum(1) / TAU**2)


def corrected(asked: Tensor, wanted: Tensor, reached: Tensor) -> Tensor:
    """Eq. 16: u' ← u' + r(u - E(y')) of the action units, held in 0-1.2: (B, 46) three times -> (B, 46).

    r is the garrote over MISREAD: a smaller shortfall is as likely the reader's error as the mover's. Lids (43)
    come down as far as they are asked to, whatever they are read as.
    """
    units = slice(2 * UNITS)
    short = garrote((wanted - reached)[:, units], MISREAD)
    short[:, [_place(43, side) for side in "LR"]] = 0
    return torch.cat([(asked[:, units] + short).clamp(0.0, 1.2), asked[:, 2 * UNITS :]], 1)
