"""EET: two faces swap their expressions by features that carry action units (AUs) and features free of them.

Paper                      Code
I^a, I^b                   batch.target and batch.source, one after the other as `faces` (2B); `partners` swaps them
İ^a, Ǐ^a, Î^a              swapped, own, crossed
u, û, u_d                  faces.aus, `estimates` (normalised to [0, 1]), levels
d, n                       subject, config.subjects
p, v                       pose_label; config.poses
m, l                       len(units), LEVELS
E, C                       encoder, attributes
E_f, E_r, G                free_encoder, unit_encoder, generator
f, f_f                     features, free
f_ri, f_r                  maps[:, i], unit
D_u, D_d                   unit_discriminator, identity_discriminator
D_sc, D_g                  swap_discriminator, image_discriminator
w_i, o_i                   unit_weights; occurrence.rates()
Eq. 1  u_d        rounded_levels
Eq. 2  L_u^(D)    unit_discrimination_loss
Eq. 3  L_u^(E)    unit_confusion_loss
Eq. 4  L_d^(D)    identity_discrimination_loss
Eq. 4  L_d^(E)    identity_confusion_loss
Eq. 5  L_u        unit_intensity_loss
Eq. 5  w          unit_weights
Eq. 6  f_r        fused_feature
Eq. 7  L_c        attribute_loss
Eq. 8  L_sc^(D)   swap_discrimination_loss
Eq. 8  L_sc       swap_consistency_loss
Eq. 9  L_r        reconstruction_loss
Eq. 10  L_adg^(D) image_discrimination_loss
Eq. 10  L_adg     image_adversarial_loss
Eq. 11  L_EET     Eet.stages
Eq. 12  L_EET     Eet.stages
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from mien.batch import Batch, Faces, partners
from mien.errors import InputError
from mien.labels import AUS
from mien.models.family import Controls, Embedding, Family, check_least, check_shares
from mien.nn.class_codes import ClassCodes
from mien.nn.instance import PReLU
from mien.nn.instance_stacks import UnitEncoder, feature_discriminator, generator, halving, image_discriminator
from mien.nn.losses import UNKNOWN, image_l1, known_cross_entropy, mean_dtype, truth_loss
from mien.nn.modes import evaluating
from mien.nn.occurrence import Occurrence
from mien.nn.unit_directions import UnitDirections
from mien.recipe import Adam, Sampling, Stage, Turn

LEVELS = 5  # l, Sec. IV-A: the maximum intensity level
UNITS_12 = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)  # Sec. IV-A: DISFA's
UNITS_17 = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 43)  # Sec. IV-D; 43 for 45
RAREST = 0.01  # o_i is not taken below this: a unit that hardly occurs would get all the weight
MEMORY = 0.998  # a step, of what is gathered for editing: features of nets that have moved on fade
POOLED_FROM = 256  # pixels: E's average pools are for the paper's size


@dataclass(frozen=True)
class EetConfig:
    """Sizes and lengths; the defaults are preset `small`. A width w means the table's progression beginning at w."""

    image_size: int = 64
    subjects: int = 1
    poses: int = 1  # v: classes of yaw over -90 to 90 degrees; 1: no pose label
    aus17: bool = False  # Sec. IV-D: 17 AUs in place of 12
    single_branch: bool = False  # ablation EET-Single: one branch learns all AUs
    width: int = 8  # E: w, w, 2w, 2w
    free_width: int = 16  # E_f, C, D_u, D_d: w, 2w, 4w, 8w
    unit_width: int = 4  # each branch of E_r: w, 2w, 4w, 8w
    generator_width: int = 128  # G: w, w/2, w/4, …
    unit_gain: float = 12.0  # of f_r into G at the start; the paper has 1
    discriminator_width: int = 8  # D_sc, D_g: w, 2w, 4w, …
    batch_size: int = 16
    classify_steps: int = 400  # stage 1
    answer_steps: int = 12000  # ours: exact truths before stage 2
    steps: int = 700  # stage 2
    lr: float = 1e-3
    answer_lr: float = 1e-3
    swap_lr: float = 3e-4
    game_every: int = 8  # steps between two turns of Eq. 12 beside the exact truths; the paper has 1
    same: float = 0.1  # share of pairs that show one person
    alike: float = 0.15  # share of the others that show one expression
    need_truth: bool = True  # keep to pairs whose answer is a real picture
    margin: float = 0.03  # of a corner crop, as a share of the size
    turn: float = 3.0  # degrees
    colour: float = 0.1  # ± share, augmentation
    attributes: float = 0.5  # λ_c
    pose: float = 1.0  # λ_p: acts where there are several `poses`
    unit_game: float = 1.0  # λ_adu
    identity_game: float = 1.0  # λ_add
    reconstruction: float = 10.0  # λ_r
    swap_consistency: float = 0.05  # λ_sc
    adversarial: float = 0.05  # λ_adg
    units: float = 1.0  # of L_u, as the paper has it
    truth: float = 20.0  # of the exact truth; the paper has none
    focus: float = 20.0  # of the exact truth on what the expression changes

    def __post_init__(self) -> None:
        step = 64 if self.image_size >= POOLED_FROM else 16
        if self.image_size < 32 or self.image_size % step:
            raise InputError(f"image_size {self.image_size}: expected 32 or more, a multiple of 16 (of 64 from 256 on)")
        check_shares(self, "same", "alike", "margin", "colour")
        widths = ("width", "free_width", "unit_width", "generator_width", "discriminator_width")
        check_least(self, dict.fromkeys(("subjects", "poses", *widths, "batch_size", "game_every"), 1))


