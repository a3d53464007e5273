"""Adds the change of a crop to its photograph, and leaves every other pixel as it was."""

from __future__ import annotations

import cv2
import numpy as np

from mien.faces.masks import feathered_mask, smooth_for, tiles


def paste_residual(
    rgb: np.ndarray, residual: np.ndarray, matrix: np.ndarray, mask: np.ndarray | None = None
) -> np.ndarray:
    """Return the photo uint8 (H, W, 3) with the crop's change added, so that it keeps its own detail and colour.

    `residual` float (s, s, 3) in grey levels −255..255; `matrix` (2, 3) photo → crop of side s; `mask` (s, s) in 0..1,
    by default `feathered_mask(s)`. Pixels where the mask is 0 stay bit for bit, so does all with a residual of zeros.
    The residual is enlarged by cubic interpolation and clipped to the range of the nine pixels around: it cannot ring.
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
