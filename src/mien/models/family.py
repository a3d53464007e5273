"""The contract every model meets, and the things a model can be asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from torch import Tensor, nn

from mien.batch import Batch
from mien.errors import InputError
from mien.labels import CLASSES, sides
from mien.nn.blur import blur
from mien.recipe import Sampling, Stage

if TYPE_CHECKING:
    from typing_extensions import Self

    from mien.nn.field_net import Fields


@dataclass(frozen=True)
class Controls:
    """What an edit asks for: exactly one of a class, AU intensities, or another face; with an intensity.

    `intensity` is 0 (neutral) to 1 (full). `aus` maps an AU number, or a side of it as "12L" (the person's own left),
    to 0-5. `like` is (B, 3, H, W) in [-1, 1]. `gaze` turns the eyes by degrees to the right of the picture and up,
    beside these or alone. Raises InputError when the request is not exactly one thing, or out of range.
    """

    expression: str | None = None
    intensity: float = 1.0
    aus: Mapping[int | str, float] | None = None
    like: Tensor | None = None
    gaze: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        asked = [name for name in ("expression", "aus", "like") if getattr(self, name) is not None]
        if len(asked) != 1 and (asked or self.gaze is None):
            raise InputError(
                f"an edit takes one of expression, aus, like, or a gaze alone; got {', '.join(asked) or 'none'}"
            )
        if self.expression is not None and self.expression not in CLASSES:
            raise InputError(f"expression {self.expression!r} is not known; choose one of {', '.join(CLASSES)}")
        if not 0.0 <= self.intensity <= 1.0:
            raise InputError(f"intensity {self.intensity:g} is out of range; give a number from 0 (neutral) to 1")
        for unit, value in (self.aus or {}).items():
            if not 0.0 <= value <= 5.0:
                raise InputError(f"AU {unit}={value:g}: expected an intensity from 0 to 5")
            sides(unit)
        if self.gaze is not None and not all(-40 <= angle <= 40 for angle in self.gaze):
            raise InputError(f"gaze {self.gaze}: expected two angles from -40 to 40 degrees, to the right and up")

    @property
    def kinds(self) -> list[str]:
        """What a model must be able to edit by: of "expression", "aus", "sides", "like", "gaze"."""
        found = [name for name in ("expression", "aus", "like", "gaze") if getattr(self, name) is not None]
        return found + ["sides"] * any(len(sides(unit)[1]) == 1 for unit in self.aus or ())

    def both_sides(self) -> dict[int, float]:
        """Return `aus` by number, for a model that knows no sides."""
        return {sides(unit)[0]: value for unit, value in (self.aus or {}).items()}


@dataclass(frozen=True)
class Prediction:
    """What a recogniser says: `probabilities` (B, 8) over mien.labels.CLASSES."""

    probabilities: Tensor


@dataclass(frozen=True)
class Embedding:
    """Codes of a face: `expression` (B, E) holds how they feel, `identity` (B, I) who they are."""

    expression: Tensor
    identity: Tensor


class Family(nn.Module):
    """One paper: nets are attributes, `forward` is the objective, `stages` is the recipe."""

    paper: ClassVar[str]  # citation
    Config: ClassVar[type]  # frozen dataclass with at least image_size and batch_size
    PRESETS: ClassVar[Mapping[str, Any]]  # name -> Config
    edits_by: ClassVar[tuple[str, ...]] = ("expression", "like")  # fields of Controls that `edit` takes, if it edits
    needs: ClassVar[tuple[str, ...]] = ()  # labels ("expression", "aus") without which it learns nothing
    deployed: ClassVar[tuple[str, ...]]  # nets and buffers needed after training; shipped weights hold only these

    def __init__(self, config: Any):
        super().__init__()
        self.config = config

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all nets but those named frozen_…: those stay in evaluation mode."""
        super().train(mode)
        for name, net in self.named_children():  # weights for use alone come without the frozen nets
            if name.startswith("frozen_"):
                net.eval()
        return self

    def stages(self) -> tuple[Stage, ...]:
        """Return the training recipe."""
        raise NotImplementedError

    def sampling(self) -> Sampling:
        """Return which pairs the recipe is fed."""
        return Sampling()

    def enter(self, stage: str) -> None:
        """Do what happens once when a stage begins, as freezing a copy of a net. By default nothing."""

    def resting(self, turn: str) -> Iterator[nn.Module]:
        """Yield the nets that a turn does not train: `untracked`, their running figures stay as they are, too."""
        nets = {net for stage in self.stages() for t in stage.turns if t.name == turn for net in t.nets}
        return (net for name, net in self.named_children() if name not in nets)

    def forward(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return this turn's losses by name: unweighted scalars, the names of the turn's weights."""
        raise NotImplementedError


@runtime_checkable
class Transfers(Protocol):
    """Moves an expression from one face to another."""

    def transfer(self, face: Tensor, like: Tensor) -> Tensor:
        """Return `face`'s person with `like`'s expression; all (B, 3, H, W) in [-1, 1]."""
        ...

    def reconstruct(self, face: Tensor) -> Tensor:
        """Return the model's own picture of `face`; (transfer - reconstruct) is the change alone."""
        ...


@runtime_checkable
class Edits(Protocol):
    """Changes a face's expression as asked."""

    def edit(self, face: Tensor, controls: Controls) -> Tensor:
        """Return `face` (B, 3, H, W) in [-1, 1] with the asked expression."""
        ...


@runtime_checkable
class Recognizes(Protocol):
    """Names the expression."""

    def recognize(self, face: Tensor) -> Prediction:
        """Return class probabilities for `face` (B, 3, H, W) in [-1, 1]."""
        ...


@runtime_checkable
class HasBaseline(Protocol):
    """Has a plain supervised net to be compared with."""

    def baseline(self, face: Tensor) -> Prediction:
        """Return class probabilities by the plain net for `face` (B, 3, H, W) in [-1, 1]."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """Gives codes for expression and identity."""

    def embed(self, face: Tensor) -> Embedding:
        """Return the codes of `face` (B, 3, H, W) in [-1, 1]."""
        ...


@runtime_checkable
class EstimatesAus(Protocol):
    """Measures FACS action units."""

    def estimate_aus(self, face: Tensor) -> Tensor:
        """Return intensities 0-5 (B, 21) in the order of mien.labels.AUS, NaN for units it does not know."""
        ...


@runtime_checkable
class FindsPoints(Protocol):
    """Finds a face's landmarks."""

    def find_points(self, face: Tensor) -> Tensor:
        """Return the 68 landmarks (B, 68, 2) of `face` (B, 3, H, W) in [-1, 1]: x, y in shares of the side."""
        ...


@runtime_checkable
class Invents(Protocol):
    """Makes faces of people who do not exist."""

    def invent(self, count: int, expression: str | None = None, seed: int = 0) -> Tensor:
        """Return (count, 3, H, W) in [-1, 1]: new people showing a class, or with None each a random one."""
        ...


@runtime_checkable
class SetsElements(Protocol):
    """Sets single elements of an expression's code: styles of one class."""

    def element(self, face: Tensor, expression: str, element: int, value: float = 1.0) -> Tensor:
        """Return `face` (B, 3, H, W) with one element of a class's block at `value` in [-1, 1], all others at -1."""
        ...


@runtime_checkable
class Moves(Protocol):
    """Says what becomes of a face's pixels, so that a photograph's own can be moved instead of repainted."""

    def moves(self, face: Tensor, controls: Controls) -> Fields:
        """Return the fields that bring `face` (B, 3, H, W) in [-1, 1] to what is asked."""
        ...


SOFTNESS = 0.6
"""Pixels by which a change is blurred: finer than that, the difference of two such pictures is mostly noise.

Measured on the test people with all five models: without, L1 rises by up to a tenth; with a whole pixel, a sixth to a
quarter of the expression is lost."""


def change(model: Transfers, face: Tensor, made: Tensor) -> Tensor:
    """Return what an edit changes: (B, 3, H, W) to be added to `face`, in units of [-1, 1] images.

    It is the picture made minus the model's own picture of `face`: what the model cannot paint at all, as a
    stranger's pores, is in neither and stays as it is.
    """
    return blur((made - model.reconstruct(face)).float(), SOFTNESS)


def pasted(model: Transfers, face: Tensor, made: Tensor) -> Tensor:
    """Return `face` with what an edit changes added to it: (B, 3, H, W) in [-1, 1].

    A model that moves the face's own pixels has nothing to be pasted: its picture is the answer.
    """
    if isinstance(model, Moves):
        return made
    return (face + change(model, face, made)).clamp(-1, 1)


def check_shares(config: Any, *names: str) -> None:
    """Raise InputError for a setting that is no share: 0 to 1; margin, colour and scale below 1."""
    for name in names:
        value, below = getattr(config, name), name in ("margin", "colour", "scale")
        if not 0 <= value <= 1 or (below and value == 1):
            raise InputError(f"{name} is {value:g}; expected a share from 0 to {'below ' if below else ''}1")


def check_least(config: Any, least: Mapping[str, int]) -> None:
    """Raise InputError for a setting below its least value."""
    for name, value in least.items():
        if getattr(config, name) < value:
            raise InputError(f"{name} is {getattr(config, name)}; expected {value} or more")
