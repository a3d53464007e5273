"""A face of a photograph on the one template that every model sees, by a similarity transform.

Coordinates are pixel indices (x to the right, y down) whose whole numbers are pixel *centres*: an image of width W
reaches from −0.5 to W − 0.5. A matrix is 2×3 and takes homogeneous photo points to crop points.
"""

from __future__ import annotations

import cv2
import numpy as np

EYES = ((0.35, 0.40), (0.65, 0.40))  # of the crop's side; the mid-points of each eye's corners, image's left eye first

_LONGEST = 32_000  # pixels of a side that OpenCV's warps take


def template(size: int) -> np.ndarray:
    """Return eye centres in a crop of `size` pixels: (2, 2) float64, image's left eye first."""
    return np.asarray(EYES) * size - 0.5


RIM = 127  # the level of a plain rim


def similarity(eyes: np.ndarray, size: int) -> np.ndarray:
    """Return rotation, scale and shift, (2, 3) float64, that takes photo `eyes` (2, 2) onto `template(size)`.

    Raises ValueError where the eyes are one point or not finite.
    """
    (x0, y0), (x1, y1) = np.asarray(eyes, np.float64)
    (u0, v0), (u1, v1) = template(size)
    # Two points fix a similarity: as complex numbers, crop = a · photo + b.
    across = complex(x1 - x0, y1 - y0)
    if not np.isfinite(across) or abs(across) < 1e-6:
        raise ValueError(f"eyes must be two different points, not {eyes}")
    a = complex(u1 - u0, v1 - v0) / across
    b = complex(u0, v0) - a * complex(x0, y0)
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def similarity_onto(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Return rotation, scale and shift, (2, 3) float64, that takes `points` (P, 2) nearest to `onto` (P, 2).

    Least squares, as Umeyama (1991) gives where nothing is mirrored. Raises ValueError where the points are one.
    """
    a, b = (np.asarray(p, np.float64) @ (1, 1j) for p in (points, onto))  # as in `similarity`: b = turn · a + shift
    spread = a - a.mean()
    length = np.vdot(spread, spread).real
    if not np.isfinite(length) or length < 1e-12:
        raise ValueError(f"points must differ, not {points}")
    turn = np.vdot(spread, b - b.mean()) / length
    shift = b.mean() - turn * a.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def invert(matrix: np.ndarray) -> np.ndarray:
    """Return the (2, 3) transform that undoes `matrix`."""
    return np.asarray(cv2.invertAffineTransform(np.asarray(matrix, np.float64)))


def roll_of(matrix: np.ndarray, points: np.ndarray | None = None) -> float:
    """Return how far a face is tilted in its photo, in degrees, clockwise positive, -180 to 180.

    It is the tilt that `matrix` (photo -> crop) took out, and that of the line between the eye centres `points` (2, 2)
    in the crop, where they are known better.
    """
    turned = -np.arctan2(matrix[1, 0], matrix[0, 0])
    if points is not None:
        (x0, y0), (x1, y1) = points
        turned += np.arctan2(y1 - y0, x1 - x0)
    return float((np.degrees(turned) + 180) % 360 - 180)


def rescaled(matrix: np.ndarray, scale: float | np.ndarray) -> np.ndarray:
    """Return the transform (2, 3) onto the same crop `scale` times as large; two scales, if x and y differ."""
    moved = matrix * np.reshape(scale, (-1, 1))
    moved[:, 2] += (np.asarray(scale) - 1) / 2  # pixel centres are whole numbers in both
    return moved


def footprint(matrix: np.ndarray, size: int) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of the crop of side `size` in the photo's coordinates; may reach outside it."""
    corners = np.array([[-0.5, -0.5], [size - 0.5, -0.5], [-0.5, size - 0.5], [size - 0.5, size - 0.5]])
    back = invert(matrix)
    points = corners @ back[:, :2].T + back[:, 2]
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def _span(low: float, high: float, length: int) -> tuple[int, int]:
    """Return start and stop of the pixels needed for [low, high], within 0..length.

    What lies outside is a reflection, so as much is needed inside the border as is missing outside of it.
    """
    start, stop = int(np.floor(low)), int(np.ceil(high)) + 1
    missing = max(0, -start, stop - length)
    return max(0, min(start, length - 1) - missing), min(length, max(stop, 1) + missing)


def align(rgb: np.ndarray, matrix: np.ndarray, size: int, beyond: int | None = None) -> np.ndarray:
    """Return the crop, uint8 (size, size, 3), that `matrix` (photo → crop) cuts from uint8 `rgb` (H, W, 3).

    Shrinking is done without aliasing: whole pixels are averaged first, the rest is blurred before it is sampled.
    Where the crop reaches past the photo, the photo is mirrored, or has the level `beyond`: half a face and its mirror
    image look like another face, so who looks for one is given a plain rim.
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    shrink = max(1, int(0.5 / scale))  # leaves at least a factor of two to the blur, whose shape is rounder
    margin = 4 * shrink + 2 / scale
    left, top, right, bottom = footprint(matrix, size)
    x0, x1 = _span(left - margin, right + margin, rgb.shape[1])
    y0, y1 = _span(top - margin, bottom + margin, rgb.shape[0])
    region = rgb[y0:y1, x0:x1]
    if shrink > 1:
        region = cv2.copyMakeBorder(region, 0, -(y1 - y0) % shrink, 0, -(x1 - x0) % shrink, cv2.BORDER_REFLECT)
        small = (region.shape[1] // shrink, region.shape[0] // shrink)
        region = cv2.resize(region, small, interpolation=cv2.INTER_AREA)
    rest = scale * shrink
    if rest < 1:
        region = cv2.GaussianBlur(region, (0, 0), 0.5 * np.sqrt(1 / rest**2 - 1), borderType=cv2.BORDER_REFLECT)
    whole = np.array([region.shape[1], region.shape[0]])
    if whole.max() > _LONGEST:  # a strip, taken as a crop
        region = cv2.resize(region, np.minimum(whole, _LONGEST).tolist(), interpolation=cv2.INTER_AREA)
    shrunk = shrink * whole / (region.shape[1], region.shape[0])
    # Pixel i of the averaged region lies at (i + ½)·shrunk − ½ of the region, and the region at (x0, y0) of the photo.
    offset = np.array([x0, y0]) + (shrunk - 1) / 2
    moved = np.column_stack([matrix[:, :2] * shrunk, matrix[:, :2] @ offset + matrix[:, 2]])
    crop = cv2.warpAffine(region, moved, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    height, width = rgb.shape[:2]
    if beyond is not None and (left < -0.5 or top < -0.5 or right > width - 0.5 or bottom > height - 0.5):
        back, (down, across) = invert(matrix), np.mgrid[:size, :size]
        x, y = (row[0] * across + row[1] * down + row[2] for row in back)
        crop[(x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5)] = beyond
    return crop
