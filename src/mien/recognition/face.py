"""One face read: where it is, what it feels, its units, head, gaze and lids. docs/reading.md tells the columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mien.errors import InputError
from mien.faces.align import align, invert, rescaled, roll_of
from mien.faces.crop import FaceCrop, Picture, Which
from mien.faces.detect import Face
from mien.faces.landmarks import Landmarker, eye_aspects, eyes_of
from mien.labels import AUS, CLASSES, PRESENT, au_columns, au_name
from mien.recognition.table import PLACE, Row
from mien.runtime.engine import Ability, Engine, Readings

TURNED = 30.0  # degrees of yaw, to either side, beyond which a reading is not to be trusted
ANGLES = ("yaw", "pitch", "gaze_x", "gaze_y")
UNSURE = "unsure"  # the expression of a face whose likeliest word is not likely enough


class Crops(Protocol):
    """An engine with what cuts faces out of pictures for it, as `mien.Editor` is."""

    engine: Engine
    aligned: bool
    landmarker: Landmarker | None

    def crops(self, picture: Picture, number: Which = "all") -> list[FaceCrop]:
        """Return a picture's faces, from left to right."""
        ...

    def crop_at(self, picture: Picture, face: Face, number: int = 1) -> FaceCrop:
        """Return a face that was found before."""
        ...


class Reader(Protocol):
    """What reads units by side, head and gaze: an engine that can, or a tool from outside."""

    @property
    def name(self) -> str:
        """Who it is."""
        ...

    @property
    def size(self) -> int:
        """The side of its crops in pixels."""
        ...

    def readings(self, crops: np.ndarray) -> Readings:
        """Return what crops uint8 (B, S, S, 3) show; NaN is unknown."""
        ...


@dataclass(frozen=True)
class How:
    """How faces are read."""

    reader: Reader | None = None  # reads units, head and gaze in place of the model
    least: float | None = None  # probability below which the likeliest word is not said; None says it always
    smooth: bool = False  # what clips show is smoothed over time
    points: bool = False  # keep the landmarks
    needs: Ability = "recognize"

    def __post_init__(self) -> None:
        if self.least is not None and not 0 <= self.least <= 1:
            raise InputError(f"--min-confidence {self.least:g}: expected a probability from 0 to 1")

    def require(self, engine: Engine) -> None:
        """Raise InputError where the model cannot do what is asked: worth asking before long work."""
        if self.needs == "recognize" or self.reader is None:
            engine.require(self.needs)


def read_faces(engine: Engine, cuts: Sequence[FaceCrop], how: How) -> list[Row]:
    """Return what faces show, a row each, without where they come from; what is unknown is left out."""
    if not cuts:
        return []
    rows = [_place(cut, how.points) for cut in cuts]
    crops = np.stack([cut.crop for cut in cuts])
    if "recognize" in engine.abilities:
        for row, found in zip(rows, engine.probabilities(crops).tolist(), strict=True):
            row |= {word: round(p, 6) for word, p in zip(CLASSES, found, strict=True)}
    if how.reader or "read" in engine.abilities:
        shown = _read(how.reader or engine, engine.size, cuts)
    elif "estimate_aus" in engine.abilities:
        shown = [_units(au_columns(), values) for values in engine.units_of(crops)]
    else:
        shown = [{} for _ in cuts]
    return [completed(row | found, how.least) for row, found in zip(rows, shown, strict=True)]


def completed(row: Row, least: float | None = None) -> Row:
    """Return a face's row with what follows from its numbers: the word, what is unsure, turned and present."""
    if CLASSES[0] in row:
        best = max(CLASSES, key=lambda word: float(row[word]))
        row["expression"] = best
        if least is not None:
            row["unsure"] = int(row[best] < least)
            row["expression"] = UNSURE if row["unsure"] else best
    if "yaw" in row:
        row["turned"] = int(abs(row["yaw"]) > TURNED)
    for name in map(au_name, AUS):
        if name in row:
            row[f"{name}_present"] = int(row[name] >= PRESENT)
    return row


def _place(cut: FaceCrop, keep_points: bool) -> Row:
    """Return where a face is, how it is tilted, and how far its eyes are open."""
    row: Row = {"number": cut.number, **dict(zip(PLACE[2:], (round(v, 1) for v in cut.box), strict=True))}
    if cut.left_out:
        row["left_out"] = list(cut.left_out)
    row["eyes"] = cut.source
    if cut.score is not None and cut.source != "given":
        row["score"] = round(1 / (1 + math.exp(-cut.score)), 4)
    points = cut.points
    row["roll"] = round(roll_of(cut.matrix, None if points is None else eyes_of(points)), 2)
    if points is not None:
        row |= dict(zip(("eye_left", "eye_right"), (round(v, 4) for v in eye_aspects(points)), strict=True))
        if keep_points:
            back = invert(cut.matrix)
            row["points"] = (points @ back[:, :2].T + back[:, 2]).round(2).ravel().tolist()
    return row


def _read(reader: Reader | Engine, size: int, cuts: Sequence[FaceCrop]) -> list[Row]:
    """Return units by side, head and gaze; `size` is that of the crops."""
    scale = reader.size / size
    crops = [cut.crop if scale == 1 else align(cut.photo.rgb, rescaled(cut.matrix, scale), reader.size) for cut in cuts]
    found = reader.readings(np.stack(crops))
    rows = []
    for k in range(len(cuts)):
        left, right = found.left[k], found.right[k]
        row = _units(au_columns(), np.fmax(left, right)) | _units(au_columns("L"), left)
        row |= _units(au_columns("R"), right)
        angles = zip(ANGLES, (found.yaw[k], found.pitch[k], *found.gaze[k]), strict=True)
        rows.append(row | {name: round(float(v), 2) for name, v in angles if not math.isnan(v)})
    return rows


def _units(names: Sequence[str], values: np.ndarray) -> Row:
    return {name: round(v, 4) for name, v in zip(names, values.tolist(), strict=True) if not math.isnan(v)}
