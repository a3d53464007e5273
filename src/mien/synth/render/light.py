"""The light of a scene: one soft key lamp, fill from the sky and the floor, a rim from behind; and the backdrop."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Light:
    """Linear intensities; directions in degrees as seen by the camera.

    `azimuth` > 0: the key lamp stands to the right of the image; `elevation` > 0: above the face. `warmth` -1 cold …
    1 warm. `key`, `sky`, `ground`, `rim` are irradiances, about 1 in sum for a well exposed face.
    """

    azimuth: float = 25.0
    elevation: float = 35.0
    key: float = 0.80
    sky: float = 0.46
    ground: float = 0.26
    rim: float = 0.18
    warmth: float = 0.0
    softness: float = 0.5  # 0 a hard lamp, 1 a wide window

    def direction(self) -> np.ndarray:
        """Return the unit vector (3,) from the face to the key lamp, camera axes (x right, y up, z to the viewer)."""
        a, e = np.radians([self.azimuth, self.elevation])
        return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])

    def table(self) -> np.ndarray:
        """Return what `shading.shade` wants to know, (7, 3) float32."""
        toward = self.direction()
        half = toward + np.array([0, 0, 1])
        rim = np.array([-np.sign(toward[0] + 1e-6) * 0.8, 0.35, -0.5])
        tint = self.tint()
        rows = [
            toward, self.key * tint, self.sky * (2 - tint), np.full(3, self.ground), rim / np.linalg.norm(rim),
            np.full(3, self.rim), half / np.linalg.norm(half),
        ]  # fmt: skip
        return np.array(rows, np.float32)

    def tint(self) -> np.ndarray:
        """Return the key lamp's colour (3,), of mean one."""
        return np.array([1 + 0.09 * self.warmth, 1.0, 1 - 0.09 * self.warmth])


def sample_light(rng: np.random.Generator) -> Light:
    """Draw a portrait light: mostly soft and from the front, at times low, hard or from the side."""
    hard = rng.random() < 0.25
    share = float(rng.uniform(0.45, 0.75) if hard else rng.uniform(0.25, 0.55))
    total = float(rng.uniform(0.92, 1.25))
    return Light(
        azimuth=float(np.clip(rng.normal(0, 45 if hard else 30), -80, 80)), elevation=float(rng.uniform(8, 58)),
        key=1.35 * share * total, sky=0.78 * (1 - share) * total,
        ground=float(rng.uniform(0.28, 0.6)) * (1 - share) * total, rim=float(rng.uniform(0, 0.35)),
        warmth=float(np.clip(rng.normal(0.1, 0.4), -1, 1)), softness=float(rng.uniform(0.3, 1)),
    )  # fmt: skip


def sample_backdrop(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return a backdrop (side, side, 3) float32, linear: a studio wall or a blurred room."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    grey = rng.random() < 0.55
    base = np.full(3, rng.uniform(0.12, 0.85)) if grey else rng.uniform(0.05, 0.7, 3)
    base = 0.45 * base + 0.55 * base.mean() + rng.normal(0, 0.015, 3)
    slope = rng.normal(0, 0.25, 2)
    falloff = rng.uniform(0, 0.8)
    shade = 1 + slope[0] * x + slope[1] * y - falloff * ((x - rng.normal(0, 0.15)) ** 2 + y**2)
    picture = np.clip(base, 0.03, 0.9) * shade[..., None]
    if rng.random() < 0.35:
        blobs = rng.normal(0, 1, (6, 6, 3)).astype(np.float32) * 0.3 + rng.normal(0, 1, (6, 6, 1)).astype(np.float32)
        blur = cv2.resize(blobs, (side, side), interpolation=cv2.INTER_CUBIC)
        picture = picture * np.exp(0.28 * blur)
    return np.clip(picture, 0.01, 1.0).astype(np.float32)