SMALL = EetConfig()
PAPER = EetConfig(
    image_size=256,  # Sec. IV-A
    width=32,  # Table I
    free_width=128,
    unit_width=128,
    generator_width=1024,
    unit_gain=1.0,
    discriminator_width=32,
    batch_size=8,  # Note: the paper gives no batch size and no lengths
    classify_steps=50000,
    steps=200000,
    lr=1e-4,  # Sec. IV-A
    swap_lr=3e-5,
    game_every=1,
    same=0.0,
    alike=0.0,
    need_truth=False,
    margin=0.0,
    turn=0.0,
    colour=0.0,
    attributes=2.0,  # Sec. IV-A, all λ
    pose=1.0,  # "if the training set contains images with different poses", else 0: see `poses`
    unit_game=40.0,
    identity_game=40.0,
    reconstruction=40.0,
    swap_consistency=0.15,
    adversarial=1.2,
    units=1.0,
    truth=0.0,
)


ABLATIONS: dict[str, dict[str, Any]] = {
    "b_net": {"unit_game": 0.0, "identity_game": 0.0, "swap_consistency": 0.0},  # Sec. IV-B
    "bs_net": {"unit_game": 0.0, "identity_game": 0.0},
    "single": {"single_branch": True},
    "aus17": {"aus17": True},  # Sec. IV-D
}


def rounded_levels(aus: Tensor) -> Tensor:
    """Eq. 1: u_d = ⌊u⌉, whole numbers 0-5; NaN stays NaN."""
    return aus.round()


def unit_discrimination_loss(scores: Tensor, levels: Tensor) -> Tensor:
    """Eq. 2: L_u^(D), scores (B, m, l+1) to 1 at the true level and 0 elsewhere; unknown levels (NaN) count nothing."""
    scores = scores.to(mean_dtype(scores))
    answer = F.one_hot(levels.nan_to_num().long(), scores.shape[-1])
    return ((scores - answer).square() * ~levels.isnan()[..., None]).mean()


def unit_confusion_loss(scores: Tensor) -> Tensor:
    """Eq. 3: L_u^(E), scores (B, m, l+1) all to 1/(l+1)."""
    return (scores.to(mean_dtype(scores)) - 1 / scores.shape[-1]).square().mean()


def identity_discrimination_loss(scores: Tensor, subject: Tensor) -> Tensor:
    """Eq. 4: L_d^(D), scores (B, n) to 1 for the true person and 0 for the others."""
    return (scores.to(mean_dtype(scores)) - F.one_hot(subject, scores.shape[1])).square().mean()


def identity_confusion_loss(scores: Tensor) -> Tensor:
    """Eq. 4: L_d^(E), scores (B, n) all to 1/n."""
    return (scores.to(mean_dtype(scores)) - 1 / scores.shape[1]).square().mean()


def unit_weights(rates: Tensor) -> Tensor:
    """Eq. 5: w_i = (1/o_i) / Σ_q (1/o_q), o the occurrence rates (m,)."""
    rarity = 1 / rates.clamp(min=RAREST)
    return rarity / rarity.sum()


