"""Pictures that answer trials: the trivial ones, a model's own, and what the editor makes of them."""

from __future__ import annotations

import numpy as np
import torch

from mien.controls import Controls
from mien.data.dataset import Data
from mien.data.manifest import Manifest
from mien.editing.editor import Editor
from mien.evaluate.trials import Trials
from mien.labels import AUS
from mien.models.contract import Edits, Family, Transfers
from mien.models.registry import able
from mien.nn.images import to_pixels, to_tensor

ANSWERS = ("face unchanged", "example copied", "generated", "composited")
"""Two trivial answers, the picture that a model generates, and the photograph plus the change that picture makes.

The last is what the Editor gives.
"""

TRIVIAL, MADE = ANSWERS[:2], ANSWERS[2:]

FORMER = {"model's picture": ANSWERS[2], "change pasted": ANSWERS[3]}
"""Words in files of earlier versions -> answers."""

BY_UNITS = "units asked"
"""Of models that take action units by side: asked for the truth's own, instead of shown an example."""

TRUTH = "the truth itself"


@torch.inference_mode()
def answers(editor: Editor, data: Data, t: Trials, trial: int) -> dict[str, np.ndarray]:
    """Return a trial's four answers, uint8 (S, S, 3) in the data's frame. The editor must take aligned pictures."""
    face, example = data.images[int(t.face[trial])], data.images[int(t.example[trial])]
    crops = to_tensor(np.stack([editor.crop(face).crop, editor.crop(example).crop]))
    made = able(editor.model, Transfers).transfer(crops[:1], crops[1:])
    up = torch.nn.functional.interpolate(made, size=face.shape[:2], mode="bicubic", align_corners=False)
    composited = editor.transfer(face, example).rgb
    return dict(zip(ANSWERS, (face, example, to_pixels(up[0]), composited), strict=True))


def trivial_answers(data: Data, t: Trials) -> dict[str, list[np.ndarray]]:
    """Return the truth and the two trivial answers to every trial, uint8 (S, S, 3) each."""
    rows = dict(zip((TRUTH, *TRIVIAL), (t.truth, t.face, t.example), strict=True))
    return {answer: [data.images[row] for row in chosen.tolist()] for answer, chosen in rows.items()}


def edit_each(model: Family, face: torch.Tensor, expression: str, intensity: np.ndarray) -> torch.Tensor:
    """Return faces (B, 3, S, S) edited to a class, each at its own intensity (B,)."""
    made = torch.empty_like(face)
    for level in np.unique(intensity):
        rows = torch.from_numpy(intensity == level)
        made[rows] = able(model, Edits).edit(face[rows], Controls(expression, float(level))).to(made.dtype)
    return made


def takes_sides(model: Family) -> bool:
    """Return whether a model edits by action units, left and right apart."""
    return isinstance(model, Edits) and "sides" in type(model).edits_by


def answer_by_units(editor: Editor, data: Data, t: Trials, trial: int) -> np.ndarray:
    """Return a trial's face with the truth's own units and gaze asked for, uint8 (S, S, 3)."""
    face, truth = int(t.face[trial]), int(t.truth[trial])
    units, gaze = units_shown(data.manifest, truth), gaze_change(data.manifest, face, truth)
    return editor.edit(data.images[face], aus=units, gaze=gaze).rgb


def units_shown(manifest: Manifest, row: int) -> dict[int | str, float]:
    """Return the action units that a row's label knows, by side."""
    sides = (("L", manifest.left[row]), ("R", manifest.right[row]))
    return {f"{au}{side}": float(v) for side, of in sides for au, v in zip(AUS, of, strict=True) if not np.isnan(v)}


def gaze_change(manifest: Manifest, face: int, truth: int) -> tuple[float, float] | None:
    """Return by how many degrees the gaze differs between two rows of a person, None where it is not known."""
    x, y = (float(of[truth] - of[face]) for of in (manifest.gaze_x, manifest.gaze_y))
    return None if np.isnan((x, y)).any() else (x, y)
