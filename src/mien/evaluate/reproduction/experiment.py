"""What an experiment of a paper is: its table or figure, the paper's figures, and its claims as comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mien.metrics.bootstrap import Interval, less

if TYPE_CHECKING:
    from mien.evaluate.reproduction.bench import Bench

KINDS = ("table", "figure", "text")
"""Where a paper says it; an experiment that the text alone tells of has a word for its number."""

HOLDS, FAILS, OPEN = "holds", "does not hold", "undecided"
"""What becomes of a claim: the whole interval lies on its side, on the other, or on both."""

ALONE = " (no interval)"

CORPORA = {
    "oulu-casia": "Oulu-CASIA", "ck+": "CK+", "ck48": "CK+ (48 pixels)", "bu-3dfe": "BU-3DFE", "sfew": "SFEW",
    "multi-pie": "Multi-PIE", "mmi": "MMI", "raf-db": "RAF-DB", "disfa": "DISFA", "rafd": "RaFD", "cfd": "CFD",
    "bu-4dfe": "BU-4DFE", "jaffe": "JAFFE", "fer2013": "FER2013", "affectnet": "AffectNet",
}  # fmt: skip
"""Names by which importers know corpora, and how papers write them."""

Found = dict[str, Interval]
"""What a measure finds, by name: models, answers and figures with / between, as eet/generated/icc."""


class Measure(Protocol):
    """Finds an experiment's figures; which protocol it is says its own docstring."""

    def run(self, bench: Bench) -> Found:
        """Return the figures; what is finished already is not done again."""
        ...


@dataclass(frozen=True)
class Several:
    """Measures of one experiment, by the word that their figures begin with."""

    parts: Mapping[str, Measure]

    def run(self, bench: Bench) -> Found:
        """Return all their figures, as six/jesrl/accuracy."""
        return {f"{word}/{name}": it for word, part in self.parts.items() for name, it in part.run(bench).items()}


@dataclass(frozen=True)
class Row:
    """A line of a paper's table, or a claim of the paper, which is a comparison.

    `figure` names what a measure finds, `less` what is taken from it. A row is a claim where it has a bound: the figure
    is to be `above` or `below` it. `paper` and the figure are in the same unit: shares for %, else as they are.
    """

    says: str
    figure: str
    less: str = ""
    paper: float | None = None
    unit: str = "%"
    above: float | None = None
    below: float | None = None
    posed: bool = False  # of a pose, which other data than the corpus may not show

    @property
    def claim(self) -> bool:
        """Whether it can hold or fail."""
        return self.above is not None or self.below is not None

    @property
    def key(self) -> str:
        """What tells it from others of its experiment."""
        bound = (
            f" > {self.above:g}" if self.above is not None else f" < {self.below:g}" if self.below is not None else ""
        )
        return self.figure + (f" - {self.less}" if self.less else "") + bound

    def of(self, found: Mapping[str, Interval]) -> Interval | None:
        """Return its figure, None where the measure could not find it."""
        if self.figure not in found or (self.less and self.less not in found):
            return None
        it = less(found[self.figure], found[self.less]) if self.less else found[self.figure]
        return None if math.isnan(it.value) else it

    def verdict(self, it: Interval) -> str:
        """Return what becomes of the claim, "" of a row that is none."""
        if not self.claim:
            return ""
        sign, bound = (1, self.above) if self.above is not None else (-1, self.below)
        assert bound is not None
        value, ends = sign * (it.value - bound), sorted(sign * (end - bound) for end in (it.low, it.high))
        if any(math.isnan(end) for end in ends):
            return (HOLDS if value > 0 else FAILS) + ALONE
        if ends[0] > 0:
            return HOLDS
        return FAILS if ends[1] <= 0 else OPEN


@dataclass(frozen=True)
class Experiment:
    """A table, a figure or a passage of a paper; without a measure, nothing in it can be measured.

    `needs` names what data must show (`mien.evaluate.reproduction.corpora.NEEDS`). `alone`: other data than the
    `corpus` say nothing of it. `not_built`: methods that the paper compares itself with and nobody built here.
    """

    kind: str
    number: str  # in arabic figures, whatever the paper has
    shows: str
    corpus: str = ""  # the importer's name; "" where it does not matter
    measure: Measure | None = None
    rows: tuple[Row, ...] = ()
    needs: tuple[str, ...] = ()
    alone: bool = False
    not_built: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As the shell and files have it: table_1."""
        return f"{self.kind}_{self.number}"

    @property
    def title(self) -> str:
        """As a table has it: Table 1."""
        return f"Text, {self.number}" if self.kind == "text" else f"{self.kind.capitalize()} {self.number}"
