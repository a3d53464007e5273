"""What can a linear classifier read off a code? Expression and person, each where it could not learn them by heart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from mien.data.dataset import Data
from mien.data.manifest import Manifest
from mien.errors import InputError
from mien.evaluate.predictions import tensors
from mien.labels import CLASSES
from mien.models.contract import Embeds

CODES = ("expression", "identity")


@torch.inference_mode()
def codes(model: Embeds, data: Data) -> dict[str, np.ndarray]:
    """Return {"expression": (N, E), "identity": (N, I)} float32 of all the data's faces."""
    found = [model.embed(faces) for faces in tensors(data)]
    return {name: torch.cat([getattr(e, name) for e in found]).float().numpy() for name in CODES}


@dataclass(frozen=True)
class Probe:
    """Linear classifiers of one code, one a fold of groups, each fitted without the groups of its fold."""

    nets: tuple[Pipeline, ...]
    fold: dict[int, int]  # group -> fold

    def predict(self, code: np.ndarray, group: np.ndarray) -> np.ndarray:
        """Return the label (N,) of each code (N, D), by the classifier that was fitted without its group (N,)."""
        fold, label = self.folds(group), np.full(len(code), -1)
        for k, net in enumerate(self.nets):
            if (fold == k).any():
                label[fold == k] = net.predict(code[fold == k])
        return label

    def folds(self, group: np.ndarray) -> np.ndarray:
        """Return the fold (N,) of each group, -1 for one that is not known."""
        return np.array([self.fold.get(one, -1) for one in group.tolist()], np.int64)


def fit_probe(code: np.ndarray, label: np.ndarray, group: np.ndarray) -> Probe:
    """Return a probe for labels (N,) of codes (N, D), by five folds of groups (N,), or as many as there are groups."""
    nets: list[Pipeline] = []
    fold: dict[int, int] = {}
    for k, (fitted, left) in enumerate(GroupKFold(min(5, len(np.unique(group)))).split(code, label, group)):
        several = len(np.unique(label[fitted])) > 1
        net = LogisticRegression(max_iter=2000) if several else DummyClassifier()  # who knows one label says that
        nets.append(make_pipeline(StandardScaler(), net).fit(code[fitted], label[fitted]))
        fold |= dict.fromkeys(group[left].tolist(), k)
    return Probe(tuple(nets), fold)


def questions(manifest: Manifest) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return by question each row's answer and group: no person, no expression is both fitted and asked about."""
    return {"expression": (manifest.expression, manifest.subject), "person": (manifest.subject, manifest.expression)}


def probed_rows(manifest: Manifest) -> np.ndarray:
    """Return (N,) bool: somebody shows a class at 0.5 or more, or nothing. Raises InputError for too few of either."""
    shown = shown_rows(manifest)
    if not shown.any():
        raise InputError(f"{manifest.folder}: the probes need two people and two expressions or more")
    return shown


def shown_rows(manifest: Manifest) -> np.ndarray:
    """Return `probed_rows`, or none where they are of fewer than two people or two expressions."""
    shown = (manifest.expression >= 0) & (manifest.expression < len(CLASSES)) & (manifest.subject >= 0)
    shown &= (manifest.expression == 0) | ~(manifest.intensity < 0.5)
    enough = min(len(np.unique(manifest.subject[shown])), len(np.unique(manifest.expression[shown]))) >= 2
    return shown & enough


def fit_probes(found: Mapping[str, np.ndarray], manifest: Manifest) -> dict[tuple[str, str], Probe]:
    """Return a probe of each code for each question; found: code -> (N, D), of rows that are all `probed_rows`."""
    asked = questions(manifest).items()
    return {(name, what): fit_probe(code, *of) for name, code in found.items() for what, of in asked}


def hits(probe: Probe, code: np.ndarray, label: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return whether a probe names each code's label (N,), and weights (N,) by which all folds count alike."""
    of = probe.folds(group)
    return probe.predict(code, group) == label, 1 / np.bincount(of)[of]


def probe_hits(code: np.ndarray, manifest: Manifest) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return by question `hits` of a probe fitted on one code (N, D) of rows that are all `probed_rows`."""
    return {what: hits(fit_probe(code, *of), code, *of) for what, of in questions(manifest).items()}


def probes(found: dict[str, np.ndarray], data: Data) -> pd.DataFrame:
    """Return `probe_table` of those of the data's codes (N, D) that are `probed_rows`."""
    shown = probed_rows(data.manifest)
    chosen, manifest = {name: code[shown] for name, code in found.items()}, data.manifest.select(shown)
    return probe_table(fit_probes(chosen, manifest), chosen, manifest)


def probe_table(
    fitted: Mapping[tuple[str, str], Probe], found: Mapping[str, np.ndarray], manifest: Manifest
) -> pd.DataFrame:
    """Return the accuracy of a linear probe for person and for expression on each code, with chance.

    Every probe is scored on what it could not learn by heart: expressions on people it was not fitted on, persons in
    expressions it was not fitted on; the mean over folds. Columns: code, probe, accuracy, chance, images.
    """
    rows = []
    for (name, what), probe in fitted.items():
        label, group = questions(manifest)[what]
        right, weight = hits(probe, found[name], label, group)
        accuracy, chance = np.average(right, weights=weight), np.bincount(label).max() / len(label)
        rows.append({"code": name, "probe": what, "accuracy": accuracy, "chance": chance, "images": len(label)})
    return pd.DataFrame(rows)
