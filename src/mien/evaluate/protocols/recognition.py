"""Recognition by subject folds: a model's detached expression encoder against the CNN baseline on the same folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from mien.data.dataset import Data, digest
from mien.data.folds import Split, some_people, splits
from mien.data.relatives import relatives_of
from mien.data.variants import Variants, halved
from mien.errors import InputError
from mien.evaluate.predictions import BASELINE, STAGE_1, estimate_aus, predict, protocol_rows
from mien.evaluate.probes import codes, probe_hits, shown_rows
from mien.evaluate.protocols.recognition_tables import draw_confusions
from mien.evaluate.written import write_csv
from mien.files import claim, kept
from mien.labels import BASIC, au_columns
from mien.models.contract import Embeds, EstimatesAus, Family, HasBaseline, Recognizes
from mien.models.io import fingerprint, load
from mien.models.registry import FAMILIES, able, create, find_family
from mien.training.pace import seconds, shortened
from mien.training.settings import Progress
from mien.training.start import Training, train_to_end
from mien.weights.resolve import CHECKPOINT


@dataclass(frozen=True)
class Regime:
    """Who is trained on and who is tested, in which pictures, and for how long."""

    folds: int | str | Path | None = 8  # so many by people, GIVEN, a folds file, or None: the data's own split
    variants: bool = False  # train on one half of every class's variants (`expr_id`), test on the other
    people: int | None = None  # at most so many, and no morphs
    seeds: Sequence[int] = (0,)
    words: Sequence[str] = BASIC
    least: float = 0.5  # intensity from which a picture counts
    minutes: float | None = None  # of a fold, all its nets together: every length is cut by one factor
    pretrain: bool = False  # first on the people whom the regime leaves out


@dataclass(frozen=True)
class Findings:
    """What was found, picture by picture, and how it came about.

    predictions: seed, fold, model (BASELINE, STAGE_1 or the family), subject, file_name, truth, guess (class numbers),
    and of a model that tells action units AU01 … and, from the labels, AU01_true …, 0-5. probes: seed, fold, model,
    subject, file_name, label (class number), expression, person (whether a probe of the model's f(e) names it) and
    their weights, expression_weight and person_weight.
    """

    predictions: pd.DataFrame
    probes: pd.DataFrame
    training: Training  # as it was done
    regime: Regime
    data: Data  # the rows that take part
    splits: Sequence[Split]  # of `data`
    variants: Variants | None = None
    factor: float = 1.0  # by which all lengths were cut for `minutes`


@dataclass(frozen=True)
class Lesson:
    """One net to be trained on a fold's training people and tested on the others."""

    net: str  # BASELINE, STAGE_1 or the family
    training: Training
    fold: str
    train: Data
    test: Data
    probed: Data  # pictures of the test people in which the net's f(e) is probed
    words: Sequence[str]
    made_by: Mapping[str, Any]  # digest of who is on which side, and of what is begun with

    def learnt(self, place: Path, report: Callable[[Progress], None]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the rows of `Findings`' two tables, from `place`.json if it is there, else trained in `place`."""
        t, m, p = self.training, self.test.manifest, self.probed.manifest
        made_by = {
            "family": t.family, "preset": t.preset, "seed": t.settings.seed, "changes": dict(t.changes),
            "fold": self.fold, "precision": t.settings.precision, **self.made_by,
        }  # fmt: skip
        found = kept(place.with_suffix(".json"), made_by, partial(self._learn, place, report))
        which = {"seed": t.settings.seed, "fold": self.fold, "model": self.net}
        guesses = which | {
            "truth": m.expression, "guess": found["classes"],
            "subject": [m.subjects[s] if s >= 0 else "" for s in m.subject], "file_name": m.files,
        }  # fmt: skip
        probes = pd.DataFrame()
        if found.get("probes"):  # earlier versions took none
            shown = {"subject": [p.subjects[s] for s in p.subject], "file_name": p.files, "label": p.expression}
            probes = pd.DataFrame(which | shown | found["probes"])
        return pd.DataFrame(guesses | unit_columns(found["aus"], m.aus)), probes

    def _learn(self, place: Path, report: Callable[[Progress], None]) -> dict[str, Any]:
        model = train_to_end(recipe_of(self.net, self.training), self.train, place, report)
        net = able(model, HasBaseline).baseline if self.net == BASELINE else able(model, Recognizes).recognize
        classes = predict(net, self.test, self.words).tolist()
        estimates = self.net != BASELINE and isinstance(model, EstimatesAus)
        units = estimate_aus(able(model, EstimatesAus), self.test).tolist() if estimates else None
        probes = self._probe(model)
        (place / CHECKPOINT).unlink()
        return {"classes": classes, "aus": units, "probes": probes}

    def _probe(self, model: Family) -> dict[str, list[float]] | None:
        """Return what probes of the net's f(e) name, and each picture's weights; None for a net without such a code."""
        if not (len(self.probed) and isinstance(model, Embeds) and (self.net != BASELINE or model.baseline_embeds)):
            return None
        found: dict[str, list[float]] = {}
        for what, (right, weight) in probe_hits(codes(model, self.probed)["expression"], self.probed.manifest).items():
            found |= {what: right.tolist(), f"{what}_weight": (weight / weight.sum()).tolist()}
        return found


def by_folds(
    data: Data,
    folder: Path,
    training: Training,
    regime: Regime | None = None,
    report: Callable[[str, Progress], None] = lambda fold, p: None,
) -> Findings:
    """Train the model and the nets that it is compared with on every fold and with every seed, and say what they say.

    BASELINE is the paper's: the same recogniser, trained supervised for as many steps as the model. STAGE_1, of a
    family that has a `stage_1` and was pre-trained, is the model without its game: its pre-trained encoder, detached,
    and its recogniser. All begin with the weights of `training.start`, if there is one, learn from the same rows (of
    the people outside the fold and nobody related to them, of the regime's words alone) and for a number of steps fixed
    beforehand. Folds are dealt by the first seed and written to `folder`/folds.json; what is finished is kept. Raises
    InputError where a kept part was made otherwise, and for a model that has no baseline or nothing but that.
    """
    regime = regime or Regime()
    check_recognizer(training)
    first = regime.seeds[0]
    whole = data.select(protocol_rows(data, regime.words, regime.least))
    chosen = some_people(whole.manifest, regime.people, first) if regime.people else np.ones(len(whole), bool)
    rows = whole.select(chosen)
    variants = halved(rows.manifest, first) if regime.variants else None
    dealt = splits(rows, regime.folds, first, folder, variants)
    factor = 1.0
    if regime.minutes:
        factor = cut_to(regime.minutes, training, rows.select(dealt[0].train), folder)
        training = shortened(training, factor) if factor < 1 else training
    if regime.pretrain:
        known = left_out(whole, chosen, variants)
        claim(folder / "start", {"rows": digest(known)})
        train_to_end(training, known, folder / "start", partial(report, "start"))
        training = replace(training, start=folder / "start")
    parts: list[tuple[pd.DataFrame, pd.DataFrame]] = []
    for seed in regime.seeds:
        seeded = replace(training, settings=replace(training.settings, seed=seed))
        for lesson in lessons(data, rows, dealt, seeded, regime):
            place = folder / f"seed{seed}" / f"fold_{lesson.fold}" / lesson.net
            parts.append(lesson.learnt(place, partial(report, lesson.fold)))
    found, told = (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))
    write_csv(found, folder / "predictions.csv", index=False)
    draw_confusions(found, regime.words, folder / "confusion.png")
    return Findings(found, told, training, regime, rows, dealt, variants, factor)


def check_recognizer(training: Training) -> None:
    """Raise InputError for a model that has no baseline, or no recogniser but the baseline."""
    with torch.device("meta"):
        untrained = create(training.family, training.preset, **training.changes)
    able(untrained, HasBaseline), able(untrained, Recognizes)
    if untrained.recognizes_plainly:
        others = [
            name for name, family in FAMILIES.items()
            if hasattr(family, "baseline") and hasattr(family, "recognize") and not family.recognizes_plainly
        ]  # fmt: skip
        raise InputError(
            f"{training.family} names expressions with the plain net that it would be compared with, and has no "
            f"recogniser of its own; choose one of {', '.join(others)}"
        )


def nets_of(training: Training) -> list[str]:
    """Return the nets that are compared, the model last."""
    stage_1, pretrained = find_family(training.family).stage_1, training.start is not None
    if stage_1 and not pretrained:  # else its encoder would be as it was drawn
        with torch.device("meta"):
            left = create(training.family, training.preset, **{**training.changes, **stage_1})
        pretrained = sum(stage.steps > 0 for stage in left.stages()) > 1
    return [BASELINE, *([STAGE_1] if stage_1 and pretrained else []), training.family]


def recipe_of(net: str, training: Training) -> Training:
    """Return the training of one of the nets: all that differs between those of a fold."""
    stage_1 = find_family(training.family).stage_1
    changes = {BASELINE: {"supervised": True}, STAGE_1: stage_1}.get(net, {})
    return replace(training, changes={**training.changes, "supervised": False, **changes})


def lessons(data: Data, rows: Data, dealt: Sequence[Split], training: Training, regime: Regime) -> Iterator[Lesson]:
    """Yield, fold by fold, the lessons of all nets; `rows` are those of `data` that take part, and are `dealt`."""
    shown = data.select(shown_rows(data.manifest))
    of_probed = np.array([*shown.manifest.subjects, ""])[shown.manifest.subject]
    made_by: dict[str, Any] = {}
    if training.start:
        made_by["start"] = fingerprint(load(str(training.start)))
    for fold in dealt:
        train, test = rows.select(fold.train), rows.select(fold.test)
        probed = shown.select(np.isin(of_probed, test.manifest.subjects))
        probed = probed.select(shown_rows(probed.manifest))
        sides = made_by | {"rows": digest(rows, fold.train, fold.test)}
        for net in nets_of(training):
            yield Lesson(net, training, fold.name, train, test, probed, regime.words, sides)


def cut_to(minutes: float, training: Training, data: Data, folder: Path) -> float:
    """Return by what factor all lengths must be cut so that a fold's nets take so many minutes; at most 1.

    It is measured once, and kept in `folder`/pace.json: later calls train as the first did.
    """
    if minutes <= 0:
        raise InputError(f"--minutes {minutes:g}: expected more than 0")

    def measure() -> float:
        return min(1.0, 60 * minutes / sum(seconds(recipe_of(net, training), data) for net in nets_of(training)))

    t = training
    made_by = {"minutes": minutes, "family": t.family, "preset": t.preset, "changes": dict(t.changes)}
    return float(kept(folder / "pace.json", made_by | {"precision": t.settings.precision}, measure))


def left_out(data: Data, chosen: np.ndarray, variants: Variants | None) -> Data:
    """Return the pictures of people who are not among the chosen rows (N,), nor related to them, nor marked test.

    With `variants`, those of the training half alone. Raises InputError where there are none.
    """
    m = data.manifest
    kin = relatives_of(m).roots
    taken = np.isin(kin, np.unique(kin[np.unique(m.subject[chosen & (m.subject >= 0)])])) & (kin >= 0)
    free = ~np.append(taken.any(1), True)[m.subject] & ~m.test
    if variants:
        free &= np.isin(m.expr_id, variants.train) | (m.expression == 0)
    if not free.any():
        raise InputError(f"{m.folder}: nobody is left to start with; give fewer --people, or --start with a run")
    return data.select(free)


def unit_columns(estimates: list[list[float]] | None, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return columns of action units (N, 21) as a model estimates and as the labels have them; none without them."""
    if estimates is None:
        return {}
    mine, names = np.array(estimates, np.float64), au_columns()
    estimated = {name: mine[:, k] for k, name in enumerate(names)}
    return estimated | {f"{name}_true": labels[:, k] for k, name in enumerate(names)}
