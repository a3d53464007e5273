"""Lays two pictures over each other to a fraction of a pixel, and measures how alike they are then."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

INSET = 9  # pixels of 64 at the frame's border, which augmentation fills by mirroring
BANDS = ((2.5, 8.0), (1.0, 4.0))
"""Pairs of sigmas in pixels; light and noise lie outside such bands. The first finds the place, the second compares."""
HOPELESS = 0.8  # coarse correlation below which the fine one is not computed
ROUNDS = 8
STILL = 0.01  # pixels: a step this small ends the search
LEAST = 500  # pixels that must overlap
DARK, BRIGHT = 4, 251  # grey levels beyond which a change of brightness may have cut values off
PATCH = 9


@dataclass(frozen=True)
class Fit:
    """How well one picture explains another: both numbers are about structure, not about brightness or contrast."""

    likeness: float  # correlation, -1 to 1
    worst: float  # error of the worst 9×9 patch, root mean square, as a share of the whole's contrast


NONE = Fit(-1.0, float("inf"))


def fit(a: np.ndarray, b: np.ndarray, start: np.ndarray) -> Fit:
    """Return how well `b` explains `a`, both (S, S) uint8 grey, once it is turned, shifted and scaled to lie over it.

    `start` (2, 3) takes a pixel of `a` to about its place in `b`: to within three pixels of 64, else nothing is found.
    """
    inner = np.zeros(a.shape, np.float32)
    inner[INSET:-INSET, INSET:-INSET] = 1
    usable, open_ = (inner * _exposed(a)) > 0, inner * _exposed(b)
    place, found = np.array([start[0, 0], start[1, 0], start[0, 2], start[1, 2]], np.float64), NONE
    for fine, coarse in BANDS:
        band, stack = _band(a, fine, coarse), _stack(_band(b, fine, coarse), open_)
        settled = _register(band, stack, usable, place)
        found = _compare(band, _lay_over(stack, settled), usable) if settled is not None else NONE
        if settled is None or found.likeness < HOPELESS:
            return found
        place = settled
    return found


def _register(band: np.ndarray, stack: np.ndarray, usable: np.ndarray, place: np.ndarray) -> np.ndarray | None:
    """Return the similarity (4,) that lays a stack over a band best, from one near it; None where they hardly overlap.

    Gauss-Newton on its four numbers, with gain and offset (Lucas & Kanade 1981).
    """
    y, x = np.mgrid[: len(band), : len(band)].astype(np.float32)
    for _ in range(ROUNDS):
        over = _lay_over(stack, place)
        both = usable & (over[..., 3] > 0.99)
        if both.sum() < LEAST:
            return None
        seen, dx, dy = over[both][:, :3].T
        u, v = x[both], y[both]
        slopes = np.stack([dx * u + dy * v, dy * u - dx * v, dx, dy, -band[both], np.ones_like(u)], 1)
        step = np.linalg.lstsq(slopes.T @ slopes, -slopes.T @ seen, rcond=None)[0]
        place = place + step[:4]
        if np.abs(step[2:4]).max() + len(band) * np.abs(step[:2]).max() < STILL:
            break
    return place


def _compare(band: np.ndarray, over: np.ndarray, usable: np.ndarray) -> Fit:
    """Compare `a`'s structure (S, S) with what of `b` lies over it (S, S, 4)."""
    both = usable & (over[..., 3] > 0.99)
    if both.sum() < LEAST:
        return NONE
    x, y = band[both].astype(np.float64), over[both][:, 0].astype(np.float64)
    x, y = x - x.mean(), y - y.mean()
    power = np.sqrt((x @ x) * (y @ y))
    if power < 1e-6 * both.sum():  # an empty picture is like nothing
        return NONE
    error = np.zeros(band.shape, np.float32)
    error[both] = x - (x @ y) / (y @ y) * y
    patches = cv2.blur(error * error, (PATCH, PATCH))
    return Fit(float(x @ y / power), float(np.sqrt(max(patches.max(), 0) / (x @ x) * both.sum())))


def _band(picture: np.ndarray, fine: float, coarse: float) -> np.ndarray:
    grey = picture.astype(np.float32)
    return cv2.GaussianBlur(grey, (0, 0), fine) - cv2.GaussianBlur(grey, (0, 0), coarse)


def _stack(band: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Return (S, S, 4): structure, its slopes along x and y, and where it may be looked at."""
    slopes = [cv2.Sobel(band, cv2.CV_32F, 1 - k, k, ksize=3, scale=1 / 8) for k in (0, 1)]
    return np.dstack([band, *slopes, usable])


def _exposed(picture: np.ndarray) -> np.ndarray:
    """Return where (S, S) nothing near was cut off at black or white, as 0 and 1."""
    kept = ((picture >= DARK) & (picture <= BRIGHT)).astype(np.uint8)
    return cv2.erode(kept, np.ones((3, 3), np.uint8)).astype(np.float32)


def _lay_over(stack: np.ndarray, place: np.ndarray) -> np.ndarray:
    a, b, x, y = place
    m = np.array([[a, -b, x], [b, a, y]], np.float32)
    return cv2.warpAffine(stack, m, stack.shape[:2], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
