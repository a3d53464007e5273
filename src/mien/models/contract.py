"""The contract every model meets, and the things a model can be asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from torch import Tensor, nn

from mien.controls import KINDS, Controls, way
from mien.data.batch import Batch
from mien.errors import InputError
from mien.models.recipe import Sampling, Stage
from mien.models.sized import USES, sized, within
from mien.nn.modes import untracked

if TYPE_CHECKING:
    from typing_extensions import Self

    from mien.nn.warp import Fields


@dataclass(frozen=True)
class Prediction:
    """What a recogniser says: `probabilities` (B, 8) over mien.labels.CLASSES."""

    probabilities: Tensor


@dataclass(frozen=True)
class Embedding:
    """Codes of a face: `expression` (B, E) holds how they feel, `identity` (B, I) who they are."""

    expression: Tensor
    identity: Tensor


def _hub() -> Any:
    """Return `mien.models.hub`, which lies above: it knows all models."""
    return import_module("mien.models.hub")


class Family(nn.Module):
    """One paper: nets are attributes, `losses` is the objective, `stages` is the recipe."""

    paper: ClassVar[str]  # citation
    Config: ClassVar[type]  # frozen dataclass with at least image_size and batch_size
    PRESETS: ClassVar[Mapping[str, Any]]  # name -> Config
    edits_by: ClassVar[tuple[str, ...]] = ("expression", "like")  # fields of Controls that `edit` takes, if it edits
    needs: ClassVar[tuple[str, ...]] = ()  # labels ("expression", "aus") without which it learns nothing
    stage_1: ClassVar[Mapping[str, int]] = {}  # changes that leave out all between its pre-training and its recogniser
    baseline_embeds: ClassVar[bool] = False  # its baseline's code is the expression code of `embed`
    recognizes_plainly: ClassVar[bool] = False  # its recogniser is the plain supervised net, and no other
    without_pairs: ClassVar[str] = ""  # how to learn, in words, where no picture is another's known answer
    deployed: ClassVar[tuple[str, ...]]  # nets and buffers needed after training; shipped weights hold only these

    def __init__(self, config: Any):
        super().__init__()
        self.config = config

    def __init_subclass__(cls, **named: Any) -> None:
        """Let the uses take faces of any size, as `mien.models.sized` says."""
        super().__init_subclass__(**named)
        for use in USES:
            method = getattr(cls, use, None)
            if callable(method) and not hasattr(method, "sized"):
                setattr(cls, use, sized(method))

    @classmethod
    def from_pretrained(cls, name: str, revision: str | None = None, device: str = "cpu") -> Self:
        """Return a model of this family from a hub id, a folder or a name. Raises InputError for another family's."""
        model = _hub().from_pretrained(name, revision, device)
        if not isinstance(model, cls):
            raise InputError(f"{name!r}: is a {type(model).__name__}, no {cls.__name__}; mien.load takes any")
        return model

    def save_pretrained(self, folder: str | Path, **more: Any) -> None:
        """Write weights and a card into a folder; `more` is as in `mien.models.hub.save_pretrained`."""
        _hub().save_pretrained(self, folder, **more)

    def push_to_hub(self, repository: str, **more: Any) -> str:
        """Upload weights and a card to "owner/name"; `more` is as in `mien.models.hub.push_to_hub`."""
        return str(_hub().push_to_hub(self, repository, **more))

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

    def losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return this turn's losses by name: unweighted scalars, the names of the turn's weights."""
        raise NotImplementedError

    def forward(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return `losses`, while the nets that the turn does not train keep their running figures."""
        with untracked(*self.resting(turn)), within():
            return self.losses(batch, turn)

    def check_edit(self, controls: Controls) -> None:
        """Raise InputError where `edit` does not take what is asked: it takes what `edits_by` names, and no more."""
        if not isinstance(controls, Controls):
            raise InputError(
                f"a model's edit takes Controls, as Controls({str(controls)[:40]!r}), not a {type(controls).__name__};"
                " mien.Editor(NAME).edit takes a photograph and the words themselves"
            )
        if lacking := [kind for kind in controls.kinds if kind not in self.edits_by]:
            can = ", ".join(KINDS[kind] for kind in self.edits_by)
            raise InputError(f"{type(self).__name__} cannot edit by {way(lacking[0], controls)}, but by {can}")


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
class Reads(Protocol):
    """Reads a face's code: action units by side, head and gaze; and with it how likely each word is."""

    def read(self, face: Tensor) -> Tensor:
        """Return codes (B, 46) of `face` (B, 3, H, W) in [-1, 1], as Eq. 1 of docs/fields.md has them."""
        ...

    def tell(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `read` and the logits (B, 8) that `recognize` gives of `face`, by one look."""
        ...


@runtime_checkable
class FindsPoints(Protocol):
    """Finds a face's landmarks."""

    def find_points(self, face: Tensor) -> Tensor:
        """Return the 68 landmarks (B, 68, 2) of `face` (B, 3, H, W) in [-1, 1]: x, y in shares of the side."""
        ...


@runtime_checkable
class Generates(Protocol):
    """Makes faces of people who do not exist."""

    def generate(self, count: int, expression: str | None = None, seed: int = 0) -> Tensor:
        """Return (count, 3, H, W) in [-1, 1]: new people showing a class, or with None each a random one."""
        ...


@runtime_checkable
class Varies(Protocol):
    """Shows a class in one of many ways: in a style and a strength that are drawn."""

    def vary(self, face: Tensor, expression: str, seed: int = 0) -> Tensor:
        """Return `face` (B, 3, H, W) in [-1, 1] showing a class, each in a way that follows from the seed."""
        ...


@runtime_checkable
class SetsElements(Protocol):
    """Sets single elements of an expression's code: styles of one class."""

    def element(self, face: Tensor, expression: str, element: int, value: float = 1.0) -> Tensor:
        """Return `face` (B, 3, H, W) with one element of a class's block at `value` in [-1, 1], all others at -1."""
        ...


@runtime_checkable
class Warps(Protocol):
    """Says what becomes of a face's pixels, so that a photograph's own can be moved instead of repainted."""

    def fields(self, face: Tensor, controls: Controls) -> Fields:
        """Return the fields that bring `face` (B, 3, H, W) in [-1, 1] to what is asked."""
        ...

    def see(self, face: Tensor) -> Any:
        """Return all that is known of `face` before anything is asked of it: for many requests of one face."""
        ...

    def asked(self, seen: Any, controls: Controls | None, after: Tensor | None = None) -> Tensor:
        """Return a request as numbers (B, E), made of a face as it is seen, which None asks for, or `after` another."""
        ...

    def fields_to(self, seen: Any, wanted: Tensor, rounds: int | None = None) -> tuple[Fields, Tensor]:
        """Return the fields that bring a face as it is seen to such a request, or to what lies between two.

        And the request that gave them, corrected by what the first ones reach; with `rounds` as 0 it is not, which is
        sooner done.
        """
        ...


if TYPE_CHECKING:

    class Loaded(Family, Transfers, Edits, Recognizes, Embeds, EstimatesAus, Generates):
        """A model of which type checkers believe that it can do all; `able` says what it can."""
else:
    Loaded = Family

Invents, Moves = Generates, Warps  # their old names, until 0.2
