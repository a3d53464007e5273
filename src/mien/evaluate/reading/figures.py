"""Figures of what was read in pictures, against whatever their labels say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mien.data.manifest import Manifest
from mien.evaluate.evaluators.base import Reading
from mien.evaluate.reading.contradictions import contradicted
from mien.evaluate.reading.seen import some_of
from mien.evaluate.record import over_people, people_of
from mien.labels import AUS, CLASSES, DISFA_AUS, PRESENT, au_name
from mien.metrics.bootstrap import DRAWS, Interval
from mien.metrics.calibration import calibration_error, negative_log_likelihood, temperature, tempered
from mien.metrics.confusion import confusion, presence_f1, recalls
from mien.metrics.icc import agreements

SHUT, READ_SHUT, READ_OPEN = 3.0, 2.5, 0.5
"""AU43 from which an eye is shut; what it must be read as at least; and below what, where its label is 0."""

WINK = 3.0
"""By how much AU43 of both sides differs in a wink."""

FIFTHS = 5
"""Folds of people by which a temperature is learnt from some and used on the others."""

SMILE, NEUTRAL, EYES = AUS.index(12), CLASSES.index("neutral"), AUS.index(43)
DISFA = [AUS.index(unit) for unit in DISFA_AUS]

Statistics = Callable[[np.ndarray], dict[str, float]]
"""Rows' numbers, of which some come twice -> figures by name."""

Counts = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Figure -> what every picture adds to its numerator and to its denominator, (N,) each."""


@dataclass(frozen=True)
class Pictures:
    """Labels of N pictures, and what was read in them; `least` is the intensity from which a class counts."""

    manifest: Manifest
    reading: Reading
    least: float = 0.5

    def __len__(self) -> int:
        return len(self.manifest)

    def select(self, mask: np.ndarray) -> Pictures:
        """Return the pictures of a (N,) bool mask."""
        return Pictures(self.manifest.select(mask), some_of(self.reading, np.flatnonzero(mask)), self.least)

    @cached_property
    def people(self) -> np.ndarray:
        """Whose each picture is, (N,) names."""
        return people_of(self.manifest, np.arange(len(self)))

    @cached_property
    def named(self) -> np.ndarray:
        """(N,) bool: pictures that show a class strongly enough, or neutral, where classes were read at all."""
        read = self.reading.classes is not None
        return shows_class(self.manifest, self.least) if read else np.zeros(len(self), bool)

    @cached_property
    def calibrated(self) -> np.ndarray:
        """(N,) bool: those of them of which the reader says how likely each class is."""
        given = self.reading.probabilities
        return self.named & ~np.isnan(given).any(1) if given is not None else np.zeros(len(self), bool)


def shows_class(m: Manifest, least: float) -> np.ndarray:
    """Return (N,) bool: pictures that show a class at `least` intensity, or an unknown one, and all neutral ones."""
    shown = (m.expression >= 0) & (m.expression < len(CLASSES))
    return shown & (~(m.intensity < least) | (m.expression == NEUTRAL))


def all_figures(pictures: Pictures, draws: int = DRAWS) -> dict[str, Interval]:
    """Return every figure that labels and readings allow, with intervals over people.

    Shares and means are those of `picture_counts`. balanced: mean share named right over the classes shown. ece, nll:
    calibration error in 15 bins and likelihood of `calibrated` pictures; ece_tempered, nll_tempered: with a temperature
    that other people gave (`tempered_across`). icc, f1: ICC(3,1) of units, and F1 of those present (PRESENT), the mean
    over DISFA's twelve that vary, and of every unit, as icc_AU12.
    """
    parts = (
        ratios(picture_counts(pictures)), balanced_statistic(pictures), honesty_statistics(pictures),
        unit_statistics(pictures),
    )  # fmt: skip
    return over_people(together(*parts), pictures.people, draws) if len(pictures) else {}


def together(*parts: Statistics) -> Statistics:
    """Return a function of rows that gives all that several give."""
    return lambda rows: {name: value for part in parts for name, value in part(rows).items()}


def share_figures(pictures: Pictures, draws: int = DRAWS) -> dict[str, Interval]:
    """Return the figures of `picture_counts` alone, which are quick."""
    return over_people(ratios(picture_counts(pictures)), pictures.people, draws) if len(pictures) else {}


def ratios(counts: Counts) -> Statistics:
    """Return a function of rows: every figure's numerators over its denominators; none without a denominator."""
    names = [name for name, (_, below) in counts.items() if below.any()]
    if not names:
        return lambda rows: {}
    above, below = (np.array([counts[name][k] for name in names], float).reshape(len(names), -1) for k in (0, 1))

    def statistics(rows: np.ndarray) -> dict[str, float]:
        with np.errstate(invalid="ignore"):  # 0 / 0 where none was drawn
            return dict(zip(names, (above[:, rows].sum(1) / below[:, rows].sum(1)).tolist(), strict=True))

    return statistics