def unit_intensity_loss(estimates: Tensor, aus: Tensor, weights: Tensor) -> Tensor:
    """Eq. 5: L_u = E[Σ_i w_i (u_i - û_i l)²], (B, m) twice and (m,); unknown intensities (NaN) count nothing."""
    error = aus.nan_to_num() - estimates.to(mean_dtype(estimates)) * LEVELS
    return (weights * error.square() * ~aus.isnan()).sum(1).mean()


def fused_feature(maps: Tensor) -> Tensor:
    """Eq. 6: f_r = 1/m Σ_i f_ri, (B, m, C, H, W) -> (B, C, H, W)."""
    return maps.mean(1)


def attribute_loss(identity: Tensor, subject: Tensor, pose: Tensor, pose_label: Tensor, pose_weight: float) -> Tensor:
    """Eq. 7: L_c = -E[log σ(C^d) at the person + λ_p log σ(C^p) at the pose], on logits (B, n) and (B, v)."""
    return known_cross_entropy(identity, subject) + pose_weight * known_cross_entropy(pose, pose_label)


def swap_discrimination_loss(own: Tensor, swapped: Tensor) -> Tensor:
    """Eq. 8: L_sc as D_sc minimises it, least squares: E[(D_sc(Ǐ) - 1)²] + E[D_sc(İ)²]."""
    return least_squares(own, 1.0) + least_squares(swapped, 0.0)


def swap_consistency_loss(swapped: Tensor) -> Tensor:
    """Eq. 8: L_sc as E_f, E_r and G minimise it, least squares: E[(D_sc(İ) - 1)²]."""
    return least_squares(swapped, 1.0)


def reconstruction_loss(own: Tensor, crossed: Tensor, image: Tensor) -> Tensor:
    """Eq. 9: L_r = E[‖Ǐ - I‖₁ + ‖Î - I‖₁], means over pixels."""
    return (image_l1(own, image) + image_l1(crossed, image)).mean()


def image_discrimination_loss(real: Tensor, swapped: Tensor) -> Tensor:
    """Eq. 10: L_adg as D_g minimises it, least squares: E[(D_g(I) - 1)²] + E[D_g(İ)²]."""
    return least_squares(real, 1.0) + least_squares(swapped, 0.0)


def image_adversarial_loss(swapped: Tensor) -> Tensor:
    """Eq. 10: L_adg as E_f, E_r and G minimise it, least squares: E[(D_g(İ) - 1)²]."""
    return least_squares(swapped, 1.0)


def least_squares(scores: Tensor, wanted: float) -> Tensor:
    """Return E[(scores - wanted)²]."""
    return (scores.to(mean_dtype(scores)) - wanted).square().mean()


def progression(width: int) -> list[int]:
    """Return Table I's widths of a stack of four: w, 2w, 4w, 8w."""
    return [width, 2 * width, 4 * width, 8 * width]


def encoder(width: int, pooled: bool) -> nn.Sequential:
    """Return E: two pairs of 3×3 convolutions with batch norm and PReLU, each pair pooled at the paper's size."""
    layers: list[nn.Module] = []
    for k, (inputs, outputs) in enumerate(pairwise((3, width, width, 2 * width, 2 * width))):
        layers += [nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), PReLU()]
        layers += [nn.AvgPool2d(2)] * (pooled and k % 2 == 1)
    return nn.Sequential(*layers)


