"""FACS codes in the forms in which corpora write them, as manifest columns."""

from __future__ import annotations

from mien.labels import ALIASES, AUS, au_name

LETTERS = {letter: value for value, letter in enumerate("ABCDE", 1)}  # trace … maximum


def au_cells(codes: dict[int, float | None], complete: bool = True) -> dict[str, str | float]:
    """Return cells AU01… of intensities 0–5 by action unit; None stands for present, its intensity not coded.

    A unit that is another's alias, as the blink, is written there unless the other has a level of its own. Units that
    the manifest has no column for are left out. The others are 0 where all that was seen is named (`complete`), else
    unknown.
    """
    cells: dict[str, str | float] = {au_name(au): 0.0 for au in AUS} if complete else {}
    given = {ALIASES[au]: level for au, level in codes.items() if au in ALIASES} | dict(codes)
    for au, level in given.items():
        if au in AUS:
            cells[au_name(au)] = "" if level is None else min(max(level, 0.0), 5.0)
    return cells


def read_pairs(text: str) -> dict[int, float | None]:
    """Return intensities by action unit from lines "12  3" or "12 C"; 0 there means present, intensity not coded.

    Sides written before the number (L12, R12) are joined, the stronger counts. Raises ValueError where a line is
    neither.
    """
    codes: dict[int, float | None] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        unit, _, level = line.replace(",", " ").strip().partition(" ")
        au = int(float(unit.lstrip("LRlr")))
        level = level.strip().upper()
        value = float(LETTERS[level]) if level in LETTERS else float(level or 0)
        if not 0 <= value <= 5:
            raise ValueError(f"intensity {value}")
        known = codes.get(au) or 0.0
        codes[au] = max(known, value) or None
    return codes
