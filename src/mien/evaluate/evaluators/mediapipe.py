"""MediaPipe's FaceLandmarker as a judge: its blendshapes taken for action units (mien.labels.BLENDSHAPES)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.evaluate.evaluators.base import Reading, empty_aus
from mien.faces.mediapipe_task import open_task
from mien.labels import AUS, BLENDSHAPES


@dataclass(frozen=True)
class BlendshapeEvaluator:
    """Asks a landmarker picture by picture."""

    landmarker: Any  # .detect(image) -> .face_blendshapes, a list of categories a face
    wrap: Any  # an array (S, S, 3) -> the image it takes
    name: str = "MediaPipe"
    size: int = 256
    gives: tuple[str, ...] = ("aus",)

    def read(self, pictures: np.ndarray) -> Reading:
        """Return action units; NaN for all of a picture in which no face was found."""
        aus = empty_aus(len(pictures))
        for k, picture in enumerate(pictures):
            faces = self.landmarker.detect(self.wrap(np.ascontiguousarray(picture))).face_blendshapes
            if faces:
                score = {category.category_name: float(category.score) for category in faces[0]}
                for unit, shapes in BLENDSHAPES.items():
                    aus[k, AUS.index(unit)] = 5 * max(score.get(shape, np.nan) for shape in shapes)
        return Reading(aus=aus)


def open_mediapipe(path: Path) -> BlendshapeEvaluator:
    """Return the judge of a model file (face_landmarker.task). Raises InputError where it or mediapipe is missing."""
    return BlendshapeEvaluator(*open_task(path, f"--judge mediapipe:{path}", output_face_blendshapes=True, num_faces=1))
