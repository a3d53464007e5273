"""TER-GAN's augmentation: five crops × rotations × flip, as one affine warp of each image.

Images are aligned, so a "crop" here is a shift of the whole image, mirrored beyond its border: the model always sees a
whole face at its own size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product

import cv2
import numpy as np

CORNERS = ((0, 0), (-1, -1), (1, -1), (-1, 1), (1, 1))
"""The five crops' directions (x, y): centre, then the corners."""


@dataclass(frozen=True)
class Warp:
    """One image's augmentation: flip, then turn and scale about the centre, then shift, then colour."""

    flip: bool = False
    angle: float = 0.0  # degrees, counter-clockwise as seen
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)  # x, y as shares of the size
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)  # R, G, B
    contrast: float = 1.0  # about mid grey
    brightness: float = 0.0  # added, as a share of white

    @property
    def colours(self) -> bool:
        """Whether pixel values change, not only places."""
        return self.gain != (1.0, 1.0, 1.0) or self.contrast != 1.0 or self.brightness != 0.0


@dataclass(frozen=True)
class Augmentation:
    """What may be drawn: each choice equally likely, each ± range uniform.

    Raises ValueError where a share is outside [0, 1) or there is no rotation to draw.
    """

    crops: bool = True
    margin: float = 0.06  # how far a corner crop shifts, as a share of the size; rounded to whole pixels
    rotations: tuple[float, ...] = (-6.0, -3.0, 0.0, 3.0, 6.0)  # degrees
    flip: bool = True
    colour: float = 0.0  # ± share of each channel's gain, of contrast and of brightness
    scale: float = 0.0  # ± share of the size
    anywhere: bool = False  # a crop shifts by any part of the margin, not to one of five places

    def __post_init__(self) -> None:
        for name, share in (("margin", self.margin), ("colour", self.colour), ("scale", self.scale)):
            if not 0 <= share < 1:
                raise ValueError(f"Augmentation.{name} is {share}; expected a share from 0 to below 1")
        if not self.rotations:
            raise ValueError("Augmentation.rotations is empty; expected (0,) for none")

    def variants(self) -> list[Warp]:
        """Return every geometric variant: crops × rotations × flips, 50 by default; without scale and colour."""
        shifts = CORNERS if self.crops else CORNERS[:1]
        flips = (False, True) if self.flip else (False,)
        return [
            Warp(flip=flip, angle=angle, shift=(x * self.margin, y * self.margin))
            for (x, y), angle, flip in product(shifts, self.rotations, flips)
        ]

    def draw(self, rng: np.random.Generator) -> Warp:
        """Draw one variant; takes the same count of random numbers whatever is switched on."""
        u = rng.random(9)
        x, y = CORNERS[int(u[0] * 5)] if self.crops else CORNERS[0]
        spread = (2 * u[3:] - 1).tolist()  # six in [-1, 1)
        warp = Warp(
            flip=self.flip and bool(u[1] < 0.5),
            angle=self.rotations[int(u[2] * len(self.rotations))],
            scale=1 + self.scale * spread[0],
            shift=(x * self.margin, y * self.margin),
        )
        if self.anywhere:  # the remainders of the numbers that chose place and flip are uniform, too
            warp = replace(warp, shift=tuple(self.margin * (2 * left - 1) for left in (u[0] * 5 % 1, u[1] * 2 % 1)))
        if not self.colour:
            return warp
        red, green, blue, contrast, brightness = (self.colour * s for s in spread[1:])
        return replace(warp, gain=(1 + red, 1 + green, 1 + blue), contrast=1 + contrast, brightness=brightness)


def apply(image: np.ndarray, warp: Warp, size: int) -> np.ndarray:
    """Warp (H, H, 3) uint8 RGB into (size, size, 3) uint8: bilinear, mirrored beyond the border.

    Shifts are rounded to whole pixels of the result, so an unturned crop stays as sharp as it was.
    """
    matrix = inverse_matrix(warp, image.shape[0], size)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return recolour(out, warp) if warp.colours else out


def inverse_matrix(warp: Warp, old: int, new: int) -> np.ndarray:
    """Return the (2, 3) matrix from a pixel of the result (x, y, 1) to a place in the image `old` pixels wide."""
    zoom, turn = old / new / warp.scale, math.radians(warp.angle)
    # Counter-clockwise as seen, with y down: a place in the result is turned back clockwise.
    cos, sin = zoom * math.cos(turn), zoom * math.sin(turn)
    a, b = (-cos, sin) if warp.flip else (cos, -sin)
    x, y = ((new - 1) / 2 + round(share * new) for share in warp.shift)  # where the old centre comes to lie
    centre = (old - 1) / 2
    return np.array([[a, b, centre - a * x - b * y], [sin, cos, centre - sin * x - cos * y]])


def recolour(image: np.ndarray, warp: Warp) -> np.ndarray:
    """Return (H, W, 3) uint8 with each channel's gain, then contrast about mid grey, then brightness; clipped."""
    # ((v * gain - 127.5) * contrast + 127.5 + 255 * brightness) for every level v at once
    slope = np.multiply(warp.gain, warp.contrast, dtype=np.float32)  # (3,)
    levels = LEVELS * slope + np.float32(127.5 * (1 - warp.contrast) + 255 * warp.brightness)  # (256, 3)
    np.rint(levels, out=levels)
    np.minimum(np.maximum(levels, 0, out=levels), 255, out=levels)
    return cv2.LUT(image, levels.astype(np.uint8)[None])


LEVELS = np.arange(256, dtype=np.float32)[:, None]
