"""The model: its nets, its recipe and its uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.controls import Controls
from mien.data.batch import Batch
from mien.models.contract import Embedding, Family, Prediction
from mien.models.fields.code import asked_code, corrected, gate, shrunk
from mien.models.fields.config import PRESETS, FieldsConfig
from mien.models.fields.equations import (
    critic_loss,
    detail,
    flow_loss,
    fool_loss,
    look_losses,
    near_loss,
    opening_loss,
    paint_loss,
    reached_loss,
    shade_loss,
    teeth_loss,
    true_shade,
    watched,
)
from mien.models.fields.nets import FieldNet, critic
from mien.models.fields.pairs import Pair, noisy_codes, prepared
from mien.models.fields.roll import rolled
from mien.models.reader.code import CODE, UNITS, code_of, held, stronger_side
from mien.models.reader.equations import code_loss, words_loss
from mien.models.reader.nets import Reader
from mien.models.recipe import Adam, Sampling, Stage, Turn, rotations
from mien.nn.degrade import worsen
from mien.nn.losses import known_cross_entropy
from mien.nn.modes import evaluating, exactly
from mien.nn.randomise import grown, randomised
from mien.nn.warp import Fields, composed
from mien.nn.windows import WINDOWS, cut


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of faces before anything is asked of them."""

    face: Tensor  # (B, 3, S, S)
    view: Tensor  # (B, 3, S/2, S/2)
    known: Tensor  # (B, 46) their codes
    maps: list[Tensor]  # what the mover sees


