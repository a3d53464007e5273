"""Which frames of a clip stand for its expression, and how strongly they are said to show it."""

from __future__ import annotations

from mien.data.importers.support.sample import Options


def rising(count: int, options: Options, peak: int = 3) -> list[tuple[int, float]]:
    """Return index and intensity of the frames taken from a clip that begins neutral and ends at its peak.

    The first frame is neutral (intensity 0), the last `peak` frames are the expression at full intensity 1: so TER-GAN
    4.1, REL-GAN 4.2 and ExprGAN ("Dataset") take them. With `all_frames` the intensity grows in equal steps from 0 to
    1, which is assumed, not measured.
    """
    start = 0 if options.neutral else 1
    if options.all_frames:
        return [(k, round(k / max(count - 1, 1), 3)) for k in range(start, count)]
    return [(0, 0.0)][start:] + [(k, 1.0) for k in range(max(1, count - peak), count)]


def arching(count: int, options: Options, middle: int) -> list[tuple[int, float]]:
    """Return index and intensity of the frames taken from a clip that goes from neutral to a peak and back.

    The first frame is neutral (intensity 0), `middle` frames around the middle one are the peak (intensity 1). With
    `all_frames` the intensity rises and falls in equal steps, which is assumed, not measured.
    """
    start = 0 if options.neutral else 1
    if options.all_frames:
        half = max((count - 1) / 2, 1)
        return [(k, round(1 - abs(k - half) / half, 3)) for k in range(start, count)]
    begin = max(1, (count - middle + 1) // 2)
    return [(0, 0.0)][start:] + [(k, 1.0) for k in range(begin, min(begin + middle, count))]


def shown(word: str, intensity: float) -> dict[str, str | float]:
    """Return the label cells of a frame of a clip: at intensity 0 the face is neutral."""
    return {"expression": word if intensity > 0 else "neutral", "intensity": intensity}
