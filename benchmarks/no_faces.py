"""Pictures without a face: scikit-image's and patterns drawn here, those to learn from apart from those to test on."""

from __future__ import annotations

import string
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import skimage

PICTURES = {
    "train": (
        "brick.png", "chelsea.png", "chessboard_GRAY.png", "coffee.png", "horse.png", "hubble_deep_field.jpg",
        "ihc.png", "logo.png", "moon.png", "motorcycle_left.png", "page.png", "retina.jpg", "rocket.jpg",
    ),
    "test": (
        "gravel.png", "grass.png", "cell.png", "chessboard_RGB.png", "clock_motion.png", "color.png",
        "microaneurysms.png", "phantom.png", "text.png",
    ),
}  # fmt: skip
"""scikit-image's pictures by their part. Left out: the astronaut, the cameraman, and coins, which show heads."""


def picture(part: str, rng: np.random.Generator, side: int) -> np.ndarray:
    """Return a picture uint8 (side, side, 3) without a face: half are cut from scikit-image's, half are drawn."""
    if rng.random() < 0.5:
        names = PICTURES[part]
        return cut_out(bundled(names[rng.integers(len(names))]), rng, side)
    kinds = PATTERNS[part]
    return coloured(kinds[rng.integers(len(kinds))](rng, side), rng)


@cache
def bundled(name: str) -> np.ndarray:
    """Return a picture that scikit-image's wheel brings along, RGB."""
    return np.ascontiguousarray(cv2.imread(str(Path(skimage.__file__).parent / "data" / name))[..., ::-1])


def cut_out(rgb: np.ndarray, rng: np.random.Generator, side: int) -> np.ndarray:
    """Return a square of a picture, an eighth of it or more, turned by a right angle or by any, mirrored, scaled."""
    height, width = rgb.shape[:2]
    share = np.exp(rng.uniform(np.log(0.12), 0)) * min(height, width)
    centre = rng.uniform(share / 2, [max(width - share / 2, share / 2 + 1), max(height - share / 2, share / 2 + 1)])
    angle = np.deg2rad(90 * rng.integers(4) + (rng.uniform(-45, 45) if rng.random() < 0.5 else 0))
    turn = side / share * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    if rng.random() < 0.5:
        turn[0] *= -1
    matrix = np.column_stack([turn, side / 2 - turn @ centre])
    if share > side:
        rgb = cv2.GaussianBlur(rgb, (0, 0), 0.4 * share / side)
    how = cv2.INTER_CUBIC if rng.random() < 0.7 else cv2.INTER_LINEAR
    return cv2.warpAffine(rgb, matrix, (side, side), flags=how, borderMode=cv2.BORDER_REFLECT)