class FieldModel(Family):
    """Reads a face's code, and moves the face to another."""

    paper = "Ours: a face is moved, shaded and opened instead of repainted. docs/fields.md tells it as a paper would."
    Config = FieldsConfig
    PRESETS = PRESETS
    edits_by = ("expression", "aus", "sides", "like", "gaze", "turn", "roll", "beside", "only")
    needs = ("aus",)
    deployed = ("reader", "mover")

    def __init__(self, config: FieldsConfig):
        super().__init__(config)
        c = config
        self.reader = Reader(c.reader_side, c.reader_width)
        self.mover = FieldNet([c.width * k for k in (1, 2, 4, 8)], 2 * UNITS + CODE, c.depth)
        self.critic = critic(c.critic_width)

    def stages(self) -> tuple[Stage, ...]:
        """Return the recipe: first read, then move, then finish with what a good reader and a critic say."""
        c = self.config
        if c.supervised:
            plain = Turn("name", ("reader",), {"expression": 1.0}, Adam(c.read_lr, (0.9, 0.99), 1e-4))
            return (Stage("supervised", c.read_steps, (plain,), decay=0.5),)
        steady = Adam(c.lr, (0.9, 0.99), 1e-4)
        look = {"shade": c.shade, "paint": c.paint, "teeth": c.teeth}
        opened = {"flow": c.flow, "opening": c.opening, "near": c.near}
        look |= opened | {"pixels": c.pixels, "edges": c.edges, "structure": c.structure}
        read = Turn("read", ("reader",), {"code": c.code, "words": c.words}, Adam(c.read_lr, (0.9, 0.99), 1e-4))
        move = Turn("move", ("mover",), look, steady)
        criticise = Turn("criticise", ("critic",), {"critic": 1.0}, Adam(c.critic_lr, (0.5, 0.99)), every=2)
        finish = Turn("finish", ("mover",), look | {"reached": c.reached}, replace(steady, lr=c.lr / 2))
        paint = Turn(
            "paint",
            ("mover.mouth", "mover.dentition", "mover.side", "mover.eyes"),
            opened | {"paint": c.paint, "teeth": c.teeth, "fool": c.fool},
            replace(steady, lr=c.lr / 4),
        )
        return (
            Stage("read", c.read_steps, (read,), decay=0.5),
            Stage("move", c.steps, (move,), decay=0.7),
            Stage("finish", c.finish_steps, (finish,), decay=0.7),
            Stage("paint", c.paint_steps, (criticise, paint), decay=0.5),
        )

    def sampling(self) -> Sampling:
        """Two expressions of one person, with the exact motion between them."""
        c = self.config
        augmented = Sampling(1.0, margin=c.margin, rotations=rotations(c.turn), colour=c.colour, scale=c.scale)
        return replace(augmented, motion=True, neutral=c.neutral)

    def losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return a turn's losses."""
        turns = {
            "name": self._name_turn,
            "read": self._read_turn,
            "move": self._move_turn,
            "finish": self._finish_turn,
            "criticise": self._criticise_turn,
            "paint": self._paint_turn,
        }
        return turns[turn](batch)

    def _name_turn(self, batch: Batch) -> dict[str, Tensor]:
        faces = batch.both()
        return {"expression": known_cross_entropy(self._read_varied(faces.image)[1], faces.label)}

    def _read_turn(self, batch: Batch) -> dict[str, Tensor]:
        faces = batch.both()
        code, words = self._read_varied(faces.image)
        return {"code": code_loss(code, code_of(faces), self.config.angles), "words": words_loss(words, faces)}

    def _move_turn(self, batch: Batch) -> dict[str, Tensor]:
        return self._moved(prepared(batch), read=False)[0]

    def _finish_turn(self, batch: Batch) -> dict[str, Tensor]:
        pair = prepared(batch)
        losses, made = self._moved(pair, read=True)
        return losses | {"reached": reached_loss(self._read(made)[0], self._read(self.view(pair.truth))[0].detach())}

    def _criticise_turn(self, batch: Batch) -> dict[str, Tensor]:
        pair = prepared(batch)
        with torch.no_grad():
            made = _parts(pair, self._train_fields(pair, read=True))
        real = [cut(pair.truth, window) for window in WINDOWS]
        counts = watched(pair.truth, pair.face, pair.motion)
        return {"critic": critic_loss(self._criticised(real), self._criticised(made), counts)}

    def _paint_turn(self, batch: Batch) -> dict[str, Tensor]:
        pair = prepared(batch)
        fields = self._train_fields(pair, read=True)
        parts = _parts(pair, fields)
        losses = self._near_losses(pair, fields, parts)
        return losses | {"fool": fool_loss(self._criticised(parts), watched(pair.truth, pair.face, pair.motion))}

    def _moved(self, pair: Pair, read: bool) -> tuple[dict[str, Tensor], Tensor]:
        """Return the losses of what the mover makes of faces, and the view of it."""
        fields = self._train_fields(pair, read)
        losses = self._near_losses(pair, fields, _parts(pair, fields))
        made = composed(self.view(pair.face), fields)
        return losses | self._view_losses(pair, fields, made), made

    def _read_varied(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return code and logits of words of faces that are placed, lit and hidden anew."""
        c = self.config
        strength = grown(self.reader.batches, c.read_steps)
        code, words = self.reader(randomised(self.view(image), c.reader_side, strength))
        return code, words

    def _train_fields(self, pair: Pair, read: bool) -> Fields:
        """Return the fields from faces to what is wanted; the nets get a poorer view, and codes that are off.

        With `read` the code of a face is what the reader makes of that view, else what is known of the face.
        """
        view = worsen(self.view(pair.face))
        with torch.no_grad():
            seen = self._read(view)[0] if read else None
        known, asked = noisy_codes(pair.shown, pair.wanted, seen)
        return self._fields_between(pair.face, view, known, asked, open=torch.ones(len(known), device=known.device))

    def _criticised(self, parts: Sequence[Tensor]) -> list[Tensor]:
        """Return the critic's logits of WINDOWS: mouths (B, 1, d, d), eyes (2B, 1, d, d)."""
        mouth, *eyes = parts
        return [self.critic(detail(x)).float() for x in (mouth, torch.cat(eyes))]

    @exactly
    def _near_losses(self, pair: Pair, fields: Fields, parts: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return what is asked of flow, opening and paint, and of WINDOWS at the frame's own resolution."""
        grid, side, mouth = pair.motion.flow.shape[-1], pair.truth.shape[-1], fields.patches[0]
        return {
            "flow": flow_loss(fields.motion(grid), pair.motion, side // 2),
            "opening": opening_loss(fields.alpha(grid), pair.motion, pair.shutting()),
            "paint": paint_loss(mouth.paint(side // 2), pair.truth, pair.motion.mouth),
            "teeth": teeth_loss(mouth, pair.motion),
            "near": near_loss(parts, pair.truth, pair.face),
        }

    @exactly
    def _view_losses(self, pair: Pair, fields: Fields, made: Tensor) -> dict[str, Tensor]:
        """Return what is asked of shade, and of the whole frame at half its side."""
        face, truth = self.view(pair.face), self.view(pair.truth)
        shade, counts = true_shade(face, truth, pair.motion)
        return {"shade": shade_loss(fields.shade, shade, counts), **look_losses(made, truth, face)}

    def view(self, image: Tensor) -> Tensor:
        """Return the frame at half its side, as the nets see it."""
        return F.avg_pool2d(image, 2)

    def _read(self, view: Tensor) -> tuple[Tensor, Tensor]:
        with evaluating(self.reader):
            return self.reader.read(view)

    def _fields_between(
        self,
        face: Tensor,
        view: Tensor,
        known: Tensor,
        asked: Tensor,
        maps: list[Tensor] | None = None,
        open: Tensor | None = None,
    ) -> Fields:
        """Return the fields from what faces show to what is asked, as far as `open` (B,), by default Eq. 4's gate."""
        change = asked - known
        condition = torch.cat([asked[:, : 2 * UNITS], change], 1)
        return self.mover(face, view, condition, gate(change) if open is None else open, maps)

    def read(self, face: Tensor, view: Tensor | None = None) -> Tensor:
        """Return the code (B, 46) of faces (B, 3, S, S), action units held in 0-1; `view` if it is there already."""
        return held(self._read(self.view(face) if view is None else view)[0])

    def fields(self, face: Tensor, controls: Controls) -> Fields:
        """Return what brings faces (B, 3, S, S) to what is asked, corrected by what the result is read as (Eq. 16)."""
        seen = self.see(face)
        return self.fields_to(seen, self.asked(seen, controls))[0]

    def see(self, face: Tensor) -> Seen:
        """Return what is known of faces (B, 3, S, S) before anything is asked of them."""
        view = self.view(face)
        return Seen(face, view, shrunk(self.read(face, view)), self.mover.look(view))

    def asked(self, seen: Seen, controls: Controls | None, after: Tensor | None = None) -> Tensor:
        """Return what is asked of faces, by default after what they show; with None that itself.

        That is a code and by how many degrees the head is tilted, (B, 47).
        """
        rest = F.pad(seen.known, (0, 1)) if after is None else after
        if controls is None:
            return rest
        known, tilt = rest.split([CODE, 1], 1)
        code = asked_code(known, controls, None if controls.like is None else self.read(controls.like))
        return torch.cat([code, torch.full_like(tilt, controls.tilted) if controls.tilted else tilt], 1)

    def fields_to(self, seen: Seen, wanted: Tensor, rounds: int | None = None) -> tuple[Fields, Tensor]:
        """Return what brings faces to what `asked` told, corrected as in `fields`: `rounds` times, or the config's.

        And what was asked in the end.
        """
        face, view, known, maps = seen.face, seen.view, seen.known, seen.maps
        wanted, tilt = wanted.split([CODE, 1], 1)
        asked, fields = wanted, self._fields_between(face, view, known, wanted, maps)
        for _ in range(self.config.rounds if rounds is None else rounds):
            reached, _ = self._read(composed(view, fields))
            better = corrected(asked, wanted, reached)
            if torch.equal(better, asked):
                break
            asked, fields = better, self._fields_between(face, view, known, better, maps)
        fields = rolled(fields, tilt[:, 0], face.shape[-1]) if tilt.any() else fields
        return fields, torch.cat([asked, tilt], 1)

    moves = fields  # its old name, until 0.2

    def edit(self, face: Tensor, controls: Controls) -> Tensor:
        """Return faces with what is asked for."""
        self.check_edit(controls)
        return composed(face, self.fields(face, controls))

    def transfer(self, face: Tensor, like: Tensor) -> Tensor:
        """Return faces with the action units of others; pose and gaze stay."""
        return self.edit(face, Controls(like=like))

    def reconstruct(self, face: Tensor) -> Tensor:
        """Return the face itself: nothing asked, nothing done."""
        return face

    def tell(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """Return the code (B, 46) that `read` gives and the logits (B, 8) of words, by one look."""
        code, words = self._read(self.view(face))
        return held(code), words.float()

    def recognize(self, face: Tensor) -> Prediction:
        """Return class probabilities."""
        return Prediction(self.tell(face)[1].softmax(1))

    def baseline(self, face: Tensor) -> Prediction:
        """Return class probabilities of a reader that was trained by classes alone (`supervised`)."""
        return self.recognize(face)

    def estimate_aus(self, face: Tensor) -> Tensor:
        """Return AU intensities (B, 21), 0-5, the larger side."""
        return stronger_side(self.read(face))

    def embed(self, face: Tensor) -> Embedding:
        """Return the code, and what the mover sees of the face at its coarsest, averaged over the frame."""
        return Embedding(self.read(face), self.mover.look(self.view(face))[-1].float().mean((2, 3)))


def _parts(pair: Pair, fields: Fields) -> list[Tensor]:
    """Return WINDOWS of what is made of a pair's faces, at the frame's own resolution."""
    return [composed(pair.face, fields, window) for window in WINDOWS]
