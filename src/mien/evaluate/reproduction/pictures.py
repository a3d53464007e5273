"""Measures of pictures that models make: transfers, identity, gaze, edits, elements, realism, invented people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import nan

import numpy as np
import torch
from sklearn.decomposition import PCA

from mien.controls import Controls
from mien.data.dataset import Data
from mien.data.neutral import neutral_faces
from mien.errors import InputError
from mien.evaluate.batches import batches
from mien.evaluate.evaluators.base import Reading, all_read, must_measure, squares
from mien.evaluate.evaluators.eye_gaze import learn_eye_gaze
from mien.evaluate.protocols.frechet import DIMENSIONS, features
from mien.evaluate.protocols.gaze import by_gaze
from mien.evaluate.protocols.identity import by_identity
from mien.evaluate.protocols.intensity import class_directions, measured_intensity
from mien.evaluate.protocols.transfer import by_transfer
from mien.evaluate.record import Key, over_people, people_of
from mien.evaluate.reproduction.bench import Bench, Variant
from mien.evaluate.reproduction.experiment import Found
from mien.evaluate.trials import STRONG, Trials, gaze_trials, random_pairs, trials
from mien.labels import BASIC, CLASSES
from mien.metrics.bootstrap import Interval
from mien.metrics.frechet import frechet_distance
from mien.metrics.verification import cosines
from mien.models.contract import Edits, Family, Generates, SetsElements
from mien.models.contract import Transfers as CanTransfer
from mien.models.registry import able
from mien.nn.images import at_size, resized, to_pixels

OWN = Variant("")


def flat(figures: Mapping[Key, Mapping[str, Interval]]) -> Found:
    """Return figures by model, answer and name in one word, as eet/generated/icc; trivial answers without a model."""
    return {
        "/".join([model, answer, name] if model != "—" else [answer, name]): it
        for (model, answer), found in figures.items()
        for name, it in found.items()
    }


def models_of(bench: Bench, variants: Sequence[Variant]) -> dict[str, Family]:
    """Return the trained models by their names: the paper's own by its family's."""
    return {v.name or bench.family: bench.model(None if v == OWN else v) for v in variants}


def exemplars(t: Trials) -> Trials:
    """Return trials whose example is the person's own picture: TER-GAN's editing, whose answer is that picture."""
    return replace(t, example=t.truth)


@dataclass(frozen=True)
class Transfers:
    """`mien evaluate transfer` and `identity` of the same pictures: does the expression arrive, and the person stay?

    `partners` random pairs a picture, swapped both ways, as EET's; 0: neutral faces, whose truth is known. `own`: the
    example is another picture of the same person.
    """

    variants: tuple[Variant, ...] = (OWN,)
    partners: int = 0
    own: bool = False

    def run(self, bench: Bench) -> Found:
        """Return both protocols' figures by model and answer."""
        models, data = models_of(bench, self.variants), bench.tested()
        if self.partners:
            t = random_pairs(data, min(self.partners, len(np.unique(data.manifest.subject)) - 1), both_ways=True)
        else:
            t = trials(data, geometry=_has_geometry(data))
        t = exemplars(t) if self.own else t
        place = bench.folder / "pictures" / f"{'own' if self.own else f'partners{self.partners}'}_{'_'.join(models)}"
        found: Found = {}
        for kind, protocol in (("transfer", by_transfer), ("identity", by_identity)):
            if kind == "identity" and "identity" not in bench.evaluator.measures:
                continue
            shown = replace(t, truth=np.full_like(t.truth, -1)) if np.isnan(t.landmarks).all() else t
            found |= flat(protocol(models, bench.evaluator, data, shown, place / kind, bench.tell))
        return found


def _has_geometry(data: Data) -> bool:
    """Return whether landmarks of the data's pictures lie beside them."""
    return (data.manifest.folder / "geometry.npz").is_file()


@dataclass(frozen=True)
class Gaze:
    """`mien evaluate gaze`: does a result look where the example looks (EET, Table VII)?"""

    partners: int = 5

    def run(self, bench: Bench) -> Found:
        """Return the shares by model and answer."""
        data = bench.tested()
        reader = bench.evaluator if "gaze" in bench.evaluator.measures else learn_eye_gaze(bench.known(data.size))
        models = models_of(bench, (OWN,))
        t = gaze_trials(data, min(self.partners, len(np.unique(data.manifest.subject)) - 1))
        return flat(by_gaze(models, reader, data, t, bench.folder / "gaze", bench.tell))


