"""Where in a photograph a change goes: smooth masks of the face, and the tiles that it covers."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from mien.faces.align import footprint

TILE = 1024  # pixels; a face may fill a photograph of 100 megapixels, floats of all of it would not fit in memory
OVAL_CENTRE = (0.50, 0.52)  # of the crop's side
OVAL_RADII = (0.49, 0.47)  # so that the oval stays inside the crop
OVAL_POWER = 3.0  # between an ellipse (2) and a rectangle: jaws are square, and a dropped chin has to stay inside
FEATHER = 0.22  # the rim's share of the radius
RIM = 0.2  # of a mask by landmarks, in ways between the outer corners of the eyes
ROOM = 0.12  # how far beyond the jaw it goes, of the way from the nose's tip


def feathered_mask(size: int) -> np.ndarray:
    """Return a smooth oval over the template's face, float32 (size, size): 1 inside, falling to 0 at the border."""
    grid = (np.arange(size) + 0.5) / size
    x = np.abs(grid - OVAL_CENTRE[0])[None, :] / OVAL_RADII[0]
    y = np.abs(grid - OVAL_CENTRE[1])[:, None] / OVAL_RADII[1]
    radius = (x**OVAL_POWER + y**OVAL_POWER) ** (1 / OVAL_POWER)
    mask = smooth_step((1 - radius) / FEATHER).astype(np.float32)
    mask[[0, -1], :] = 0
    mask[:, [0, -1]] = 0
    return mask


def landmark_mask(points: np.ndarray, size: int) -> np.ndarray:
    """Return a smooth mask of the face whose landmarks (68, 2) are given in crop pixels, within `feathered_mask`.

    It covers what the landmarks enclose, a forehead as high as the nose is long, and room for the jaw to drop; not the
    hair and the background.
    """
    jaw, brows = points[:17], points[17:27]
    up = points[27] - points[33]  # along the nose, to its root
    room = jaw + ROOM * (jaw - points[30])
    hull = cv2.convexHull(np.concatenate([points, brows + up, room, room - 0.3 * up]).astype(np.float32))
    inside = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(inside, np.rint(hull * 16).astype(np.int32), 1, shift=4)
    depth = cv2.distanceTransform(cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 5)
    rim = RIM * float(np.linalg.norm(points[45] - points[36]))
    return np.minimum(smooth_step((depth[1:-1, 1:-1] - 1) / rim), feathered_mask(size)).astype(np.float32)


def smooth_step(x: np.ndarray) -> np.ndarray:
    """Return 0 up to 0, 1 from 1 on, and smooth values between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def tiles(matrix: np.ndarray, size: int, shape: tuple[int, ...]) -> Iterator[tuple[int, int, int, int]]:
    """Yield left, top, right, bottom of the tiles that cover the crop's footprint inside a photo of `shape`."""
    left, top, right, bottom = footprint(matrix, size)
    x0, x1 = max(0, int(np.floor(left))), min(shape[1], int(np.ceil(right)) + 1)
    y0, y1 = max(0, int(np.floor(top))), min(shape[0], int(np.ceil(bottom)) + 1)
    for y in range(y0, y1, TILE):
        for x in range(x0, x1, TILE):
            yield x, y, min(x + TILE, x1), min(y + TILE, y1)


def smooth_for(matrix: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Return an image of the crop, blurred as far as the face in the photo is smaller, lest it alias there."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale <= 1:
        return image
    return cv2.GaussianBlur(image, (0, 0), 0.5 * np.sqrt(scale**2 - 1), borderType=cv2.BORDER_REFLECT)