def coloured(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a pattern (H, W) in 0-1 as uint8 RGB between two colours, a third of them greys."""
    ends = rng.uniform(0, 255, (2, 3)) if rng.random() < 0.67 else np.repeat(rng.uniform(0, 255, (2, 1)), 3, 1)
    mixed = ends[0] + grey[..., None] * (ends[1] - ends[0])
    return np.clip(mixed + rng.normal(0, rng.uniform(0, 12), mixed.shape), 0, 255).astype(np.uint8)


def noise(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return soft noise of several scales, as of clouds, stone or skin."""
    total, fall = np.zeros((side, side), np.float32), rng.uniform(0.4, 1.1)
    for octave in range(2, 8):
        cells = rng.normal(0, 1, (2**octave, 2**octave)).astype(np.float32)
        total += fall**octave * cv2.resize(cells, (side, side), interpolation=cv2.INTER_CUBIC)
    return stretched(total)


def stripes(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return waves of one direction, or of two, bent."""
    y, x = np.mgrid[:side, :side] / side
    total = np.zeros((side, side))
    for _ in range(rng.integers(1, 3)):
        angle, bend = rng.uniform(0, np.pi), rng.uniform(0, 0.3)
        along = x * np.cos(angle) + y * np.sin(angle) + bend * np.sin(rng.uniform(2, 9) * (y - x))
        total += np.sin(2 * np.pi * np.exp(rng.uniform(np.log(3), np.log(40))) * along)
    return stretched(total if rng.random() < 0.5 else np.sign(total))


def checkers(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return a board, its fields of equal or of random brightness."""
    count = int(rng.integers(4, 30))
    fields = np.indices((count, count)).sum(0) % 2 if rng.random() < 0.5 else rng.random((count, count))
    return cv2.resize(fields.astype(np.float32), (side, side), interpolation=cv2.INTER_NEAREST)


def shapes(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return a heap of ellipses and polygons."""
    page = np.full((side, side), rng.random(), np.float32)
    for _ in range(rng.integers(8, 120)):
        centre, size = rng.uniform(0, side, 2), side * np.exp(rng.uniform(np.log(0.01), np.log(0.25)))
        if rng.random() < 0.6:
            axes = (int(size), int(size * rng.uniform(0.3, 1)))
            cv2.ellipse(page, centre.astype(int).tolist(), axes, rng.uniform(0, 180), 0, 360, rng.random(), -1, 16)
        else:
            corners = (centre + rng.normal(0, size, (rng.integers(3, 6), 2))).astype(np.int32)
            cv2.fillPoly(page, [corners], rng.random(), 16)
    return page


def dots(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return dots or rings in rows."""
    page, step = np.zeros((side, side), np.float32), int(side / rng.uniform(5, 30)) + 3
    thick = -1 if rng.random() < 0.6 else max(1, step // 8)
    for y in range(step // 2, side, step):
        for x in range(step // 2, side, step):
            shift = rng.normal(0, step * 0.08, 2)
            cv2.circle(page, (int(x + shift[0]), int(y + shift[1])), int(step * 0.3), 1.0, thick, 16)
    return page


def letters(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return lines of random letters."""
    page, size = np.zeros((side, side), np.float32), rng.uniform(0.4, 3)
    for y in range(int(20 * size), side, int(26 * size)):
        line = "".join(rng.choice(list(string.ascii_letters + string.digits + "    "), 60))
        cv2.putText(page, line, (int(rng.uniform(-20, 20)), y), int(rng.integers(8)), size, 1.0, int(size) + 1, 16)
    return page


def cells(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return pebbles: places nearest to random points, darker towards their rims."""
    seeds = np.ones((side, side), np.uint8)
    count = int(np.exp(rng.uniform(np.log(20), np.log(900))))
    seeds[tuple(rng.integers(0, side, (2, count)))] = 0
    far, own = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    shade = rng.uniform(0.3, 1, own.max() + 1)[own]
    return stretched(shade * (1 - rng.uniform(0, 0.9) * far / far.max()))


def masonry(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return bricks in courses, each of its own brightness."""
    page, high = np.full((side, side), rng.random(), np.float32), int(side / rng.uniform(5, 25)) + 4
    wide, gap = int(high * rng.uniform(1, 3)), max(1, high // 9)
    for row, y in enumerate(range(0, side, high)):
        for x in range(-wide * (row % 2) // 2, side, wide):
            cv2.rectangle(page, (x + gap, y + gap), (x + wide - gap, y + high - gap), rng.uniform(0.2, 1), -1)
    return page


def fur(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return strands that follow a slowly turning direction, as of hair or grass."""
    page = np.zeros((side, side), np.float32)
    flow = cv2.resize(rng.uniform(-1.5, 1.5, (4, 4)), (side, side), interpolation=cv2.INTER_CUBIC)
    length = side * rng.uniform(0.03, 0.15)
    for x, y in rng.integers(0, side, (int(rng.integers(800, 4000)), 2)):
        angle = flow[y, x] + rng.normal(0, 0.2)
        end = (int(x + length * np.cos(angle)), int(y + length * np.sin(angle)))
        cv2.line(page, (int(x), int(y)), end, rng.random(), int(rng.integers(1, 4)), 16)
    return page


def stretched(values: np.ndarray) -> np.ndarray:
    """Return values between 0 and 1."""
    low, high = float(values.min()), float(values.max())
    return ((values - low) / max(high - low, 1e-6)).astype(np.float32)


Pattern = Callable[[np.random.Generator, int], np.ndarray]
PATTERNS: dict[str, tuple[Pattern, ...]] = {
    "train": (noise, stripes, checkers, shapes, dots, letters),
    "test": (cells, masonry, fur),
}
