"""The model: its nets, its recipe and its uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.controls import Controls
from mien.data.batch import Batch, Motion
from mien.labels import AUS, prototype, sides
from mien.models.contract import Embedding, Family, Prediction
from mien.models.fields.code import ANGLE, CODE, UNITS, code_of, corrected, gate, shrunk
from mien.models.fields.config import ABLATIONS, SMALL, FieldsConfig
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
    reading_loss,
    shade_loss,
    true_shade,
    watched,
)
from mien.models.fields.nets import FieldNet, Reader
from mien.models.fields.pairs import moving, stilled, told
from mien.models.recipe import Adam, Sampling, Stage, Turn
from mien.nn.degrade import relight, worsen
from mien.nn.losses import known_cross_entropy
from mien.nn.modes import evaluating, exactly
from mien.nn.spectral import spectral
from mien.nn.warp import WINDOWS, Fields, composed, cut


class FieldModel(Family):
    """Reads a face's code, and moves the face to another."""

    paper = "Ours: a face is moved, shaded and opened instead of repainted. docs/fields.md tells it as a paper would."
    Config = FieldsConfig
    PRESETS = {"small": SMALL} | {name: replace(SMALL, **change) for name, change in ABLATIONS.items()}
    edits_by = ("expression", "aus", "sides", "like", "gaze")
    needs = ("aus",)
    deployed = ("reader", "mover")

    def __init__(self, config: FieldsConfig):
        super().__init__(config)
        c = config
        self.reader = Reader(c.image_size // 2, c.reader_width)
        self.mover = FieldNet([c.width * k for k in (1, 2, 4, 8)], 2 * UNITS + CODE, c.depth)
        widths = [3, c.critic_width, 2 * c.critic_width, 4 * c.critic_width]
        layers = [
            layer for a, b in pairwise(widths) for layer in (spectral(nn.Conv2d(a, b, 4, 2, 1)), nn.LeakyReLU(0.2))
        ]
        self.critic = nn.Sequential(*layers, spectral(nn.Conv2d(widths[-1], 1, 3, 1, 1)))

    def stages(self) -> tuple[Stage, ...]:
        """Return the recipe: first read, then move, then finish with what a good reader and a critic say."""
        c = self.config
        if c.supervised:
            plain = Turn("name", ("reader",), {"expression": 1.0}, Adam(c.read_lr, (0.9, 0.99), 1e-4))
            return (Stage("supervised", c.read_steps, (plain,), decay=0.5),)
        steady = Adam(c.lr, (0.9, 0.99), 1e-4)
        look = {"shade": c.shade, "paint": c.paint}
        opened = {"flow": c.flow, "opening": c.opening, "near": c.near}
        look |= opened | {"pixels": c.pixels, "edges": c.edges, "structure": c.structure}
        read = Turn("read", ("reader",), {"code": 10.0, "expression": c.expression}, Adam(c.read_lr, (0.9, 0.99), 1e-4))
        move = Turn("move", ("mover",), look, steady)
        criticise = Turn("criticise", ("critic",), {"critic": 1.0}, Adam(c.critic_lr, (0.5, 0.99)), every=2)
        finish = Turn("finish", ("mover",), look | {"reached": c.reached}, replace(steady, lr=c.lr / 2))
        paint = Turn(
            "paint",
            ("mover.mouth", "mover.eyes"),
            opened | {"paint": c.paint, "fool": c.fool},
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
        rotations = (-c.turn, -c.turn / 2, 0, c.turn / 2, c.turn)
        return Sampling(
            1.0, margin=c.margin, rotations=rotations, colour=c.colour, scale=c.scale, motion=True, neutral=c.neutral
        )

    def losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return a turn's losses."""
        if turn in ("read", "name"):
            faces = batch.both()
            code, classes = self.reader(worsen(self.view(relight(faces.image)[0])))
            named = {"expression": known_cross_entropy(classes, faces.label)}
            return named if turn == "name" else named | {"code": reading_loss(code, code_of(faces))}
        face, truth, shown, wanted, motion = moving(batch)
        face, truth = relight(face, truth)
        truth, wanted, motion = stilled(face, truth, wanted, motion)
        seen, true = self.view(face), self.view(truth)
        with torch.set_grad_enabled(turn != "criticise"):
            fields = self._asked(face, seen, wanted, shown, turn != "move")
        parts = [composed(face, fields, window) for window in WINDOWS]
        if turn == "criticise":
            real, fake = self._criticised([cut(truth, window) for window in WINDOWS]), self._criticised(parts)
            return {"critic": critic_loss(real, fake, watched(truth, face, motion))}
        losses = self._opened(face, truth, parts, fields, motion)
        if turn == "paint":
            return losses | {"fool": fool_loss(self._criticised(parts), watched(truth, face, motion))}
        made = composed(seen, fields)
        losses |= self._look(seen, true, made, fields, motion)
        if turn == "finish":
            losses["reached"] = reached_loss(self._read(made)[0], self._read(true)[0].detach())
        return losses

    def _criticised(self, parts: Sequence[Tensor]) -> list[Tensor]:
        """Return the critic's logits of WINDOWS: mouths (B, 1, d, d), eyes (2B, 1, d, d)."""
        mouth, *eyes = parts
        return [self.critic(detail(x)).float() for x in (mouth, torch.cat(eyes))]

    def _asked(self, face: Tensor, view: Tensor, wanted: Tensor, shown: Tensor, read: bool) -> Fields:
        """Return the fields from a face, of which the nets get a poorer view, to codes; NaN asks for no change."""
        view = worsen(view)
        with torch.no_grad():
            seen = self._read(view)[0] if read else None
        known, asked = told(shown, wanted, seen)
        return self._fields(face, view, asked, known, open=torch.ones(len(known), device=known.device))

    @exactly
    def _opened(
        self, face: Tensor, truth: Tensor, parts: Sequence[Tensor], fields: Fields, motion: Motion
    ) -> dict[str, Tensor]:
        grid = motion.flow.shape[-1]
        return {
            "flow": flow_loss(fields.motion(grid), motion, truth.shape[-1] // 2),
            "opening": opening_loss(fields.covering(grid)[0], motion),
            "paint": paint_loss(fields.patches[0].paint, truth, motion.mouth),
            "near": near_loss(parts, truth, face),
        }

    @exactly
    def _look(self, seen: Tensor, true: Tensor, made: Tensor, fields: Fields, motion: Motion) -> dict[str, Tensor]:
        shade, counts = true_shade(seen, true, motion)
        return {"shade": shade_loss(fields.shade, shade, counts), **look_losses(made, true, seen)}

    def view(self, image: Tensor) -> Tensor:
        """Return the frame at half its side, as the nets see it."""
        return F.avg_pool2d(image, 2)

    def _read(self, view: Tensor) -> tuple[Tensor, Tensor]:
        with evaluating(self.reader):
            code, classes = self.reader(view)
            return code, classes

    def _fields(
        self,
        face: Tensor,
        view: Tensor,
        wanted: Tensor,
        known: Tensor,
        maps: list[Tensor] | None = None,
        open: Tensor | None = None,
    ) -> Fields:
        change = wanted - known
        return self.mover(
            face, view, torch.cat([wanted[:, : 2 * UNITS], change], 1), gate(change) if open is None else open, maps
        )

    def read(self, face: Tensor, view: Tensor | None = None) -> Tensor:
        """Return the code (B, 46) of faces (B, 3, S, S), action units held in 0-1; `view` if it is there already."""
        code, _ = self._read(self.view(face) if view is None else view)
        return torch.cat([code[:, : 2 * UNITS].clamp(0, 1), code[:, 2 * UNITS :]], 1)

    def moves(self, face: Tensor, controls: Controls) -> Fields:
        """Return what brings faces (B, 3, S, S) to what is asked, corrected by what the result is read as (Eq. 16)."""
        view = self.view(face)
        known = shrunk(self.read(face, view))
        wanted = self.wanted(known, controls)
        asked, maps = wanted, self.mover.look(view)
        fields = self._fields(face, view, asked, known, maps)
        for _ in range(self.config.rounds):
            reached, _ = self._read(composed(view, fields))
            better = corrected(asked, wanted, reached)
            if torch.equal(better, asked):
                break
            asked, fields = better, self._fields(face, view, better, known, maps)
        return fields

    def wanted(self, known: Tensor, controls: Controls) -> Tensor:
        """Return the code (B, 46) that an edit of faces that show `known` (B, 46) asks for; the head keeps its pose."""
        code = known.clone()
        if controls.like is not None:
            shown = self.read(controls.like)
            code[:, : 2 * UNITS] = controls.intensity * shown[:, : 2 * UNITS]
        elif controls.expression is not None:
            full = known.new_tensor(prototype(controls.expression))
            code[:, : 2 * UNITS] = controls.intensity * full
        for unit, value in (controls.aus or {}).items():
            au, where = sides(unit)
            for side in where:
                code[:, AUS.index(au) + UNITS * (side == "R")] = controls.intensity * value / 5
        if controls.gaze is not None:
            code[:, -2:] += known.new_tensor(controls.gaze) / ANGLE
        return code

    def edit(self, face: Tensor, controls: Controls) -> Tensor:
        """Return faces with what is asked for."""
        return composed(face, self.moves(face, controls))

    def transfer(self, face: Tensor, like: Tensor) -> Tensor:
        """Return faces with the action units of others."""
        return self.edit(face, Controls(like=like))

    def reconstruct(self, face: Tensor) -> Tensor:
        """Return the face itself: nothing asked, nothing done."""
        return face

    def recognize(self, face: Tensor) -> Prediction:
        """Return class probabilities."""
        return Prediction(self._read(self.view(face))[1].float().softmax(1))

    def baseline(self, face: Tensor) -> Prediction:
        """Return class probabilities of a reader that was trained by classes alone (`supervised`)."""
        return self.recognize(face)

    def estimate_aus(self, face: Tensor) -> Tensor:
        """Return AU intensities (B, 21), 0-5, the larger side."""
        code = 5 * self.read(face)
        return torch.maximum(code[:, :UNITS], code[:, UNITS : 2 * UNITS])

    def embed(self, face: Tensor) -> Embedding:
        """Return the code, and what the mover sees of the face at its coarsest, averaged over the frame."""
        return Embedding(self.read(face), self.mover.look(self.view(face))[-1].float().mean((2, 3)))
