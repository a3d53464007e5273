"""MediaPipe's FaceLandmarker as an evaluator: its blendshapes taken for action units (mien.labels.BLENDSHAPES)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.blendshapes import units_by_side
from mien.evaluate.evaluators.base import Reading, empty_aus
from mien.faces.mediapipe_task import open_task


@dataclass(frozen=True)
class BlendshapeEvaluator:
    """Asks a landmarker picture by picture."""

    landmarker: Any  # .detect(image) -> .face_blendshapes, a list of categories a face
    wrap: Any  # an array (S, S, 3) -> the image it takes
    name: str = "MediaPipe"
    size: int = 256
    measures: tuple[str, ...] = ("aus", "left", "right")

    def mark(self) -> str:
        """Return "": its model file is its own affair."""
        return ""

    def read(self, pictures: np.ndarray) -> Reading:
        """Return action units; NaN for all of a picture in which no face was found."""
        left, right = empty_aus(len(pictures)), empty_aus(len(pictures))
        for k, picture in enumerate(pictures):
            faces = self.landmarker.detect(self.wrap(np.ascontiguousarray(picture))).face_blendshapes
            if faces:
                left[k], right[k] = units_by_side({one.category_name: float(one.score) for one in faces[0]})
        return Reading(aus=np.maximum(left, right), left=left, right=right)


def open_mediapipe(path: Path) -> BlendshapeEvaluator:
    """Return the evaluator of a model file (face_landmarker.task).

    Raises InputError where the file or the package mediapipe is missing.
    """
    asked = f"--evaluator mediapipe:{path}"
    return BlendshapeEvaluator(*open_task(path, asked, output_face_blendshapes=True, num_faces=1))
