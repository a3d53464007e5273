"""Finished parts of long evaluations: computed once, kept in a file, and taken from there when it is run again."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from mien.data.cache import Data


def digest(data: Data, *rows: np.ndarray) -> str:
    """Return a hash of the data's file names, people and expressions, and of masks or row numbers."""
    m = data.manifest
    text = json.dumps([m.files, m.subject.tolist(), m.expression.tolist(), [r.tolist() for r in rows]])
    return hashlib.sha256(text.encode()).hexdigest()
