"""What a face does over time: key frames, the way between them, and blinks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from mien.controls import Controls
from mien.errors import InputError

RATE = 17.0
"""Blinks a minute at rest: the mean of 150 people (Bentivoglio et al., Movement Disorders 12, 1997)."""
SPREAD = 0.6
"""Of the times between blinks, standard deviation by mean, 3.1 s by 5.2 s, most of them short (Garcia et al.,
Investigative Ophthalmology and Visual Science 52, 2011)."""
CLOSING, OPENING = 0.10, 0.15
"""Seconds in which lids close (Stern, Walrath, Goldstein, Psychophysiology 21, 1984) and open again: they close 40 to
47 % faster (Sforza et al., Ophthalmic and Physiological Optics 28, 2008)."""
MOST = 1e9  # frames
BLINK = Controls(aus={5: 0.0, 43: 5.0})  # what raises the lid lets go


@dataclass(frozen=True)
class Key:
    """What is asked of a face at a time in seconds; None is the face as the photograph has it."""

    time: float
    asked: Controls | None = None


@dataclass(frozen=True)
class Timeline:
    """Key frames and what comes on top of them, in seconds from 0 to `end`.

    Before its first key and after its last a face rests. With `loop` it goes back to the first at last, in the time of
    the step before, and frames end one short of that: the first follows. `gaze` has keys of its own, which come on top
    of those; `blinks` are the times at which the lids are shut. Raises InputError for what is no timeline.
    """

    keys: tuple[Key, ...]
    fps: Fraction = Fraction(25)
    seconds: float = 0.0  # at least so long
    loop: bool = False
    gaze: tuple[Key, ...] = ()
    blinks: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.keys:
            raise InputError("there are no key frames; give one at least")
        for keys in (self.keys, self.gaze):
            for before, after in pairwise(keys):
                if not before.time < after.time:
                    raise InputError(f"key frames at {before.time:g} and {after.time:g} s: expected times that grow")
            if keys and not (keys[0].time >= 0 and np.isfinite(keys[-1].time)):
                raise InputError(f"key frame at {keys[0].time:g} s: expected times from 0 on")
        if not self.fps > 0:
            raise InputError(f"{float(self.fps):g} frames a second: expected a number above 0")
        if not self.end * float(self.fps) < MOST:
            raise InputError(f"key frames end at {self.end:g} s: expected fewer than {MOST:g} frames")
        if self.count < 2:
            raise InputError(f"key frames end at {self.end:g} s: expected longer than a frame, or more seconds")

    @property
    def end(self) -> float:
        """Seconds at which the last frame is, or in a loop the first again."""
        return max(self.path[-1].time, *(key.time for key in self._closed(self.gaze)), self.seconds)

    @property
    def count(self) -> int:
        """The number of frames."""
        return round(self.end * self.fps) + (not self.loop)

    @property
    def times(self) -> Iterator[float]:
        """Yield the seconds of every frame."""
        return (min(float(k / self.fps), self.end) for k in range(self.count))

    @property
    def path(self) -> Sequence[Key]:
        """The keys, in a loop with the way back."""
        return self._closed(self.keys)

    def gaze_at(self, time: float) -> tuple[float, float] | None:
        """Return to where eyes are turned at a time, in degrees as `Controls` has them."""
        if not self.gaze:
            return None
        keys = self._closed(self.gaze)
        before, after, share = way(keys, time)
        (x0, y0), (x1, y1) = (asked.gaze or (0, 0) if (asked := keys[k].asked) else (0, 0) for k in (before, after))
        return x0 + share * (x1 - x0), y0 + share * (y1 - y0)

    def shut(self, time: float) -> float:
        """Return how far a blink has the lids closed at a time, 0 to 1."""
        return max((lids(time - blink) for blink in self.blinks), default=0.0)

    def _closed(self, keys: Sequence[Key]) -> Sequence[Key]:
        """Return keys with the way back, if there is one to go."""
        if not self.loop or not keys or keys[0].asked == keys[-1].asked:
            return keys
        last = max(keys[-1].time, self.seconds)  # where more seconds were asked for, it rests before it goes back
        rest = [replace(keys[-1], time=last)] if last > keys[-1].time else []
        return [*keys, *rest, Key(last + keys[-1].time - keys[-2].time, keys[0].asked)]


def way(keys: Sequence[Key], time: float) -> tuple[int, int, float]:
    """Return which keys are before and after a time, and how far a face has gone from one to the other, 0 to 1."""
    for k, (before, after) in enumerate(pairwise(keys)):
        if before.time <= time < after.time:
            return k, k + 1, eased((time - before.time) / (after.time - before.time))
    rest = 0 if time < keys[0].time else len(keys) - 1
    return rest, rest, 0.0


def eased(share: float) -> float:
    """Return the share of a way that is gone after a share of its time, both 0 to 1: the way of least jerk.

    It begins and ends at rest and never goes beyond (Flash, Hogan, Journal of Neuroscience 5, 1985).
    """
    share = min(max(share, 0.0), 1.0)
    return share**3 * (10 - 15 * share + 6 * share**2)


def lids(since: float) -> float:
    """Return how far lids are closed, 0 to 1, `since` seconds after they were shut, or before."""
    return eased(1 + since / CLOSING) if since < 0 else eased(1 - since / OPENING)


def blink_times(seconds: float, fps: Fraction, seed: int = 0) -> tuple[float, ...]:
    """Return when the lids of blinks are shut in a clip: on frames, each blink whole, one at least where one fits.

    Times between are drawn from a gamma distribution by RATE and SPREAD.
    """
    random = np.random.default_rng(seed)
    shape, mean = 1 / SPREAD**2, 60 / RATE
    first, last = CLOSING, seconds - OPENING
    if last <= first:
        return ()
    found, time = [], random.uniform(0, mean)
    while time <= last:
        found.append(time)
        time += max(random.gamma(shape, mean / shape), CLOSING + OPENING)
    whole = [time for time in found if time >= first] or [random.uniform(first, last)]
    return tuple(dict.fromkeys(float(round(time * fps) / fps) for time in whole))