@dataclass(frozen=True)
class Realism:
    """The Fréchet distance by class between true pictures and transfers of their expressions to other people (JESRL).

    In the evaluator's features, as `mien evaluate frechet` has them, of painted pictures. A distance is of whole sets
    and has no interval. One half of the people's true pictures stand against what the other half's examples gave, both
    ways.
    """

    variants: tuple[Variant, ...] = (OWN,)

    def run(self, bench: Bench) -> Found:
        """Return distances by model and class, as jesrl/frechet_anger, and the mean of the classes, frechet_mean."""
        models, data = models_of(bench, self.variants), bench.tested()
        pairs = {word: _donors(data, k) for k, word in enumerate(CLASSES) if k}
        pairs = {word: pair for word, pair in pairs.items() if len(np.unique(data.manifest.subject[pair[0]])) > 3}
        if not pairs:
            raise InputError(f"{data.manifest.folder}: expected four people or more who show an expression")
        sets = {("", word): data.images[rows] for word, (rows, _) in pairs.items()}
        for name, model in models.items():
            sets |= {(name, word): _painted(model, data, *pair) for word, pair in pairs.items()}
        seen = all_read(
            {
                key: partial(features, bench.evaluator, squares(list(of), bench.evaluator.size))
                for key, of in sets.items()
            }
        )
        true = np.concatenate([seen["", word] for word in pairs])
        basis = PCA(min(DIMENSIONS, *true.shape), svd_solver="full").fit(true)
        flat_codes = {key: basis.transform(code) for key, code in seen.items()}
        found: Found = {}
        for name in models:
            values = {}
            for word, (rows, _) in pairs.items():
                one = np.unique(data.manifest.subject[rows], return_inverse=True)[1] % 2 == 0
                sides = ((one, ~one), (~one, one))
                values[word] = float(np.mean([
                    frechet_distance(flat_codes["", word][a], flat_codes[name, word][b]) for a, b in sides
                ]))  # fmt: skip
            values["mean"] = float(np.mean(list(values.values())))
            found |= {f"{name}/frechet_{word}": Interval(v, nan, nan) for word, v in values.items()}
        return found


