"""Faces changed as a camera sees them: the loop, what keys do, and what is drawn over the picture."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from mien.controls import Controls
from mien.editing.clip import Changer, TemporalFilter
from mien.editing.editor import Editor
from mien.faces.crop import FaceCrop
from mien.faces.detect import words_of_choice
from mien.faces.track import follower
from mien.labels import CLASSES
from mien.media.annotate import write_lines
from mien.media.video.camera import Shot, clock
from mien.recognition.face import How, read_faces
from mien.runtime.person_code import person_code
from mien.whole_numbers import whole_number

WORDS = ("neutral", *(word for word in CLASSES if word != "neutral"))
"""What keys 0, 1, 2, … ask for."""
STEP = 0.1  # of the intensity, by + and -
HELP = "0-7 expression, +/- how much, space on/off, r reading, q end"


class Sink(Protocol):
    """Where frames go."""

    def show(self, rgb: np.ndarray) -> str:
        """Show a frame uint8 (H, W, 3); return the keys that were pressed since the last, "q" where it was closed."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True)
class Wish:
    """What is asked for now."""

    word: str = "happiness"
    intensity: float = 0.8
    on: bool = True
    reading: bool = True  # drawn over the picture

    def after(self, key: str) -> Wish:
        """Return what is asked for once a key was pressed; any other key changes nothing."""
        if (number := whole_number(key)) is not None and number < len(WORDS):
            return replace(self, word=WORDS[number], on=True)
        if key in "+=-":
            step = -STEP if key == "-" else STEP
            return replace(self, intensity=round(min(1.0, max(0.0, self.intensity + step)), 2))
        if key == " ":
            return replace(self, on=not self.on)
        return replace(self, reading=not self.reading) if key == "r" else self

    def __str__(self) -> str:
        return f"{self.word} {self.intensity:.1f}" if self.on else "off"


@dataclass(frozen=True)
class LiveReport:
    """How it went."""

    frames: int
    rate: float  # frames a second
    latency: float  # seconds from a frame's coming to its being shown, the median
    choice: str = ""  # which face was taken, in words, where nobody chose and there were smaller ones

    def __str__(self) -> str:
        text = f"{self.frames} frames, {self.rate:.1f} a second, {1000 * self.latency:.0f} ms behind the camera"
        return f"{text}; {self.choice}" if self.choice else text


def live(
    editor: Editor,
    frames: Iterable[Shot],
    sink: Sink,
    wish: Wish | None = None,
    number: int | None = None,
    now: Callable[[], float] = clock,
    most: int | None = None,
) -> LiveReport:
    """Change the face in frame after frame and show it, until "q", the end of `frames` or `most` of them.

    `number` is the person's, from the left in the first frame that shows so many; None takes the one by far largest in
    the first frame that shows any, or the leftmost where none is. Frames without that person are shown as they are.
    Raises InputError where the model cannot edit so.
    """
    wish = wish or Wish()
    editor.require(Controls(wish.word, wish.intensity))
    follow = follower(Path("the camera"), number, editor.aligned, editor.landmarker, person_code, otherwise=1)
    make, smooth, last = Changer(editor), TemporalFilter(), None
    shown: deque[tuple[float, float]] = deque(maxlen=600)  # when, and how late
    count, begin = 0, now()
    for rgb, came in frames:
        found = follow(rgb, came)
        lines, made = [f"{wish}"], rgb
        if found:
            cut = editor.crop_at(rgb, found.steadied)
            if wish.reading:
                lines += told(editor, cut)
            if wish.on:
                change = make(cut, Controls(wish.word, wish.intensity), found.anew)
                made = editor.apply(cut, smooth(change, came - last if last else 1.0, found.anew)).rgb
                last = came
        else:
            lines.append("nobody")
        if wish.reading:
            lines.append(pace(shown))
            made = write_lines(made, lines)
        keys = sink.show(made)
        count += 1
        shown.append((now(), now() - came))
        for key in keys:
            wish = wish.after(key)
        if "q" in keys or count == most:
            break
    seconds = max(now() - begin, 1e-9)
    choice = words_of_choice(follow.chosen, follow.left_out, "--face N") if follow.left_out else ""
    late = float(np.median([late for _, late in shown])) if shown else 0.0
    return LiveReport(count, count / seconds, late, choice)


def told(editor: Editor, cut: FaceCrop) -> list[str]:
    """Return what a face shows as the camera sees it: its likeliest words, if the model reads."""
    if "recognize" not in editor.engine.abilities:
        return []
    (row,) = read_faces(editor.engine, [cut], How())
    words = sorted(CLASSES, key=lambda word: -float(row[word]))[:2]
    return [f"seen: {', '.join(f'{word} {row[word]:.2f}' for word in words)}"]


def pace(shown: deque[tuple[float, float]]) -> str:
    """Return frames a second and how late they are, of the last second or so."""
    if len(shown) < 2:
        return HELP
    near = [one for one in shown if one[0] > shown[-1][0] - 1]
    near = near if len(near) > 1 else [*shown][-2:]
    rate = (len(near) - 1) / max(near[-1][0] - near[0][0], 1e-9)
    return f"{rate:.0f} frames/s, {1000 * np.mean([late for _, late in near]):.0f} ms"