class Attributes(nn.Module):
    """C: who is shown, and in which pose: (B, I, H, W) -> logits (B, n) and (B, v)."""

    def __init__(self, inputs: int, widths: Sequence[int], people: int, poses: int):
        super().__init__()
        layers: list[nn.Module] = []
        for width in widths[:-1]:
            layers += [nn.Conv2d(inputs, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), PReLU()]
            inputs = width
        self.stack = nn.Sequential(*layers, nn.Conv2d(inputs, widths[-1], 3, 2, 1))
        self.identity = nn.Linear(widths[-1], people)
        self.pose = nn.Linear(widths[-1], poses)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, I, H, W) -> (B, n), (B, v)."""
        pooled = self.stack(features).mean((2, 3))
        return self.identity(pooled), self.pose(pooled)


def pose_label(yaw: Tensor, poses: int) -> Tensor:
    """Return the nearest of `poses` angles spread evenly over -90° to 90° for yaw in degrees: (B,) int64 -> (B,).

    Unknown yaw (NaN) is -100, as losses skip it. RaFD's five are -90, -45, 0, 45, 90.
    """
    nearest = ((yaw + 90) / 180 * (poses - 1)).round().clamp(0, poses - 1)
    return torch.where(yaw.isnan(), UNKNOWN, nearest.nan_to_num().long())


class Eet(Family):
    """Swaps two faces' expressions, edits AUs by exemplars, estimates AUs."""

    paper = (
        "Z. Shao, H. Zhu, J. Tang, X. Lu, L. Ma: Explicit Facial Expression Transfer via Fine-Grained "
        "Representations, arXiv:1909.02967, IEEE Transactions on Image Processing 30, 2021"
    )
    Config = EetConfig
    PRESETS = (
        {"small": SMALL, "paper": PAPER}
        | {name: replace(SMALL, **change) for name, change in ABLATIONS.items()}
        | {f"paper_{name}": replace(PAPER, **change) for name, change in ABLATIONS.items()}
    )
    places: Tensor  # (m,) columns of Faces.aus
    edits_by = ("expression", "aus", "like")
    needs = ("aus",)
    deployed = ("encoder", "free_encoder", "unit_encoder", "generator", "class_codes", "unit_directions")

    def __init__(self, config: EetConfig):
        super().__init__(config)
        c = config
        self.units = UNITS_17 if c.aus17 else UNITS_12
        m, branches = len(self.units), 1 if c.single_branch else len(self.units)
        pooled = c.image_size >= POOLED_FROM
        doublings = 6 if pooled else 4
        side = c.image_size // 2**doublings
        free, unit = progression(c.free_width), progression(c.unit_width)
        self.encoder = encoder(c.width, pooled)
        self.attributes = Attributes(2 * c.width, free, c.subjects, c.poses)
        self.free_encoder = halving(2 * c.width, free)
        self.unit_encoder = UnitEncoder(2 * c.width, unit, branches, m)
        # f_r, a mean over the branches, would reach G some ten times fainter than f_f: hence the gain.
        self.generator = generator(unit[-1] + free[-1], c.generator_width, doublings, unit[-1], c.unit_gain)
        self.unit_discriminator = feature_discriminator(free[-1], free, m * (LEVELS + 1))
        self.identity_discriminator = feature_discriminator(unit[-1], free, c.subjects)
        self.swap_discriminator = image_discriminator(c.image_size, c.discriminator_width)
        self.image_discriminator = image_discriminator(c.image_size, c.discriminator_width)
        self.shape = (unit[-1], side, side)  # of f_r and of each f_ri
        self.class_codes = ClassCodes(unit[-1] * side * side)
        self.unit_directions = UnitDirections(m, unit[-1] * side * side)
        self.occurrence = Occurrence(m, threshold=(LEVELS - 1) / 2)
        self.register_buffer("places", torch.tensor([AUS.index(au) for au in self.units]), persistent=False)

    def stages(self) -> tuple[Stage, ...]:
        """Sec. III-C: Eq. 11, then Eq. 12, with exact truths before and beside it where asked."""
        c = self.config
        judges = ("encoder", "attributes", "unit_discriminator", "identity_discriminator")
        makers = ("free_encoder", "unit_encoder", "generator")
        classify = Turn(
            "classify",
            (*judges, "free_encoder", "unit_encoder"),
            {
                "L_u": 1.0,
                "L_c": c.attributes,  # λ_c
                "L_u^(D)": c.unit_game,  # λ_adu
                "L_d^(D)": c.identity_game,  # λ_add
            },
            Adam(c.lr, (0.95, 0.999)),
        )
        answer = Turn("answer", makers, {"L_u": c.units, "truth": c.truth}, Adam(c.answer_lr, (0.9, 0.999)))
        slow = Adam(c.swap_lr, (0.5, 0.9))
        judge_swaps = Turn("judge swaps", ("swap_discriminator",), {"L_sc": c.swap_consistency}, slow, c.game_every)
        judge_images = Turn("judge images", ("image_discriminator",), {"L_adg": c.adversarial}, slow, c.game_every)
        synthesize = Turn(
            "synthesize",
            makers,
            {
                "L_u": c.units,
                "L_c": c.attributes,  # λ_c
                "L_r": c.reconstruction,  # λ_r
                "L_u^(E)": c.unit_game,  # λ_adu
                "L_d^(E)": c.identity_game,  # λ_add
                "L_sc": c.swap_consistency,  # λ_sc
                "L_adg": c.adversarial,  # λ_adg
            },
            slow,
            c.game_every,
        )
        answers = (answer,) if c.truth else ()
        return (
            Stage("classify", c.classify_steps, (classify,), decay=0.5),
            *(Stage("answer", c.answer_steps, (turn,)) for turn in answers),
            Stage("swap", c.steps, (*answers, judge_swaps, judge_images, synthesize), decay=0.5),
        )

    def sampling(self) -> Sampling:
        """Sec. IV-A: unpaired images, mirrored at random; crops, turns, colour and exact truths are `small`'s."""
        c = self.config
        return Sampling(
            c.same, c.alike, c.need_truth, margin=c.margin, rotations=(-c.turn, 0.0, c.turn), colour=c.colour
        )

    def forward(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the turn's unweighted losses."""
        with parametrize.cached():  # a weight is normalised once a turn
            if turn == "classify":
                return self._classification(batch.both())
            with evaluating(self.encoder, self.attributes, self.unit_discriminator, self.identity_discriminator):
                if turn == "answer":
                    return self._answer(batch)
                if turn == "synthesize":
                    return self._synthesis(batch.both())
                return self._judgement(batch.both(), turn)

    def _classification(self, faces: Faces) -> dict[str, Tensor]:
        aus = self._aus(faces)
        self.occurrence.add(aus)
        features = self.encoder(faces.image)
        free, (maps, estimates) = self.free_encoder(features), self.unit_encoder(features)
        scores = self.unit_discriminator(free).unflatten(1, (-1, LEVELS + 1))
        return {
            "L_u": unit_intensity_loss(estimates, aus, unit_weights(self.occurrence.rates())),
            "L_c": self._attributes(features, faces),
            "L_u^(D)": unit_discrimination_loss(scores, rounded_levels(aus)),
            "L_d^(D)": identity_discrimination_loss(self.identity_discriminator(fused_feature(maps)), faces.subject),
        }

    def _answer(self, batch: Batch) -> dict[str, Tensor]:
        with torch.no_grad():
            free, unit = self.encoder(batch.both().image).chunk(2)
        maps, estimates = self.unit_encoder(unit)
        self._remember(maps, batch.source)
        swapped = self._generate(fused_feature(maps), self.free_encoder(free))
        return {
            "L_u": unit_intensity_loss(estimates, self._aus(batch.source), unit_weights(self.occurrence.rates())),
            "truth": truth_loss(swapped, batch.truth, batch.target.image, self.config.focus),
        }

    def _judgement(self, faces: Faces, turn: str) -> dict[str, Tensor]:
        with torch.no_grad():
            features = self.encoder(faces.image)
            unit, free = fused_feature(self.unit_encoder(features)[0]), self.free_encoder(features)
            swapped = self._generate(partners(unit), free)
            real = self._generate(unit, free) if turn == "judge swaps" else faces.image
        if turn == "judge swaps":
            return {"L_sc": swap_discrimination_loss(self.swap_discriminator(real), self.swap_discriminator(swapped))}
        return {"L_adg": image_discrimination_loss(self.image_discriminator(real), self.image_discriminator(swapped))}

    def _synthesis(self, faces: Faces) -> dict[str, Tensor]:
        aus, weights = self._aus(faces), unit_weights(self.occurrence.rates())
        with torch.no_grad():
            features = self.encoder(faces.image)
        free, (maps, estimates) = self.free_encoder(features), self.unit_encoder(features)
        self._remember(maps, faces)
        unit = fused_feature(maps)
        own, swapped = self._generate(torch.cat([unit, partners(unit)]), free.repeat(2, 1, 1, 1)).chunk(2)
        again = self.encoder(swapped)
        free_again, (maps_again, estimates_again) = self.free_encoder(again), self.unit_encoder(again)
        crossed = self._generate(partners(fused_feature(maps_again)), free_again)
        scores = self.unit_discriminator(free).unflatten(1, (-1, LEVELS + 1))
        return {
            "L_u": unit_intensity_loss(estimates, aus, weights)
            + unit_intensity_loss(estimates_again, partners(aus), weights),
            "L_c": self._attributes(again, faces),
            "L_r": reconstruction_loss(own, crossed, faces.image),
            "L_u^(E)": unit_confusion_loss(scores),
            "L_d^(E)": identity_confusion_loss(self.identity_discriminator(unit)),
            "L_sc": swap_consistency_loss(self.swap_discriminator(swapped)),
            "L_adg": image_adversarial_loss(self.image_discriminator(swapped)),
        }

    def _attributes(self, features: Tensor, faces: Faces) -> Tensor:
        """Return Eq. 7: who is seen, and in which pose. A swapped face keeps both of the face that it is painted on."""
        c, (identity, pose) = self.config, self.attributes(features)
        return attribute_loss(identity, faces.subject, pose, pose_label(faces.yaw, c.poses), c.pose * (c.poses > 1))

    def _aus(self, faces: Faces) -> Tensor:
        return faces.aus[:, self.places]

    def _remember(self, maps: Tensor, faces: Faces) -> None:
        """Gather for editing how f_r goes with classes and with AUs."""
        feature = fused_feature(maps.detach().float()).flatten(1)
        self.class_codes.total *= MEMORY
        self.class_codes.count *= MEMORY
        self.class_codes.add(feature, faces)
        self.unit_directions.add(feature, self._aus(faces), MEMORY)

    def _generate(self, unit: Tensor, free: Tensor) -> Tensor:
        return self.generator(torch.cat([unit, free], 1).contiguous(memory_format=torch.channels_last))

    def swap(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """Return İ^a and İ^b, each person with the other's expression: (B, 3, H, W) twice, all in [-1, 1]."""
        features = self.encoder(torch.cat([a, b]))
        unit = partners(fused_feature(self.unit_encoder(features)[0]))
        first, second = self._generate(unit, self.free_encoder(features)).chunk(2)
        return first, second

    def transfer(self, face: Tensor, like: Tensor) -> Tensor:
        """Return İ^a = G(f_r^b, f_f^a), one half of `swap`: (B, 3, H, W) in [-1, 1]."""
        return self._generate(self._unit(like), self.free_encoder(self.encoder(face)))

    def reconstruct(self, face: Tensor) -> Tensor:
        """Return Ǐ = G(f_r, f_f) of one face: (B, 3, H, W) in [-1, 1]."""
        return self.transfer(face, face)

    def edit(self, face: Tensor, controls: Controls) -> Tensor:
        """Return `face` with the asked f_r; intensity is the way to it from the mean f_r of neutral faces.

        A class's is the mean of its exemplars; AUs move the face's own f_r from the estimated intensity to the asked
        one. Raises InputError for AUs that the model does not know.
        """
        like = face if controls.like is None else controls.like
        if controls.aus is not None:
            asked = self._with_aus(face, controls.both_sides())
        elif controls.expression is not None:
            asked = self._class_feature(controls.expression)
        else:
            asked = self._unit(like)
        asked = self.class_codes.fade(asked, controls.intensity)
        return self._generate(asked.expand(len(face), -1, -1, -1), self.free_encoder(self.encoder(face)))

    def estimate_aus(self, face: Tensor) -> Tensor:
        """Return û·l: (B, 21) in the order of mien.labels.AUS, NaN for what the model's 12 or 17 AUs leave out."""
        estimates = self.unit_encoder(self.encoder(face))[1].float() * LEVELS
        all_aus = estimates.new_full((len(face), len(AUS)), torch.nan)
        all_aus[:, self.places] = estimates
        return all_aus

    def embed(self, face: Tensor) -> Embedding:
        """Return the pooled f_ri of all branches (B, m·C) and the pooled f_f (B, C)."""
        features = self.encoder(face)
        maps = self.unit_encoder(features)[0]
        return Embedding(maps.mean((3, 4)).flatten(1), self.free_encoder(features).mean((2, 3)))

    def _unit(self, face: Tensor) -> Tensor:
        return fused_feature(self.unit_encoder(self.encoder(face))[0])

    def _class_feature(self, expression: str) -> Tensor:
        return self.class_codes.mean(expression).unflatten(1, self.shape)

    def _with_aus(self, face: Tensor, asked: dict[int, float]) -> Tensor:
        if unknown := sorted(asked.keys() - set(self.units)):
            raise InputError(f"AU {unknown[0]}: this model knows AUs {', '.join(map(str, self.units))}")
        maps, estimates = self.unit_encoder(self.encoder(face))
        unit = fused_feature(maps)
        for au, value in asked.items():
            place = self.units.index(au)
            try:
                direction = self.unit_directions.direction(place).unflatten(0, self.shape)
            except LookupError as error:
                raise InputError(f"this model never saw AU {au} in training") from error
            unit = unit + (value - estimates[:, place, None, None, None] * LEVELS) * direction
        return unit