def picture_counts(pictures: Pictures) -> Counts:
    """Return what each picture adds to the shares and means.

    accuracy, of pictures that show a class; neutral_named, smiles_named, of neutral faces and of happy ones;
    au12_neutral, au12_smiles, the mean AU12 of both; shut_read, open_read, eyes that are; winks, of which the right eye
    is told; gaze_mae, both angles', while no eye is shut, yaw_mae, pitch_mae in degrees; contradictions, of all.
    """
    m, r = pictures.manifest, pictures.reading
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    smiles = (m.expression == CLASSES.index("happiness")) & ~(m.intensity < pictures.least)
    calm = m.expression == NEUTRAL
    if r.classes is not None:
        right = r.classes == m.expression
        found |= {
            "accuracy": _share(right, pictures.named),
            "neutral_named": _share(right, calm), "smiles_named": _share(right, smiles),
        }  # fmt: skip
    if r.aus is not None:
        found |= {"au12_neutral": _mean(r.aus[:, SMILE], calm), "au12_smiles": _mean(r.aus[:, SMILE], smiles)}
    if r.left is not None and r.right is not None:
        found |= eye_counts(m, r.left[:, EYES], r.right[:, EYES])
    if r.gaze is not None:
        shut = (np.fmax(m.left[:, EYES], m.right[:, EYES]) >= SHUT)[:, None]
        off = np.where(shut, np.nan, np.abs(r.gaze - np.stack([m.gaze_x, m.gaze_y], 1)))
        found["gaze_mae"] = np.nansum(off, 1), (~np.isnan(off)).sum(1)
    if r.head is not None:
        for name, angle, true in (("yaw", r.head[:, 0], m.yaw), ("pitch", r.head[:, 1], m.pitch)):
            found[f"{name}_mae"] = _mean(np.abs(angle - true), np.ones(len(m), bool))
    if r.classes is not None and r.aus is not None:
        against, judged = contradicted(r)
        found["contradictions"] = _share(against, judged)
    return found


def eye_counts(m: Manifest, left: np.ndarray, right: np.ndarray) -> Counts:
    """Return shut_read, open_read and winks of `picture_counts`, by AU43 (N,) as read at both sides."""
    true, read = np.stack([m.left[:, EYES], m.right[:, EYES]], 1), np.stack([left, right], 1)
    shut, wide = true >= SHUT, true == 0
    apart = true[:, 0] - true[:, 1]
    return {
        "shut_read": ((shut & (read >= READ_SHUT)).sum(1), shut.sum(1)),
        "open_read": ((wide & (read < READ_OPEN)).sum(1), wide.sum(1)),
        "winks": _share(np.sign(left - right) == np.sign(apart), np.abs(apart) >= WINK),
    }


def balanced_statistic(pictures: Pictures) -> Statistics:
    """Return a function of rows: balanced, the mean share of the classes shown that is named right."""
    m, named = pictures.manifest, pictures.named
    if not named.any():
        return lambda rows: {}
    truth, guess = m.expression, answered(np.asarray(pictures.reading.classes))

    def statistics(rows: np.ndarray) -> dict[str, float]:
        shown = rows[named[rows]]
        share = recalls(confusion(truth[shown], guess[shown], len(CLASSES) + 1)[: len(CLASSES)])
        known = share[~np.isnan(share)]
        return {"balanced": float(known.mean()) if len(known) else float("nan")}

    return statistics


