"""MediaPipe's FaceLandmarker as a reader: units by side, head and gaze, from its blendshapes and its head's matrix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.blendshapes import gaze_of, units_by_side
from mien.errors import InputError
from mien.faces.mediapipe_task import open_task
from mien.labels import AUS
from mien.runtime.engine import Readings


@dataclass(frozen=True)
class BlendshapeReader:
    """Asks a landmarker crop by crop. Where it finds no face all is NaN, as is AU23, which no shape says."""

    landmarker: Any  # .detect(image) -> .face_blendshapes and .facial_transformation_matrixes, of each face
    wrap: Any  # an array (S, S, 3) -> the image it takes
    name: str = "MediaPipe"
    size: int = 256

    def readings(self, crops: np.ndarray) -> Readings:
        """Return what crops uint8 (B, S, S, 3) show; a jaw that opens parts the lips, as in `mien.labels.units_of`."""
        sides = np.full((2, len(crops), len(AUS)), np.nan, np.float32)
        angles = np.full((4, len(crops)), np.nan, np.float32)  # yaw, pitch, gaze
        for k, crop in enumerate(crops):
            found = self.landmarker.detect(self.wrap(np.ascontiguousarray(crop)))
            if not found.face_blendshapes:
                continue
            shapes = {category.category_name: float(category.score) for category in found.face_blendshapes[0]}
            sides[:, k] = units_by_side(shapes)
            sides[:, k, AUS.index(25)] = sides[:, k, AUS.index(26)]
            angles[2:, k] = gaze_of(shapes)
            if found.facial_transformation_matrixes:
                angles[:2, k] = head_of(np.asarray(found.facial_transformation_matrixes[0]))
        return Readings(sides[0], sides[1], angles[0], angles[1], angles[2:].T)


def head_of(matrix: np.ndarray) -> tuple[float, float]:
    """Return yaw and pitch in degrees of a head's matrix (4, 4), whose axes are x right, y up, z to the camera."""
    x, y, z = matrix[:3, 2] / np.linalg.norm(matrix[:3, 2])  # where the nose points
    return float(np.degrees(np.arctan2(x, z))), float(np.degrees(np.arctan2(-y, np.hypot(x, z))))


def check_reader(name: str) -> None:
    """Raise InputError for words that name no reader."""
    kind, _, path = name.partition(":")
    if kind != "mediapipe" or not path:
        raise InputError(f"--reader {name}: expected mediapipe:FILE.task; left out, the model reads")


def find_reader(name: str) -> BlendshapeReader:
    """Return the reader of "mediapipe:FILE.task". Raises InputError for others, and where MediaPipe is missing."""
    check_reader(name)
    path = name.partition(":")[2]
    options = {"output_face_blendshapes": True, "output_facial_transformation_matrixes": True, "num_faces": 1}
    return BlendshapeReader(*open_task(Path(path), f"--reader {name}", **options))
