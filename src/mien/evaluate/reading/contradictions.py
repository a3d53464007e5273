"""Do the word and the units that are read in a face contradict each other?"""

from __future__ import annotations

import numpy as np

from mien.evaluate.evaluators.base import Reading
from mien.labels import AUS, CLASSES, MAIN_UNITS

SURE = 0.5  # probability from which a word is said
ABSENT = 0.5  # intensity below which a main unit is not there
MOVED = 2.0  # intensity of a unit from which no face is neutral


def contradicted(reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) bool each: pictures whose word and units contradict each other, and those of which both are known.

    A word without any of its main units, or neutral with a unit that moved. A reader that gives no probabilities is
    taken to be sure. Raises ValueError for a reading without classes or units.
    """
    if reading.classes is None or reading.aus is None:
        raise ValueError("contradictions need classes and action units")
    word, units = reading.classes, reading.aus
    sure = np.ones(len(word), bool)
    if reading.probabilities is not None:
        sure = np.nan_to_num(reading.probabilities).max(1) >= SURE
    against, judged = np.zeros(len(word), bool), np.zeros(len(word), bool)
    for name, main in MAIN_UNITS.items():
        said, theirs = word == CLASSES.index(name), units[:, [AUS.index(unit) for unit in main]]
        known = ~np.isnan(theirs).any(1)
        judged |= said & known
        against |= said & known & sure & (theirs < ABSENT).all(1)
    calm = (word == CLASSES.index("neutral")) & ~np.isnan(units).all(1)
    judged |= calm
    against |= calm & sure & (units >= MOVED).any(1)
    return against, judged
