"""Pictures whose pixels are fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mien.nn.resample import sampled
from mien.nn.teeth import Teeth
from mien.nn.tint import Tint
from mien.nn.windows import WHOLE, Window, cut, fitted, placed, resized


def warp(image: Tensor, flow: Tensor, window: Window = WHOLE) -> Tensor:
    """Return image(p + flow(p)), bilinear, mirrored beyond its border; or a window of that.

    `image` (B, 3, S, S); `flow` (B, 2, g, g) x, y in shares of the side, brought to S × S.
    """
    return fetched(image, resized(flow.float(), image.shape[-1], window), window)


def fetched(image: Tensor, flow: Tensor, window: Window = WHOLE) -> Tensor:
    """Return image(p + flow(p)) for the pixels p of a window, whose flow is given as (B, 2, h, w)."""
    size = image.shape[-1]
    edges = torch.arange(size, device=image.device, dtype=torch.float32).add(0.5).mul(2 / size).sub(1)
    y, x = torch.meshgrid(edges, edges, indexing="ij")
    grid = (cut(torch.stack([x, y]), window) + 2 * flow).permute(0, 2, 3, 1)
    return sampled(image.float(), grid, mirrored=True).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Patch:
    """What is done in a window, at the frame's own resolution, beyond what is done to the whole face."""

    window: Window
    flow: Tensor  # (B, 2, w, w), added to the face's
    alpha: Tensor  # (B, 1, w, w) in [0, 1]: how far paint covers it
    brightness: Tensor  # (B, 1, w, w) of the paint, 0-1
    redness: Tensor  # (B, 3, w, w), see `Tint`
    tint: Tint
    teeth: Teeth | None = None

    def painted(self, side: int) -> tuple[Tensor, Tensor]:
        """Return the paint's brightness (B, 1, side, side) and redness (B, 3, …); teeth are as sharp as that allows."""
        brightness, redness = fitted(self.brightness, side), fitted(self.redness, side)
        return (brightness, redness) if self.teeth is None else self.teeth.laid_over(brightness, redness)[:2]

    def paint(self, side: int) -> Tensor:
        """Return the paint's colours (B, 3, side, side) in [-1, 1]."""
        return self.tint.painted(*self.painted(side))

    def side(self, size: int) -> int:
        """Return how many pixels the window is wide in a frame of `size`."""
        return round(self.window[2] * size) - round(self.window[0] * size)


@dataclass(frozen=True)
class Fields:
    """What is to be done to a face, each map on a grid of its own, to be brought to any size."""

    flow: Tensor  # (B, 2, g, g) x, y in shares of the side: where each pixel comes from
    shade: Tensor  # (B, 1, v, v) log of what its brightness is multiplied by
    patches: tuple[Patch, ...]

    def motion(self, size: int, window: Window = WHOLE) -> Tensor:
        """Return where each pixel comes from, (B, 2, …), at size × size, or in one of WINDOWS of that."""
        return resized(self.flow, size, window) + self._laid(lambda p, side: fitted(p.flow, side), size, window)

    def alpha(self, size: int, window: Window = WHOLE) -> Tensor:
        """Return how far paint covers each pixel, (B, 1, …), at size × size, or in one of WINDOWS of that."""
        return self._laid(lambda p, side: fitted(p.alpha, side), size, window)

    def paint(self, size: int, window: Window = WHOLE) -> Tensor:
        """Return the paint (B, 3, …) at size × size, or in one of WINDOWS of that."""
        return self._laid(Patch.paint, size, window)

    def painted(self, size: int) -> Tensor:
        """Return the paint's brightness and redness, (B, 4, size, size)."""
        return self._laid(lambda p, side: torch.cat(p.painted(side), 1), size)

    def _laid(self, of: Callable[[Patch, int], Tensor], size: int, window: Window = WHOLE) -> Tensor:
        """Return the maps that patches have at their sides: one window's, or all in a frame that is zero between."""
        maps = [(p.window, of(p, p.side(size))) for p in self.patches if window in (WHOLE, p.window)]
        if len(maps) == 1 and maps[0][0] == window:
            return maps[0][1]
        frames = [placed(x, place, size) for place, x in maps]  # which do not overlap
        return sum(frames[1:], frames[0])


def carried(fields: Fields, motion: Tensor) -> Fields:
    """Return the fields that do the same and then fetch each pixel by a further motion, (B, 2, S, S) in shares of S.

    What windows had of their own becomes one patch of the whole frame, as it may leave its window.
    """
    size = motion.shape[-1]
    alpha, painted = (fetched(x, motion) for x in (fields.alpha(size), fields.painted(size)))
    brightness, redness = painted.split([1, 3], 1)
    flow = motion + fetched(fields.motion(size), motion)
    still = torch.zeros_like(flow[..., :1, :1])
    shade = fetched(resized(fields.shade, size), motion)
    return Fields(flow, shade, (Patch(WHOLE, still, alpha, brightness, redness, fields.patches[0].tint),))


def composed(image: Tensor, fields: Fields, window: Window = WHOLE) -> Tensor:
    """Eq. 5: y' = (1 - a) (x(p + f) e^s) + a p, in brightness 0-1; of (B, 3, S, S) of any size in [-1, 1].

    Or of a window of it.
    """
    size = image.shape[-1]
    shade = resized(fields.shade, size, window)
    shaded = (fetched(image, fields.motion(size, window), window) + 1) * shade.exp() - 1
    return torch.lerp(shaded, fields.paint(size, window), fields.alpha(size, window)).clamp(-1, 1)