def _donors(data: Data, number: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the strong pictures of a class, and for each a face of somebody else who shows another class."""
    m, rng = data.manifest, np.random.default_rng([seed, number])
    rows = np.flatnonzero((m.expression == number) & ~(m.intensity < STRONG) & (m.subject >= 0))
    faces, kept = [], []
    for row in rows.tolist():
        others = np.flatnonzero((m.expression != number) & (m.subject != m.subject[row]) & (m.subject >= 0))
        if len(others):
            kept.append(row)
            faces.append(int(rng.choice(others)))
    return np.array(kept, np.int64), np.array(faces, np.int64)


@torch.inference_mode()
def _painted(model: Family, data: Data, example: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Return the faces with the examples' expressions, as the model paints them: uint8 (N, S, S, 3)."""
    made, size, net = [], int(model.config.image_size), able(model, CanTransfer)
    for rows in batches(len(face), 64):
        images = net.transfer(resized(data.images[face[rows]], size), resized(data.images[example[rows]], size))
        made += [to_pixels(image) for image in images]
    return np.stack(made)


def neutral_rows(data: Data) -> np.ndarray:
    """Return a neutral picture of every person who has one. Raises InputError where nobody has."""
    rows = np.array([mine[0] for mine in neutral_faces(data.manifest).values()], np.int64)
    if not len(rows):
        raise InputError(f"{data.manifest.folder}: nobody is neutral; expected neutral faces to edit")
    return rows


def evaluated(bench: Bench, made: torch.Tensor) -> np.ndarray:
    """Return painted pictures (B, 3, S, S) in [-1, 1] as the evaluator wants them, uint8 (B, E, E, 3)."""
    return at_size(made, bench.evaluator.size)


@dataclass(frozen=True)
class ClassEdits:
    """Everybody's neutral face edited to each class: is the class named, and is it still the person? Painted."""

    variants: tuple[Variant, ...] = (OWN,)

    @torch.inference_mode()
    def run(self, bench: Bench) -> Found:
        """Return expression, named as asked for, and rank_1, whose the nearest neutral face is; and its cosine, own."""
        must_measure(bench.evaluator, "classes")
        models, data = models_of(bench, self.variants), bench.tested()
        rows = neutral_rows(data)
        gallery = bench.evaluator.read(at_size(resized(data.images[rows], data.size), bench.evaluator.size)).identity
        statistics: dict[str, np.ndarray] = {}
        for name, model in models.items():
            face = resized(data.images[rows], model.config.image_size)
            made = {word: able(model, Edits).edit(face, Controls(word)) for word in BASIC}
            seen = all_read({w: _reader(bench, images) for w, images in made.items()})
            classes = np.stack([np.asarray(seen[w].classes) == CLASSES.index(w) for w in BASIC])  # (words, people)
            statistics[f"{name}/expression"] = classes
            if gallery is not None:
                alike = [cosines(np.asarray(seen[w].identity), gallery) for w in BASIC]
                statistics[f"{name}/rank_1"] = np.stack([a.argmax(1) == np.arange(len(rows)) for a in alike])
                statistics[f"{name}/own"] = np.stack([np.diag(a) for a in alike])
        return over_people(_means(statistics), people_of(data.manifest, rows))


def _reader(bench: Bench, images: torch.Tensor) -> Callable[[], Reading]:
    pictures = evaluated(bench, images)
    return lambda: bench.evaluator.read(pictures)


def _means(values: Mapping[str, np.ndarray]) -> Callable[[np.ndarray], dict[str, float]]:
    """Return a function of people: the means of values (…, P) over them and all else."""
    return lambda people: {name: float(np.mean(of[..., people])) for name, of in values.items()}


@dataclass(frozen=True)
class Ladder:
    """Single elements of a class's block as its intensities (ExprGAN, Fig. 3), by the evaluator's action units.

    Which element is stronger than another, other people say. strongest, weakest: an element's share of what the whole
    block moves. rising: of the steps from one element to the next stronger one, how many show more. neutral: named so
    when all is -1.
    """

    @torch.inference_mode()
    def run(self, bench: Bench) -> Found:
        """Return the means over the classes."""
        must_measure(bench.evaluator, "aus")
        model, data = bench.model(), bench.tested()
        elements, directions = able(model, SetsElements), class_directions(data)
        rows = neutral_rows(data)
        face, count = resized(data.images[rows], model.config.image_size), int(model.config.style)
        levels = {}  # by class (elements, people): what each adds to neutral, the class's true mean being 1
        for word in directions:
            codes = [(k, 1.0) for k in range(count)] + [(0, -1.0)]
            made = [elements.element(face, word, k, value) for k, value in codes]
            made.append(able(model, Edits).edit(face, Controls(word)))
            seen = np.asarray(bench.evaluator.read(evaluated(bench, torch.cat(made))).aus).reshape(
                len(made), len(rows), -1
            )
            measured = np.stack([measured_intensity(each, directions[word]) for each in seen])
            levels[word] = measured[[*range(count), count + 1]] - measured[count]
        halves = np.arange(len(rows)) % 2
        ladders = np.stack([_ladder(of[:-1], halves) for of in levels.values()])  # (classes, elements, people)
        blocks, rising = np.stack([of[-1] for of in levels.values()]), (np.diff(ladders, axis=1) > 0).mean(1)
        strong = _strong_faces(data)
        calm = elements.element(resized(data.images[strong], model.config.image_size), next(iter(directions)), 0, -1.0)
        named = np.asarray(bench.evaluator.read(evaluated(bench, calm)).classes) == 0
        of_person = data.manifest.subject[strong]
        neutral = np.array(
            [named[of_person == p].mean() if (of_person == p).any() else nan for p in data.manifest.subject[rows]]
        )

        def statistics(people: np.ndarray) -> dict[str, float]:
            with np.errstate(invalid="ignore", divide="ignore"):  # of a model whose block moves nothing
                ends = ladders[:, [0, -1]][..., people].mean(-1) / blocks[:, people].mean(1, keepdims=True)
            return {
                "weakest": float(ends[:, 0].mean()), "strongest": float(ends[:, 1].mean()),
                "rising": float(rising[:, people].mean()), "neutral": float(np.nanmean(neutral[people])),
            }  # fmt: skip

        return over_people(statistics, people_of(data.manifest, rows))


def _ladder(levels: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Return each person's levels (K, P), from weak to strong in the order of the other half's means; `half` (P,)."""
    found = np.empty_like(levels)
    for mine in (0, 1):
        others = levels[:, half != mine]
        order = np.argsort(others.mean(1)) if others.shape[1] else np.arange(len(levels))
        found[:, half == mine] = levels[order][:, half == mine]
    return found


def _strong_faces(data: Data) -> np.ndarray:
    m = data.manifest
    return np.flatnonzero((m.expression > 0) & (m.expression < len(CLASSES)) & ~(m.intensity < STRONG))


@dataclass(frozen=True)
class Invented:
    """People from noise, each in every class (ExprGAN, Fig. 5): is the class named? Intervals draw these people."""

    count: int = 50

    @torch.inference_mode()
    def run(self, bench: Bench) -> Found:
        """Return expression, the share that is named as asked for."""
        must_measure(bench.evaluator, "classes")
        model = able(bench.model(), Generates)
        named = []
        for word in BASIC:
            seen = bench.evaluator.read(evaluated(bench, model.generate(self.count, word, seed=0)))
            named.append(np.asarray(seen.classes) == CLASSES.index(word))
        people = np.arange(self.count).astype(str)
        return over_people(_means({"expression": np.stack(named)}), people)
