"""What becomes of pictures in the wild, one thing at a time and by a known amount.

Everything takes and returns an aligned crop, uint8 RGB (S, S, 3). What is given in pixels is meant at 128 of them.
"""

from __future__ import annotations

import cv2
import numpy as np

FRAME = 128.0  # pixels of a side at which blur is told

FACE = ((0.5, 0.55), (0.32, 0.42))
"""Centre and half axes of a face in its crop, in shares of the side: what a hand can cover."""

WIDTH, PALM, TIPS = 0.46, 0.25, (0.05, 0.0, 0.02, 0.08)
"""A hand's width, and how far its palm and its fingertips are behind the longest finger's, in sides."""


def smaller(picture: np.ndarray, pixels: float) -> np.ndarray:
    """Return a crop that had no more than so many pixels a side, brought back to its size."""
    side, few = len(picture), round(pixels)
    if few >= side:
        return picture
    small = cv2.resize(picture, (few, few), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Return a crop out of focus: by a Gaussian of `sigma` pixels at 128."""
    if not sigma:
        return picture
    return cv2.GaussianBlur(picture, (0, 0), sigma * len(picture) / FRAME, borderType=cv2.BORDER_REFLECT_101)


def packed(picture: np.ndarray, quality: float) -> np.ndarray:
    """Return a crop as a JPEG of this quality, 1-100, leaves it; above 100 as it is."""
    if quality > 100:
        return picture
    _, file = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, round(quality)])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR))[..., ::-1])


def greyed(picture: np.ndarray, share: float) -> np.ndarray:
    """Return a crop whose colours are gone by this share: 0 as it is, 1 grey."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
    return np.rint(picture + share * (grey.astype(float) - picture)).astype(np.uint8)


def cropped(picture: np.ndarray, scale: float) -> np.ndarray:
    """Return a crop whose face is `scale` times as large: above 1 cut tighter, below 1 with a mirrored border."""
    return _moved(picture, scale, 0.0)


def rolled(picture: np.ndarray, degrees: float) -> np.ndarray:
    """Return a crop turned about its middle, clockwise for degrees > 0, with a mirrored border."""
    return _moved(picture, 1.0, degrees)


def _moved(picture: np.ndarray, scale: float, degrees: float) -> np.ndarray:
    if scale == 1 and not degrees:
        return picture
    side = len(picture)
    middle = (side - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), -degrees, scale)
    if scale < 1:  # without aliasing
        picture = cv2.GaussianBlur(picture, (0, 0), 0.5 * np.sqrt(1 / scale**2 - 1), borderType=cv2.BORDER_REFLECT_101)
    return cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)


def covered(picture: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    """Return a crop with a hand before this share of the face: it comes from below or a side, as the seed draws."""
    if share <= 0:
        return picture
    side = len(picture)
    rng = np.random.default_rng(seed)
    degrees, across = rng.choice([-90.0, -45.0, 0.0, 45.0, 90.0]) + rng.uniform(-15, 15), rng.uniform(-0.1, 0.1)
    face, reach = face_mask(side), hand_reach(side, degrees, across)
    first = np.sort(reach[face])  # the pixels of the face in the order in which the hand gets there
    hand = reach <= first[min(round(share * len(first)), np.isfinite(first).sum()) - 1]
    skin = np.median(picture[face], axis=0) * rng.uniform(0.75, 1.0)
    shade = 1 - 0.25 * cv2.GaussianBlur((~hand).astype(np.float32), (0, 0), 0.03 * side)  # its edge lies in shadow
    drawn = np.clip(skin * shade[..., None] + rng.normal(0, 4, (side, side, 1)), 0, 255)
    soft = cv2.GaussianBlur(hand.astype(np.float32), (0, 0), max(side / 200, 0.3))[..., None]
    return np.rint(picture + soft * (drawn - picture)).astype(np.uint8)


def face_mask(side: int) -> np.ndarray:
    """Return (S, S) bool: where the face is in its crop."""
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    (cx, cy), (rx, ry) = FACE
    return np.asarray(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1)


def hand_reach(side: int, degrees: float, across: float) -> np.ndarray:
    """Return (S, S) how far a flat hand must have come, in sides, to cover each pixel; inf where it never does.

    Four fingers go ahead; it comes from below for 0 degrees, from the left for 90, `across` sides beside the middle.
    """
    y, x = (np.mgrid[:side, :side] + 0.5) / side - 0.5
    angle = np.deg2rad(degrees)
    along = np.sin(angle) * x - np.cos(angle) * y
    beside = (np.cos(angle) * x + np.sin(angle) * y - across) / WIDTH + 0.5  # 0 to 1 from edge to edge
    finger = np.clip(np.floor(4 * beside), 0, 3).astype(int)
    gap = np.abs(4 * beside - finger - 0.5) > 0.46
    reach = np.where(gap, along + PALM, along + np.array(TIPS)[finger])
    return np.where((beside >= 0) & (beside < 1), reach, np.inf)
