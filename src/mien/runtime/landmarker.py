"""What finds the landmarks of a face whose eyes are roughly known: a small net of our own, or MediaPipe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import InputError
from mien.faces.align import RIM, align, invert, similarity
from mien.faces.landmarks import Landmarker, eyes_of
from mien.faces.mediapipe_task import open_task
from mien.runtime.engine import Engine
from mien.runtime.open import open_engine
from mien.weights.resolve import zoo

MESH = (
    (127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356),  # jaw
    (70, 63, 105, 66, 107, 336, 296, 334, 293, 300),  # brows
    (168, 197, 5, 4, 75, 97, 2, 326, 305),  # nose
    (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),  # eyes
    (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87),  # mouth
)
"""Which vertices of MediaPipe's face mesh lie where the 68 landmarks do."""


@dataclass(frozen=True)
class NetLandmarker:
    """Our own net, on a crop around the eyes. A second crop, around the eyes that it found, gives nothing better."""

    engine: Engine
    name: str = "landmarks"

    def points(self, rgb: np.ndarray, eyes: np.ndarray) -> np.ndarray | None:
        """Return (68, 2) pixels of the photo."""
        size = self.engine.size
        matrix = similarity(eyes, size)
        found = self.engine.points(align(rgb, matrix, size, RIM)[None])[0].astype(np.float64) * size - 0.5
        back = invert(matrix)
        return found @ back[:, :2].T + back[:, 2]


@dataclass(frozen=True)
class MediaPipeLandmarker:
    """MediaPipe's FaceLandmarker; of the faces that it finds, the one nearest to the eyes."""

    landmarker: Any  # .detect(image) -> .face_landmarks
    wrap: Any  # an array (H, W, 3) -> the image it takes
    name: str = "MediaPipe"
    asked: str = ""  # the words of `find_landmarker`

    def __reduce__(self) -> tuple[Any, ...]:
        return find_landmarker, (self.asked,)  # another process opens the file of its own

    def points(self, rgb: np.ndarray, eyes: np.ndarray) -> np.ndarray | None:
        """Return (68, 2) pixels of the photo; None where MediaPipe sees no face at the eyes."""
        height, width = rgb.shape[:2]
        vertices = [v for row in MESH for v in row]
        best, apart = None, float(np.linalg.norm(eyes[1] - eyes[0]))
        for face in self.landmarker.detect(self.wrap(np.ascontiguousarray(rgb))).face_landmarks:
            points = np.array([(face[v].x * width - 0.5, face[v].y * height - 0.5) for v in vertices])
            off = float(np.linalg.norm(eyes_of(points) - eyes, axis=1).mean())
            if off < apart:
                best, apart = points, off
        return best


def check_landmarker(name: str) -> None:
    """Raise InputError for a word that names no landmarker."""
    kind, _, path = name.partition(":")
    if kind not in ("net", "cascade") and not (kind == "mediapipe" and path):
        raise InputError(f"--landmarker {name}: expected net, cascade or mediapipe:FILE.task")


def find_landmarker(name: str) -> Landmarker | None:
    """Return the landmarker of "net" or "mediapipe:FILE.task"; None for "cascade", which finds the eyes alone.

    "net" is the package's own; without its weights it is None too. Raises InputError for any other word, and where
    MediaPipe or its model is missing.
    """
    check_landmarker(name)
    kind, _, path = name.partition(":")
    if kind == "cascade":
        return None
    if kind == "net":
        return own_landmarker() if "landmarks" in zoo() else None
    return MediaPipeLandmarker(*open_task(Path(path), f"--landmarker {name}", num_faces=10), asked=name)


@cache
def own_landmarker(source: str = "landmarks") -> NetLandmarker:
    """Return our own landmarker, of the zoo's weights or others."""
    engine = open_engine(source)
    engine.require("find_points")
    return NetLandmarker(engine)
