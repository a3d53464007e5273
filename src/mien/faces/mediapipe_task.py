"""Opens MediaPipe's FaceLandmarker, which can find landmarks or measure results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import InputError, missing


def open_task(path: Path, asked: str, **options: Any) -> tuple[Any, Any]:
    """Return MediaPipe's landmarker of a model file, and what makes its image of an array (H, W, 3).

    `options` are its own (num_faces, output_face_blendshapes). Raises InputError, naming the words that `asked` for it,
    where the file or the package is missing.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; expected MediaPipe's face_landmarker.task")
    try:
        import mediapipe
        from mediapipe.tasks.python import BaseOptions
        from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions
    except ImportError:
        raise missing(asked, "mediapipe") from None
    try:
        landmarker = FaceLandmarker.create_from_options(
            FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(path)), **options)
        )
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{path}: MediaPipe cannot open it ({error}); expected face_landmarker.task") from None

    def wrap(picture: np.ndarray) -> Any:
        return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture)

    return landmarker, wrap
