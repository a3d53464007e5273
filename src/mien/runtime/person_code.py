"""Which person a face is, within one clip: the evaluator's code of the person, and the colours of the face."""

from __future__ import annotations

from functools import cache

import numpy as np

from mien.faces.align import align, similarity
from mien.faces.person import Code, colours
from mien.runtime.open import open_engine

# The evaluator parts photographed people whatever the light, but not rendered ones, whose faces vary less; colours
# part them where the light stays, as it does from frame to frame.
SHARE = 0.2


@cache
def person_code(source: str = "evaluator") -> Code:
    """Return what tells people apart, by the zoo's weights or others that embed."""
    engine = open_engine(source)
    engine.require("embed")

    def code(rgb: np.ndarray, eyes: np.ndarray) -> np.ndarray:
        crop = align(rgb, similarity(eyes, engine.size), engine.size)
        person = engine.codes(crop[None])["identity"][0]
        person = person / max(float(np.linalg.norm(person)), 1e-6)
        return np.concatenate([np.sqrt(SHARE) * person, np.sqrt(1 - SHARE) * colours(crop)]).astype(np.float32)

    return code
