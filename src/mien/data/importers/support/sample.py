"""What an importer yields: the pictures of a corpus with their labels, and what it leaves out, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeAlias

import numpy as np

Pixels: TypeAlias = Path | Callable[[], np.ndarray]
"""A picture's file, or what gives uint8 (H, W, 3) RGB when called; calls come in the order of the samples."""

Labels: TypeAlias = Mapping[str, str | int | float]
"""Cells of `metadata.csv` by column, without `file_name`; a column that is not there is unknown."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture to import; `name` is a path without suffix under OUT/images, built from the corpus' own names."""

    name: str
    pixels: Pixels
    labels: Labels
    eyes: np.ndarray | None = None  # (2, 2) pixels, the eye on the image's left first, where the corpus tells them
    lying: bool = False  # the camera may have lain on its side: look for a face turned by a right angle too


@dataclass(frozen=True)
class Skip:
    """Something of a corpus that is not imported; `why` is a few words, the same for the same reason."""

    what: str
    why: str


@dataclass(frozen=True)
class Options:
    """What can be asked of importers; each takes the ones that its `Importer.options` names."""

    align: bool = True  # eyes are brought to the template; False: pictures are taken as they are
    all_frames: bool = False  # every labelled picture instead of those that the protocol takes
    neutral: bool = True  # the neutral first frames of clips too
    strangers: bool = True  # where people are not named, every picture is a person of its own
    subject: str = ""  # regular expression whose group is the person in a picture's path
    every: int = 1  # of a clip labelled frame by frame, one frame in so many
    light: int = 7  # Multi-PIE's number of the flash
    stand_ins: bool = False  # Multi-PIE's scream and squint as fear and anger
    aus: str = ""  # OpenFace's or py-feat's table, or a folder of them: action units beside the corpus' own labels


COMMON = ("align", "aus")
"""Options that every importer takes."""


@dataclass(frozen=True)
class Importer:
    """One corpus: how its pictures are listed, and what a user must know of it."""

    title: str
    samples: Callable[[Path, Options], Iterator[Sample | Skip]]
    expects: str  # "the CK+ folder that holds …": ends the line about a wrong ROOT
    ask: str  # where to ask for the corpus
    aligned: bool = False  # its pictures are crops already and by default taken as they are
    file: bool = False  # ROOT may be a file
    options: tuple[str, ...] = field(default=())

    def refused(self, options: Options) -> list[str]:
        """Return the options that were set but mean nothing to this corpus."""
        known = (*COMMON, *self.options)
        return [f.name for f in fields(Options) if f.name not in known and getattr(options, f.name) != f.default]


def stranger(labels: Labels, name: str, options: Options) -> Labels:
    """Return labels that take the picture `name` for a person of its own, where that is wanted."""
    return {**labels, "subject": name} if options.strangers else labels
