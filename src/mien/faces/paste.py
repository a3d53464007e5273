"""Puts an edited crop back into its photograph, and leaves every other pixel as it was."""

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
    """Smooth oval over the face of the template: float32 (size, size), 1 inside, falling to exactly 0 at the border."""
    grid = (np.arange(size) + 0.5) / size
    x = np.abs(grid - OVAL_CENTRE[0])[None, :] / OVAL_RADII[0]
    y = np.abs(grid - OVAL_CENTRE[1])[:, None] / OVAL_RADII[1]
    radius = (x**OVAL_POWER + y**OVAL_POWER) ** (1 / OVAL_POWER)
    mask = smooth_step((1 - radius) / FEATHER).astype(np.float32)
    mask[[0, -1], :] = 0
    mask[:, [0, -1]] = 0
    return mask


def landmark_mask(points: np.ndarray, size: int) -> np.ndarray:
    """Smooth mask of the face whose landmarks (68, 2) are given in crop pixels: as `feathered_mask`, and inside of it.

    What the landmarks enclose, with a forehead above the brows as high as the nose is long, and room for the jaw to
    drop; what lies beside the face, hair and background, is left alone.
    """
    jaw, brows = points[:17], points[17:27]
    up = points[27] - points[33]  # along the nose, to its root
    room = jaw + ROOM * (jaw - points[30])
    hull = cv2.convexHull(np.concatenate([points, brows + up, room, room - 0.3 * up]).astype(np.float32))
    inside = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(inside, np.rint(hull * 16).astype(np.int32), 1, shift=4)
    deep = cv2.distanceTransform(cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 5)
    rim = RIM * float(np.linalg.norm(points[45] - points[36]))
    return np.minimum(smooth_step((deep[1:-1, 1:-1] - 1) / rim), feathered_mask(size)).astype(np.float32)


def smooth_step(x: np.ndarray) -> np.ndarray:
    """0 up to 0, 1 from 1 on, and smooth between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def tiles(matrix: np.ndarray, size: int, shape: tuple[int, ...]) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right, bottom of the tiles that cover the crop's footprint inside a photo of `shape`."""
    left, top, right, bottom = footprint(matrix, size)
    x0, x1 = max(0, int(np.floor(left))), min(shape[1], int(np.ceil(right)) + 1)
    y0, y1 = max(0, int(np.floor(top))), min(shape[0], int(np.ceil(bottom)) + 1)
    for y in range(y0, y1, TILE):
        for x in range(x0, x1, TILE):
            yield x, y, min(x + TILE, x1), min(y + TILE, y1)


def smooth_for(matrix: np.ndarray, image: np.ndarray) -> np.ndarray:
    """`image` of the crop, blurred as far as the photo's face is smaller than the crop and would alias."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale <= 1:
        return image
    return cv2.GaussianBlur(image, (0, 0), 0.5 * np.sqrt(scale**2 - 1), borderType=cv2.BORDER_REFLECT)


def paste_residual(
    rgb: np.ndarray, residual: np.ndarray, matrix: np.ndarray, mask: np.ndarray | None = None
) -> np.ndarray:
    """Photo uint8 (H, W, 3) with the crop's change added, so that it keeps its own detail and colour.

    `residual` float (s, s, 3) in grey levels −255..255; `matrix` (2, 3) photo → crop of side s; `mask` (s, s) in 0..1,
    by default `feathered_mask(s)`. Pixels where the mask is 0 stay bit for bit, so does all with a residual of zeros.
    The residual comes up by cubic interpolation, held within the range of the nine pixels around: it cannot ring.
    """
    size = residual.shape[0]
    mask = feathered_mask(size) if mask is None else np.ascontiguousarray(mask, np.float32)
    if residual.shape != (size, size, 3) or mask.shape != (size, size):
        raise ValueError(f"expected a square crop and its mask, not {residual.shape} and {mask.shape}")
    change = smooth_for(matrix, np.ascontiguousarray(residual, np.float32))
    square = np.ones((3, 3), np.uint8)
    lowest, highest = cv2.erode(change, square), cv2.dilate(change, square)
    result = rgb.copy()
    for x0, y0, x1, y1 in tiles(matrix, size, rgb.shape):
        # warpAffine looks up crop = matrix · (tile pixel + tile corner); its inverse flag says the matrix goes that way
        moved = np.column_stack([matrix[:, :2], matrix[:, :2] @ [x0, y0] + matrix[:, 2]])

        def bring(source: np.ndarray, how: int, border: int, moved=moved, to=(x1 - x0, y1 - y0)) -> np.ndarray:
            return cv2.warpAffine(source, moved, to, flags=how | cv2.WARP_INVERSE_MAP, borderMode=border)

        weight = bring(mask, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)[..., None]
        if not weight.any():
            continue
        fine = bring(change, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)
        fine = np.maximum(fine, bring(lowest, cv2.INTER_NEAREST, cv2.BORDER_REPLICATE))
        fine = np.minimum(fine, bring(highest, cv2.INTER_NEAREST, cv2.BORDER_REPLICATE))
        tile = result[y0:y1, x0:x1]
        changed = np.clip(np.rint(tile.astype(np.float32) + weight * fine), 0, 255).astype(np.uint8)
        tile[:] = np.where(weight > 0, changed, tile)
    return result
