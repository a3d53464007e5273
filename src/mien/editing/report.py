"""What an edit did to a photograph, in figures: whether it is still the person, action units, pixels, and what made it.

An evaluator, a net that no model is trained with (docs/evaluators.md), measures them in one place before and after.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mien.about import versions
from mien.controls import Controls
from mien.editing.editor import Editor
from mien.faces.align import align, footprint, rescaled
from mien.faces.crop import FaceCrop, Picture, Which
from mien.files import path_text
from mien.labels import AUS, au_name
from mien.media.photo import Photo
from mien.metrics.verification import cosines
from mien.reading import sha256_of
from mien.runtime.engine import Engine
from mien.runtime.open import open_engine

if TYPE_CHECKING:
    from mien.models.contract import Family


def edit_report(
    editor: Editor,
    evaluator: Engine | Family,
    before: Picture,
    after: Photo,
    number: Which = None,
    controls: Controls | None = None,
) -> dict[str, Any]:
    """Return figures that JSON can hold of what `editor` made of `before`'s faces.

    `identity` is the cosine, -1 to 1, of the evaluator's codes of the person before and after: 1 is the same, 0 is
    strangers; over several faces the least. Action units are 0-5. `pixels` are of the whole picture; `outside` counts
    those that changed beyond the faces' crops. With what was asked, `controls`, faces also have `asked`: the action
    units asked for, with what `editor`'s own model reads before and after, if it moves pixels and reads.
    """
    evaluator, faces = open_engine(evaluator), editor.crops(before, number)
    crop = editor.crop_only
    was = faces[0].crop if crop else faces[0].photo.rgb
    found = [_face(evaluator, face, was, after.rgb, editor.size, crop) for face in faces]
    if controls and not crop:
        found = [told | _asked(editor, face, after, controls) for told, face in zip(found, faces, strict=True)]
    return {
        "identity": min(face["identity"] for face in found),
        "faces": found,
        "pixels": _pixels(was, after.rgb, [] if crop else faces, editor.size),
        "model": {"name": editor.name, "fingerprint": editor.fingerprint},
        "evaluator": {"name": evaluator.name, "fingerprint": evaluator.fingerprint},
        "versions": versions(),
    }


def file_facts(path: Path) -> dict[str, str]:
    """Return a file's name, without its folder, and the SHA-256 of its bytes."""
    return {"file": path_text(path.name), "sha256": sha256_of(path, "expected a picture")}


def _face(
    evaluator: Engine, face: FaceCrop, before: np.ndarray, after: np.ndarray, size: int, crop: bool
) -> dict[str, Any]:
    """Return what the evaluator sees of one face in pictures before and after, which are its crop if `crop`."""
    side = evaluator.size
    matrix = rescaled(np.eye(2, 3) if crop else face.matrix, side / size)
    pair = np.stack([align(rgb, matrix, side) for rgb in (before, after)])
    who = evaluator.codes(pair)["identity"]
    was, now = evaluator.units_of(pair).tolist()
    aus = {
        au_name(au): {"before": round(a, 3), "after": round(b, 3), "change": round(b - a, 3)}
        for au, a, b in zip(AUS, was, now, strict=True)
        if not math.isnan(a)
    }
    box = [round(v, 1) for v in face.box]
    identity = round(float(cosines(who[:1], who[1:])[0, 0]), 4)
    return {"number": face.number, "box": box, "eyes": face.source, "identity": identity, "aus": aus}


def _asked(editor: Editor, face: FaceCrop, after: Photo, controls: Controls) -> dict[str, Any]:
    """Return what was asked of a face's action units and what the editor's own model reads of them."""
    found = editor.achieved(face, after, controls)
    names = ("before", "asked", "after")
    told = {one.unit: {name: round(getattr(one, name), 3) for name in names} for one in found}
    return {"asked": told} if told else {}


def _pixels(before: np.ndarray, after: np.ndarray, faces: list[FaceCrop], size: int) -> dict[str, float | int]:
    """Return how many pixels there are, how many and what share changed, and how many of them beyond the faces."""
    changed = (before != after).any(-1)
    outside = changed.copy()
    for face in faces:
        left, top, right, bottom = (max(0, round(v)) for v in footprint(face.matrix, size))
        outside[top : bottom + 1, left : right + 1] = False
    total, count = changed.size, int(changed.sum())
    return {
        "all": total, "changed": count, "share": round(count / total, 6),
        "outside": int(outside.sum()) if faces else 0,
    }  # fmt: skip
