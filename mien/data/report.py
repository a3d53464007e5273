"""What a data set holds, in a few lines."""

from __future__ import annotations

import numpy as np

from mien.data.kinship import kinship
from mien.data.manifest import Manifest
from mien.data.performance import performances
from mien.labels import EXPRESSIONS


def describe(manifest: Manifest) -> dict[str, str]:
    """Return counts by name: images, people, classes, labels that are there, and who leaks into which split."""
    subject, expression = manifest.subject, manifest.expression
    words = [f"{EXPRESSIONS[k]} {n}" for k in range(len(EXPRESSIONS)) if (n := int((expression == k).sum()))]
    key = performances(manifest).key
    pairs = np.unique(np.stack([key, subject], 1)[(key >= 0) & (subject >= 0)], axis=0)
    shared = np.bincount(pairs[:, 0]) if len(pairs) else np.zeros(0)
    tested = set(subject[manifest.test & (subject >= 0)].tolist())
    trained = set(subject[~manifest.test & (subject >= 0)].tolist())
    return {
        "images": str(len(manifest)),
        "people": str(len(manifest.subjects)),
        "expressions": ", ".join(words) or "none",
        "without expression": str(int((expression < 0).sum())),
        "with intensity": str(int(np.isfinite(manifest.intensity).sum())),
        "with action units": str(int(np.isfinite(manifest.aus).any(1).sum())),
        "expressions shown by several": str(int((shared > 1).sum())),
        "test people": str(len(tested)),
        "people in test and training": str(len(tested & trained)),
        "test people with kin in training": str(_kin(manifest, tested, trained)),
    }


def _kin(manifest: Manifest, tested: set[int], trained: set[int]) -> int:
    family = kinship(manifest)
    others = np.array(sorted(trained - tested), dtype=np.int64)
    return sum(bool(family.related(np.full(len(others), who), others).any()) for who in tested) if len(others) else 0
