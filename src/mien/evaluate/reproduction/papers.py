"""All experiments by paper, and how one is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from mien.errors import InputError
from mien.evaluate.reproduction import eet, expr_gan, jesrl, rel_gan, ter_gan
from mien.evaluate.reproduction.experiment import KINDS, Experiment

PAPERS: dict[str, tuple[Experiment, ...]] = {
    "ter_gan": ter_gan.EXPERIMENTS,
    "rel_gan": rel_gan.EXPERIMENTS,
    "expr_gan": expr_gan.EXPERIMENTS,
    "jesrl": jesrl.EXPERIMENTS,
    "eet": eet.EXPERIMENTS,
}

NUMERALS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
ROMAN = {name: str(k) for k, name in enumerate(NUMERALS, 1)}


def experiments_of(paper: str, asked: Sequence[tuple[str, str]] = ()) -> list[Experiment]:
    """Return a paper's experiments: all, or those asked for, as ("table", "2"), in arabic figures or Roman ones.

    Raises InputError for another paper, or a table or figure that it does not have.
    """
    if paper not in PAPERS:
        raise InputError(f"{paper}: no paper of that name; choose one of {', '.join(PAPERS)}")
    if not asked:
        return list(PAPERS[paper])
    found = []
    for kind, number in asked:
        plain = ROMAN.get(number.lower(), number.lower())
        of_kind = [e for e in PAPERS[paper] if e.kind == kind]
        matching = [e for e in of_kind if e.number == plain]
        if kind not in KINDS or not matching:
            there = ", ".join(e.number for e in of_kind) or "none"
            raise InputError(f"--{kind} {number}: {paper} has no such {kind}; it has {there}")
        found += matching
    return found
