"""The ways in which each expression is shown, in two halves: who is tested on one half was trained on the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.data.manifest import Manifest
from mien.errors import InputError
from mien.labels import EXPRESSIONS

NEUTRAL = EXPRESSIONS.index("neutral")


@dataclass(frozen=True, eq=False)
class Variants:
    """Two halves of the `expr_id` of each class, and the rows that show them."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    train_rows: np.ndarray  # (N,) bool
    test_rows: np.ndarray


def halved(manifest: Manifest, seed: int) -> Variants:
    """Deal each class's variants, its values of `expr_id`, into two halves; of an odd number, training has one more.

    Neutral faces, which have no variants, are on both sides; a picture without an `expr_id`, of which nobody knows what
    it shows, is on neither. Raises InputError where a class has fewer than two.
    """
    m, rng = manifest, np.random.default_rng(seed)
    sides: tuple[list[str], list[str]] = ([], [])
    for number in np.unique(m.expression[(m.expression >= 0) & (m.expression != NEUTRAL)]).tolist():
        known = np.unique(m.expr_id[(m.expression == number) & (m.expr_id != "")])
        if len(known) < 2:
            raise InputError(
                f"{m.folder}: column expr_id gives {EXPRESSIONS[number]} {len(known) or 'no'} variant"
                f"{'' if len(known) == 1 else 's'}; --split variants needs two or more, or take --split people"
            )
        dealt = rng.permutation(known)
        middle = (len(dealt) + 1) // 2
        sides[0].extend(sorted(dealt[:middle].tolist()))
        sides[1].extend(sorted(dealt[middle:].tolist()))
    calm = m.expression == NEUTRAL
    if both := set(sides[0]) & set(sides[1]):
        raise InputError(f"{m.folder}: expr_id {sorted(both)[0]} stands for two expressions; give each its own")
    return Variants(
        tuple(sides[0]), tuple(sides[1]), calm | np.isin(m.expr_id, sides[0]), calm | np.isin(m.expr_id, sides[1])
    )
