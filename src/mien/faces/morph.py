"""Moves, shades and covers the pixels of a photograph's face at its full resolution; all others stay as they were."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.faces.align import rescaled
from mien.faces.masks import smooth_for, smooth_step, tiles

RIM = 0.06  # of the crop's side, over which a change fades


@dataclass(frozen=True)
class Maps:
    """What to do to a face, each on a grid of its own over the crop, all float32."""

    flow: np.ndarray  # (g, g, 2) x, y in shares of the crop's side: where each pixel comes from
    shade: np.ndarray  # (v, v) log of what its brightness is multiplied by
    alpha: np.ndarray  # (s, s) in [0, 1]: how far paint covers it
    paint: np.ndarray  # (s, s, 3) in grey levels 0..255


def morph(rgb: np.ndarray, maps: Maps, matrix: np.ndarray, size: int, mask: np.ndarray | None = None) -> np.ndarray:
    """Return the photo uint8 (H, W, 3) with its face moved, shaded and covered.

    `matrix` (2, 3) photo → crop of side `size`; `mask` (size, size) in 0..1, by default `frame_mask(size)`. Where
    it falls, less is moved, shaded and covered (before and after are not mixed); where it is 0, all stays bit for bit.
    """
    mask = frame_mask(size) if mask is None else np.ascontiguousarray(mask, np.float32)
    back = np.linalg.inv(matrix[:, :2]) * size  # a motion in shares of the crop -> in photo pixels
    motion = np.ascontiguousarray(maps.flow @ back.T.astype(np.float32))
    result = rgb.copy()
    for x0, y0, x1, y1 in tiles(matrix, size, rgb.shape):
        place = _Place(matrix, size, (x0, y0, x1, y1))
        weight = place.bring(mask, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
        if not weight.any():
            continue
        moved = place.bring(motion, cv2.INTER_CUBIC) * weight[..., None]
        x, y = np.meshgrid(np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32))
        left, top, source = _around(rgb, x + moved[..., 0], y + moved[..., 1])
        fetched = cv2.remap(
            source, x + moved[..., 0] - left, y + moved[..., 1] - top, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        made = fetched * np.exp(place.bring(maps.shade, cv2.INTER_LINEAR) * weight)[..., None]
        alpha = place.bring(maps.alpha, cv2.INTER_LINEAR) * weight
        if alpha.max() > 1 / 512:
            made += alpha[..., None] * (place.bring(maps.paint, cv2.INTER_CUBIC) - made)
        tile = result[y0:y1, x0:x1]
        tile[:] = np.where(weight[..., None] > 0, np.clip(np.rint(made), 0, 255).astype(np.uint8), tile)
    return result


def frame_mask(size: int) -> np.ndarray:
    """Return a mask of the crop but its rim: float32 (size, size), 1 inside, falling to exactly 0 at the border.

    Maps are 0 where nothing is to be done, so they need no mask of the face, as a composited change does.
    """
    grid = (np.arange(size) + 0.5) / size
    edge = smooth_step(np.minimum(grid, 1 - grid) / RIM)
    edge[[0, -1]] = 0
    return (edge[:, None] * edge[None]).astype(np.float32)


class _Place:
    """A tile of the photograph, to which maps of the crop are brought."""

    def __init__(self, matrix: np.ndarray, size: int, box: tuple[int, int, int, int]):
        x0, y0, x1, y1 = box
        self.matrix, self.size, self.shape = matrix, size, (x1 - x0, y1 - y0)
        # crop = matrix · (tile pixel + tile corner)
        self.moved = np.column_stack([matrix[:, :2], matrix[:, :2] @ [x0, y0] + matrix[:, 2]])

    def bring(self, grid: np.ndarray, how: int, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
        """Return a map of the crop at the tile's pixels, smoothed as far as those are coarser."""
        matrix = rescaled(self.moved, grid.shape[0] / self.size)
        fine = smooth_for(matrix, np.ascontiguousarray(grid, np.float32))
        return cv2.warpAffine(fine, matrix, self.shape, flags=how | cv2.WARP_INVERSE_MAP, borderMode=border)


def _around(rgb: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[int, int, np.ndarray]:
    """Return corner and pixels of the part on which places (h, w) fall: OpenCV takes no 32768 pixels in a row."""
    left, top = (max(0, int(np.floor(v.min())) - 2) for v in (x, y))
    right, bottom = int(np.ceil(x.max())) + 3, int(np.ceil(y.max())) + 3
    part = rgb[min(top, len(rgb) - 1) : bottom, min(left, rgb.shape[1] - 1) : right]
    return min(left, rgb.shape[1] - 1), min(top, len(rgb) - 1), part.astype(np.float32)
