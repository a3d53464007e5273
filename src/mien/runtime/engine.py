"""What can be asked of a model, arrays in and arrays out, whatever runs it.

A crop is an aligned face as uint8 RGB (S, S, 3), S the engine's size; crops are several, (B, S, S, 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from mien.controls import Controls
from mien.faces.morph import Maps

Change = Maps | np.ndarray
"""What is done to a face: moved, shaded and covered, or a residual: float32 (S, S, 3) grey levels added to its crop."""

Ability = Literal["edit", "transfer", "warp", "recognize", "estimate_aus", "read", "embed", "find_points", "generate"]
"""What a model may be able to do; "warp": its changes move the photograph's own pixels instead of repainting them."""


@dataclass(frozen=True)
class Readings:
    """What faces show: `left` and `right` (B, 21), 0-5 in the order of `mien.labels.AUS`; `yaw`, `pitch` (B,) and
    `gaze` (B, 2) degrees: yaw > 0 is the nose to the right of the image, pitch > 0 down, gaze > 0 to the right and up.
    """

    left: np.ndarray
    right: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    gaze: np.ndarray


class Sitter(Protocol):
    """A face that is read once, and then asked for one expression after another."""

    def asked(self, controls: Controls | None, after: np.ndarray | None = None) -> np.ndarray:
        """Return a request as numbers, float32: what lies between two requests may be asked for as well.

        None asks for the face as it is. `after` is a request on which this one comes on top.
        """
        ...

    def change(self, asked: np.ndarray, draft: bool = False) -> Change:
        """Return what brings the face to a request; a `draft` may miss its strength a little, and comes sooner."""
        ...

    def corrected(self, asked: np.ndarray) -> tuple[Change, np.ndarray]:
        """Return what `change` does, and what the request lacked: what was added after a look at what it made."""
        ...

    def again(self, asked: np.ndarray, lacked: np.ndarray) -> Change:
        """Return what brings the face to a request of which it is known what it lacks: no other look is taken."""
        ...


class Engine(Protocol):
    """A model that is ready to be asked. Raises InputError for what it cannot do, and names the models that can."""

    @property
    def name(self) -> str:
        """The model's name, as `FAMILIES` has it."""
        ...

    @property
    def size(self) -> int:
        """S, the side of its crops in pixels."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the model's parameters and buffers."""
        ...

    @property
    def paper(self) -> str:
        """What the model is after: a citation."""
        ...

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it can do."""
        ...

    @property
    def edits_by(self) -> tuple[str, ...]:
        """The kinds of request that it edits by, as `Controls.kinds` has them; none where it edits nothing."""
        ...

    @property
    def units(self) -> tuple[int, ...]:
        """The action units that it measures, which are those it moves; all if it measures none."""
        ...

    def require(self, ability: Ability) -> None:
        """Raise InputError where it cannot do this: worth asking before long work."""
        ...

    def require_edit(self, controls: Controls) -> None:
        """Raise InputError where it cannot edit as asked."""
        ...

    def change(self, crop: np.ndarray, controls: Controls, transfers: bool = False) -> Change:
        """Return what brings a crop to what is asked.

        With `transfers` and all of an example (`Controls.whole`), by the model's own transfer; one that can warp has
        one way for both.
        """
        ...

    def sit(self, crop: np.ndarray) -> Sitter:
        """Return a crop's face, read, for many requests; each changes it as `change` does."""
        ...

    def picture(self, crop: np.ndarray, controls: Controls, transfers: bool = False) -> np.ndarray:
        """Return a crop with the change made to it, uint8 (S, S, 3)."""
        ...

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """Return float32 (B, 8): how likely each of `mien.labels.CLASSES` is shown."""
        ...

    def units_of(self, crops: np.ndarray) -> np.ndarray:
        """Return action units float32 (B, 21), 0-5 in the order of `mien.labels.AUS`; NaN for those it knows not."""
        ...

    def readings(self, crops: np.ndarray) -> Readings:
        """Return action units by side, head and gaze."""
        ...

    def codes(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """Return {"expression": (B, E), "identity": (B, I)} float32: how they feel and who they are."""
        ...

    def points(self, crops: np.ndarray) -> np.ndarray:
        """Return the 68 landmarks float32 (B, 68, 2): x, y in shares of the side."""
        ...

    def generate(self, count: int, expression: str | None = None, seed: int = 0) -> np.ndarray:
        """Return uint8 (count, S, S, 3): people who do not exist, showing a class, or each one drawn for them."""
        ...
