"""The camera: where the frame lies on the face, how the head turns in it, and how light becomes a picture."""

from dataclasses import dataclass

import cv2
import numpy as np

EYES_AT = ((0.35, 0.40), (0.65, 0.40))  # of the neutral frontal frame: image left, image right
DISTANCE = 13.0  # of the camera, eye distances: a portrait lens at 80 cm
LENS_BLUR = 0.3  # pixels of the picture
PIVOT = np.array([0.0, -0.45, -1.0])  # the head turns about its joint with the neck


@dataclass(frozen=True)
class Camera:
    """Maps the head to the frame: `scale` and `offset` bring the neutral eyes to EYES_AT."""

    scale: float
    offset: tuple[float, float]

    def project(self, points: np.ndarray, side: float) -> np.ndarray:
        """Return screen places (n, 3) float32 in pixels of a frame of `side`, z growing towards the viewer."""
        near = np.float32(DISTANCE) / (np.float32(DISTANCE) - points[:, 2:3])
        flat = points[:, :2] * near * np.array([self.scale, -self.scale], np.float32) + np.array(
            self.offset, np.float32
        )
        return np.concatenate([flat * np.float32(side), points[:, 2:3]], axis=1).astype(np.float32)

    def hold_eyes(self, corners: np.ndarray) -> np.ndarray:
        """Return the shift (3,) that brings the middle of the eyes' corners (4, 3) to its place in the frame."""
        middle = corners.mean(axis=0)
        near = DISTANCE / (DISTANCE - middle[2])
        target = (np.mean(EYES_AT, axis=0) - self.offset) / (self.scale, -self.scale) / near
        return np.array([target[0] - middle[0], target[1] - middle[1], 0.0], np.float32)


def fit(corners: np.ndarray) -> Camera:
    """Return the camera that sees a neutral frontal face's eye corners (4, 3), landmarks 36, 39, 42, 45, in place."""
    flat = Camera(1.0, (0.0, 0.0)).project(corners, 1.0)[:, :2].astype(float)
    right, left = flat[:2].mean(axis=0), flat[2:].mean(axis=0)
    scale = float((EYES_AT[1][0] - EYES_AT[0][0]) / (left[0] - right[0]))
    x, y = np.mean(EYES_AT, axis=0) - scale * (right + left) / 2
    return Camera(scale, (float(x), float(y)))


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Return the rotation (3, 3) of the head by degrees.

    yaw > 0 turns the nose to the image's right, pitch > 0 down, roll > 0 tilts the head clockwise in the image.
    """
    a, b, c = np.radians([yaw, pitch, -roll])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    tilt = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return tilt @ turn @ nod


def develop(linear: np.ndarray, block: int) -> np.ndarray:
    """Return uint8 sRGB (S, S, 3) from linear light (S·block, S·block, 3), highlights rolled off."""
    side = len(linear) // block
    soft = cv2.GaussianBlur(linear, (0, 0), LENS_BLUR * block)
    small = cv2.resize(soft, (side, side), interpolation=cv2.INTER_AREA)
    small = np.where(small < 0.6, small, 0.6 + 0.4 * np.tanh((small - 0.6) / 0.4))
    srgb = np.where(small <= 0.0031308, 12.92 * small, 1.055 * np.maximum(small, 1e-6) ** (1 / 2.4) - 0.055)
    return (np.clip(srgb, 0, 1) * 255 + 0.5).astype(np.uint8)
