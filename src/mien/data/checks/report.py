"""What a data set holds, in a few lines."""

from __future__ import annotations

import numpy as np

from mien.data.checks.leaks import leaks
from mien.data.manifest import Manifest
from mien.data.matches import matches_of
from mien.data.sampling.pair_index import PairIndex
from mien.data.sampling.rendered import ARRAYS, count_known, read_files, read_mouth_files
from mien.labels import EXPRESSIONS


def describe(manifest: Manifest) -> dict[str, str]:
    """Return counts by name: images, people, classes, which labels are there, and who leaks into which split.

    Raises InputError for a geometry.npz or mouths.npz with which no training could begin.
    """
    subject, expression = manifest.subject, manifest.expression
    words = [f"{EXPRESSIONS[k]} {n}" for k in range(len(EXPRESSIONS)) if (n := int((expression == k).sum()))]
    key = matches_of(manifest).key
    pairs = np.unique(np.stack([key, subject], 1)[(key >= 0) & (subject >= 0)], axis=0)
    giving = np.unique(subject[PairIndex(manifest).can_triple & (subject >= 0)])
    shared = np.bincount(pairs[:, 0]) if len(pairs) else np.zeros(0)
    each = np.bincount(subject[subject >= 0], minlength=1)
    return {
        "images": str(len(manifest)),
        "people": str(len(manifest.subjects)),
        "images a person": f"{each.min()} to {each.max()}, median {np.median(each):g}",
        "of unknown people": str(int((subject < 0).sum())),
        "test people": str(len(np.unique(subject[manifest.test & (subject >= 0)]))),
        "expressions": ", ".join(words) or "none",
        "without expression": str(int((expression < 0).sum())),
        "with intensity": str(int(np.isfinite(manifest.intensity).sum())),
        "with action units": str(int(np.isfinite(manifest.aus).any(1).sum())),
        "with exact motion": moving(manifest),
        "people giving no triple": str(len(manifest.subjects) - len(giving)),
        "expressions shown by several": str(int((shared > 1).sum())),
        "leaks": "; ".join(leaks(manifest)) or "none",
    }


def moving(manifest: Manifest) -> str:
    """Return how many rows have exact motion. Raises InputError for a file beside them that is damaged or foreign."""
    files = read_files(manifest, ARRAYS)
    read_mouth_files(files.homes)
    known = count_known(files)
    lacking = f"; of {len(manifest) - known} geometry.npz says nothing" * (0 < known < len(manifest))
    return f"{known}{lacking}"