def honesty_statistics(pictures: Pictures) -> Statistics:
    """Return a function of rows: ece and nll, as read and tempered; those that can be said."""
    sure, truth = pictures.calibrated, pictures.manifest.expression
    if not sure.any():
        return lambda rows: {}
    sets = {"": np.asarray(pictures.reading.probabilities)}
    if len(np.unique(pictures.people[sure])) > 1:
        sets["_tempered"] = tempered_across(pictures)

    def statistics(rows: np.ndarray) -> dict[str, float]:
        some, found = rows[sure[rows]], {}
        for name, probabilities in sets.items():
            if len(some):
                given, true = probabilities[some], truth[some]
                found[f"ece{name}"] = calibration_error(given.max(1), given.argmax(1) == true)
                found[f"nll{name}"] = negative_log_likelihood(given, true)
        return found

    return statistics


def answered(classes: np.ndarray) -> np.ndarray:
    """Return classes (N,), where no face was found (-1) the number after the last class."""
    return np.where(classes < 0, len(CLASSES), classes)


def tempered_across(pictures: Pictures) -> np.ndarray:
    """Return probabilities (N, 8), each person's softened by the temperature that fits the others' in FIFTHS folds.

    Raises ValueError where fewer than two people are calibrated.
    """
    sure, given = pictures.calibrated, np.asarray(pictures.reading.probabilities)
    names = np.random.default_rng(0).permutation(np.unique(pictures.people[sure]))
    if len(names) < 2:
        raise ValueError("a temperature for people needs others to be learnt from")
    found = given.copy()
    for k in range(min(FIFTHS, len(names))):
        theirs = np.isin(pictures.people, names[k::FIFTHS])
        others = sure & ~theirs
        found[theirs] = tempered(given[theirs], temperature(given[others], pictures.manifest.expression[others]))
    return found


def temperature_of(pictures: Pictures) -> float:
    """Return the temperature that fits all pictures whose class is known; NaN where none has probabilities."""
    sure, given = pictures.calibrated, pictures.reading.probabilities
    return temperature(given[sure], pictures.manifest.expression[sure]) if given is not None and sure.any() else np.nan


def unit_statistics(pictures: Pictures, names: Sequence[str] = ("icc", "f1"), each: bool = True) -> Statistics:
    """Return a function of rows: the mean over DISFA's units, and of every unit if `each`, of those known that vary."""
    m, r = pictures.manifest, pictures.reading
    if r.aus is None:
        return lambda rows: {}
    known = ~np.isnan(m.aus) & ~np.isnan(r.aus)
    spread = np.where(known, m.aus, -np.inf).max(0) > np.where(known, m.aus, np.inf).min(0)
    units = np.flatnonzero(spread & (each | np.isin(np.arange(len(AUS)), DISFA)))
    if not len(units):
        return lambda rows: {}
    truth, read, known = m.aus[:, units].astype(float), r.aus[:, units].astype(float), known[:, units]
    common, present, found_present = np.isin(units, DISFA), truth >= PRESENT, read >= PRESENT
    of = {
        "icc": lambda rows: agreements(truth[rows], read[rows])[0],
        "f1": lambda rows: presence_f1(present[rows], found_present[rows], known[rows]),
    }

    def statistics(rows: np.ndarray) -> dict[str, float]:
        found: dict[str, float] = {}
        for name in names:
            values = of[name](rows)
            if common.any() and not np.isnan(values[common]).all():
                found[name] = float(np.nanmean(values[common]))
            if each:
                found |= {f"{name}_{au_name(AUS[k])}": float(v) for k, v in zip(units, values, strict=True)}
        return found

    return statistics


def _share(hit: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (hit & among).astype(float), among.astype(float)


def _mean(values: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = among & ~np.isnan(values)
    return np.where(known, values, 0.0), known.astype(float)
