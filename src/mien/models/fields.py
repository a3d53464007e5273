"""Fields: a face's expression is changed by moving, shading and opening its pixels; none is repainted.

Ours, not a paper's: docs/fields.md tells it as one.

Symbol           Code
x, y             batch.target.image, batch.truth: one person in two expressions
v                view
c, ĉ             code_of, FieldModel.read
E                reader
G                mover
f, s, a, p       Fields.motion, .shade, .covering
f*, m, k         batch.motion.flow, .mouth, .known
D                critic
Eq. 1  c         code_of
Eq. 2  L_read    reading_loss
Eq. 3  û         shrunk
Eq. 4  g         gate
Eq. 5  y'        composed
Eq. 6  L_flow    flow_loss
Eq. 7  s*        true_shade
Eq. 8  L_shade   shade_loss
Eq. 9  L_open    opening_loss
Eq. 10 L_paint   paint_loss
Eq. 11 L_look    look_losses
Eq. 12 L_near    near_loss
Eq. 13 L_fool    fool_loss
Eq. 14 L_critic  critic_loss
Eq. 15 L_reach   reached_loss
Eq. 16 u'        corrected
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.batch import Batch, Faces, Motion
from mien.errors import InputError
from mien.labels import AUS, CLASSES, prototype, sides
from mien.models.family import Controls, Embedding, Family, Prediction, check_least, check_shares
from mien.nn.degrade import relight, worsen
from mien.nn.field_net import EYES, MOUTH, WINDOWS, FieldNet, Fields
from mien.nn.losses import block_ssim, gradient_l1, known_cross_entropy, mean_dtype
from mien.nn.modes import evaluating, exactly
from mien.nn.spectral import spectral
from mien.nn.trunk import Trunk
from mien.nn.warp import WHOLE, Window, cut, fetched, resized, warp
from mien.recipe import Adam, Sampling, Stage, Turn

UNITS = len(AUS)
CODE = 2 * UNITS + 4
ANGLE = 30.0  # degrees that count as much as the strongest action unit
REST = 0.1  # ρ of Eq. 3: half a level of five
MISREAD = 0.3  # of Eq. 16
TAU = 0.05  # Eq. 4
STILL = 0.08  # share of the training pairs in which nothing is to change
DOUBT = 0.12  # the most by which action units read from a picture are off, about
EPSILON = 0.03  # of brightness in Eq. 7, so that black has a logarithm


@dataclass(frozen=True)
class FieldsConfig:
    """Sizes, lengths and weights; the defaults are preset `small`."""

    image_size: int = 256  # of the frame; the nets see it at half that
    subjects: int = 1
    supervised: bool = False  # train the plain CNN that recognition is compared with, and nothing else
    width: int = 32
    reader_width: int = 32
    critic_width: int = 24
    batch_size: int = 16
    read_steps: int = 3000
    steps: int = 6000
    finish_steps: int = 1000
    paint_steps: int = 3000
    read_lr: float = 2e-3
    lr: float = 8e-4
    critic_lr: float = 4e-4
    neutral: float = 0.4  # share of pairs that begin with a neutral face
    expression: float = 0.1
    flow: float = 1.0
    shade: float = 60.0
    opening: float = 1.0
    paint: float = 2.0
    pixels: float = 5.0
    edges: float = 5.0
    structure: float = 1.0
    near: float = 5.0
    reached: float = 3.0
    fool: float = 0.15
    rounds: int = 1  # of correction when editing (Eq. 16)
    depth: float = 0.5  # of shade, in log brightness
    margin: float = 0.03
    turn: float = 5.0
    colour: float = 0.12
    scale: float = 0.06

    def __post_init__(self) -> None:
        check_shares(self, "neutral", "margin", "colour", "scale")
        sizes = ("subjects", "width", "reader_width", "critic_width", "batch_size")
        check_least(self, {"image_size": 32, "rounds": 0, "depth": 0} | dict.fromkeys(sizes, 1))
        if self.image_size % 32:
            raise InputError(f"image_size is {self.image_size}; expected a multiple of 32")


SMALL = FieldsConfig()
ABLATIONS: dict[str, dict[str, Any]] = {
    "no_flow": {"flow": 0.0},  # the flow is learnt from pictures alone
    "no_mouth": {"opening": 0.0, "paint": 0.0, "fool": 0.0},  # nor is it told where mouths open
    "no_shade": {"shade": 0.0, "depth": 0.0},
    "no_loop": {"rounds": 0},
}


def code_of(faces: Faces) -> Tensor:
    """Eq. 1: c = (AU_left / 5, AU_right / 5, (yaw, pitch, gaze_x, gaze_y) / 30°), (B, 46), NaN where unknown."""
    angles = torch.stack([faces.yaw, faces.pitch, faces.gaze_x, faces.gaze_y], 1)
    return torch.cat([faces.left / 5, faces.right / 5, angles / ANGLE], 1)


def reading_loss(estimate: Tensor, code: Tensor) -> Tensor:
    """Eq. 2: L_read = mean (ĉ - c)² over the numbers that are known; 0 if none are."""
    known = ~code.isnan()
    error = torch.where(known, estimate.to(mean_dtype(estimate)) - torch.nan_to_num(code), 0).square()
    return error.sum() / known.sum().clamp(min=1)


def shrunk(code: Tensor) -> Tensor:
    """Eq. 3: û = ĉ - ρ² / ĉ where ĉ > ρ, else 0, of action units; angles stay (B, 46).

    The non-negative garrote (Breiman 1995): most units are at rest in most faces, and a little of each, misread, would
    be taken back from a face that does not show it.
    """
    return torch.cat([garrote(code[:, : 2 * UNITS].clamp(min=0), REST), code[:, 2 * UNITS :]], 1)


def garrote(x: Tensor, least: float) -> Tensor:
    """Return x - least² / x where |x| > least, else 0."""
    return torch.where(x.abs() > least, x - least**2 / x.abs().clamp(min=least) * x.sign(), 0)


def gate(change: Tensor) -> Tensor:
    """Eq. 4: g = 1 - exp(-|c' - û|² / τ²), (B, 46) -> (B,): nothing asked, nothing done."""
    return 1 - torch.exp(-change.square().sum(1) / TAU**2)


def composed(image: Tensor, fields: Fields, window: Window = WHOLE) -> Tensor:
    """Eq. 5: y' = (1 - a) (x(p + f) e^s) + a p, in brightness 0-1; of (B, 3, S, S) of any size in [-1, 1].

    Or of a window of it.
    """
    size = image.shape[-1]
    alpha, paint = fields.covering(size, window)
    shade = resized(fields.shade, size, window)
    shaded = (fetched(image, fields.motion(size, window), window) + 1) * shade.exp() - 1
    return torch.lerp(shaded, paint, alpha).clamp(-1, 1)


def flow_loss(flow: Tensor, motion: Motion, side: int) -> Tensor:
    """Eq. 6: L_flow = mean k w √(|f - f*|² + ε²), w = (1 + 4 min(|f*| / 1.5, 1))(1 - .9 m), in pixels of `side`.

    In the windows of the eyes w = 5 (1 - .9 m): an iris that stays where it is counts as much as the lid that moves.
    """
    off, true = (flow - motion.flow) * side, motion.flow * side
    length = (off.square().sum(1, keepdim=True) + 0.01).sqrt() - 0.1
    moved = (true.square().sum(1, keepdim=True).sqrt() / 1.5).clamp(max=1)
    for window in EYES:
        cut(moved, window).fill_(1)
    return (motion.known * (1 + 4 * moved) * (1 - 0.9 * motion.mouth) * length).mean()


def true_shade(face: Tensor, truth: Tensor, motion: Motion) -> tuple[Tensor, Tensor]:
    """Eq. 7: s* = log (Y + ε) / (X(p + f*) + ε), held within ± .4; X, Y the blurred means of the channels in 0-1.

    Faces (B, 3, V, V) -> (B, 1, V, V) and where it counts: not in the mouth, and where the flow is known.
    """
    side = face.shape[-1]

    def brightness(image: Tensor) -> Tensor:
        smooth = F.avg_pool2d(F.avg_pool2d((image.float().mean(1, keepdim=True) + 1) / 2, 3, 1), 3, 1)
        return F.pad(smooth, (2, 2, 2, 2), mode="replicate")

    before, after = brightness(warp(face, motion.flow)), brightness(truth)
    log = ((after + EPSILON) / (before + EPSILON)).log().clamp(-0.4, 0.4)
    near = F.max_pool2d(motion.mouth, 3, 1, 1)
    return log, resized(motion.known * (1 - near), side)


def shade_loss(shade: Tensor, true: Tensor, counts: Tensor) -> Tensor:
    """Eq. 8: L_shade = mean n (1 + 4 min(|s*| / .1, 1)) H(s - s*), H Huber's loss over .1, `counts` n."""
    off = F.huber_loss(shade, true, reduction="none", delta=0.1) / 0.1
    return (counts * (1 + 4 * (true.abs() / 0.1).clamp(max=1)) * off).mean()


def opening_loss(alpha: Tensor, motion: Motion) -> Tensor:
    """Eq. 9: L_open = mean w BCE(a, m) where a mouth can be, a the mean over m's cell, w = 5 near a mouth and 1 else;
    plus ten times the mean of a elsewhere: it may cover what opens in the eyes, but only what no pixel can be moved to.
    """  # fmt: skip
    share = F.adaptive_avg_pool2d(alpha, motion.mouth.shape[-1]).clamp(1e-4, 1 - 1e-4)
    here, true = cut(share, MOUTH), cut(motion.mouth, MOUTH)
    weight = 1 + 4 * (F.max_pool2d(true, 5, 1, 2) > 0.05)
    off = -(true * here.log() + (1 - true) * (1 - here).log())
    return (weight * off).mean() + 10 * (share.mean() - here.mean() * here.numel() / share.numel())


def paint_loss(paint: Tensor, truth: Tensor, mouth: Tensor) -> Tensor:
    """Eq. 10: L_paint = Σ m (|p - y| + |∇p - ∇y|) / (Σ m + 33), a face's own sums, in the window of the mouth."""
    m = cut(resized(mouth, truth.shape[-1]), MOUTH)
    off = paint - cut(truth, MOUTH)
    total = (m * off.abs()).sum((1, 2, 3))
    total = total + (m[..., 1:] * off.diff(dim=3).abs()).sum((1, 2, 3))
    total = total + (m[..., 1:, :] * off.diff(dim=2).abs()).sum((1, 2, 3))
    return (total / (3 * m.sum((1, 2, 3)) + 100)).mean()


def look_losses(made: Tensor, truth: Tensor, face: Tensor) -> dict[str, Tensor]:
    """Eq. 11: pixels = mean w |y' - y|, edges = mean w |∇y' - ∇y|, structure = 1 - SSIM of 8 × 8 blocks.

    w = 1 + 5 min(3 |y - x|, 1), the difference averaged over 4 × 4 cells: an expression changes few pixels of a face.
    """
    weight = changing(truth, face)
    return {
        "pixels": ((made - truth).abs() * weight).mean(),
        "edges": gradient_l1(made, truth, weight),
        "structure": 1 - block_ssim(made, truth),
    }


def changing(truth: Tensor, face: Tensor) -> Tensor:
    """Return w of Eq. 11, (B, 1, S, S)."""
    cells = F.avg_pool2d((truth - face).abs().mean(1, keepdim=True), 4)
    return 1 + 5 * resized((3 * cells).clamp(max=1), truth.shape[-1])


def near_loss(made: Sequence[Tensor], truth: Tensor, face: Tensor) -> Tensor:
    """Eq. 12: L_near = Σ mean w (|y' - y| + |∇y' - ∇y|) over WINDOWS, at the frame's own resolution, w as in Eq. 11."""
    total = truth.new_zeros(())
    for window, part in zip(WINDOWS, made, strict=True):
        true = cut(truth, window)
        weight = changing(true, cut(face, window))
        total = total + ((part - true).abs() * weight).mean() + gradient_l1(part, true, weight)
    return total


def detail(image: Tensor) -> Tensor:
    """Return what is finer than cells of 8 × 8 pixels, (B, 3, H, H): all that a critic is to judge, so no colour."""
    return image - resized(F.avg_pool2d(image, 8), image.shape[-1])


def fool_loss(made: Sequence[Tensor], counts: Sequence[Tensor]) -> Tensor:
    """Eq. 13: L_fool = -Σ n D(y') / Σ n, on logits (B, 1, d, d) of mouths, and of eyes; `counts` n of `watched`."""
    return torch.stack([-(d * n).sum() / n.sum().clamp(min=1) for d, n in zip(made, counts, strict=True)]).sum()


def critic_loss(real: Sequence[Tensor], made: Sequence[Tensor], counts: Sequence[Tensor]) -> Tensor:
    """Eq. 14: L_critic = Σ n (max(0, 1 - D(y)) + max(0, 1 + D(y'))) / Σ n, on logits as in Eq. 13."""
    hinges = ((F.relu(1 - d) + F.relu(1 + e), n) for d, e, n in zip(real, made, counts, strict=True))
    return torch.stack([(h * n).sum() / n.sum().clamp(min=1) for h, n in hinges]).sum()


def watched(truth: Tensor, face: Tensor, motion: Motion) -> list[Tensor]:
    """Return what counts for the critic: the inside of mouths (B, 1, d, d), what changes in eyes (2B, 1, d, d)."""
    side = truth.shape[-1] // 8
    changes = torch.cat([changing(cut(truth, window), cut(face, window)) - 1 for window in EYES]) / 5
    return [resized(motion.mouth, side, MOUTH), F.avg_pool2d(changes, 8)]


def reached_loss(made: Tensor, true: Tensor) -> Tensor:
    """Eq. 15: L_reach = mean (E(y') - E(y))² over the action units: the result is to be read as the truth is."""
    return (made - true)[:, : 2 * UNITS].square().mean()


def corrected(asked: Tensor, wanted: Tensor, reached: Tensor) -> Tensor:
    """Eq. 16: u' ← u' + r(u - E(y')) of the action units, held in 0-1.2: (B, 46) three times -> (B, 46).

    r is the garrote over MISREAD: a smaller shortfall is as likely the reader's error as the mover's.
    """
    units = slice(2 * UNITS)
    short = garrote((wanted - reached)[:, units], MISREAD)
    return torch.cat([(asked[:, units] + short).clamp(0, 1.2), asked[:, 2 * UNITS :]], 1)


def told(shown: Tensor, wanted: Tensor, read: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return what the mover is told in training, twice (B, 46): the code a face seems to show, and what is asked of it.

    Action units are as shown, or as `read`, off by noise of a deviation drawn for each face, up to DOUBT, and shrunk.
    Of those that stay as they are, half (drawn anew) are asked to be what they seem to be: they were not asked for.
    Head and gaze are told as they are: a label counts them from the person's frontal picture, which nobody can read in
    another one.
    """
    units, known = slice(2 * UNITS), shown.clone()
    noise = DOUBT * torch.rand_like(known[:, :1]) * torch.randn_like(known[:, units])
    known[:, units] = (shown if read is None else read)[:, units] + noise
    known = shrunk(torch.where(known.isnan(), 0, known))
    alone = wanted.isnan() | (wanted == shown) & (torch.rand_like(wanted) < 0.5)
    return known, torch.where(alone, known, wanted)


class Reader(nn.Module):
    """E: a face's code, and features that name its class."""

    def __init__(self, side: int, width: int):
        super().__init__()
        widths = [width * k for k in (1, 2, 4, 6, 8)]
        left = -(-side // 2 ** len(widths))
        self.trunk = Trunk(widths)
        self.features = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.1), nn.Linear(widths[-1] * left**2, 160), nn.LeakyReLU(0.2)
        )
        self.code, self.classes = nn.Linear(160, CODE), nn.Linear(160, len(CLASSES))

    def forward(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, V, V) in [-1, 1] -> code (B, 46) and class logits (B, 8)."""
        features = self.features(self.trunk(view))
        return self.code(features).float(), self.classes(features)


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

    def forward(self, batch: Batch, turn: str) -> dict[str, Tensor]:
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


def moving(batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor, Motion]:
    """Return faces, truths, both codes and the motions of the pairs whose motion is known.

    If none is, all of them, which teach flow and shade nothing: no pair at all would have no gradient.

    Raises ValueError for a batch without any motion.
    """
    motion = batch.motion
    if motion is None:
        raise ValueError("fields learn from motion; give the sampler a geometry")
    seen = motion.known.flatten(1).amax(1) > 0
    seen = seen if seen.any() else torch.ones_like(seen)
    codes = code_of(batch.target)[seen], code_of(batch.source)[seen]
    chosen = Motion(motion.flow[seen], motion.mouth[seen], motion.known[seen])
    return batch.target.image[seen], batch.truth[seen], *codes, chosen


def stilled(face: Tensor, truth: Tensor, wanted: Tensor, motion: Motion) -> tuple[Tensor, Tensor, Motion]:
    """Return truths, codes and motions with a share STILL of the pairs, drawn anew, made ones of no change.

    So that what is not asked for is learnt to be left alone, in faces that show something too.
    """
    still = torch.rand(len(face), device=face.device) < STILL
    at = still[:, None, None, None]
    truth, wanted = torch.where(at, face, truth), torch.where(still[:, None], torch.nan, wanted)
    flow, mouth, known = motion.flow.where(~at, 0), motion.mouth.where(~at, 0), motion.known.where(~at, 1)
    return truth, wanted, Motion(flow, mouth, known)
