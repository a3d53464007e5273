"""The model: its nets, its recipe and its uses."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from mien.controls import Controls
from mien.data.batch import Batch, Faces, partners
from mien.errors import InputError
from mien.labels import AUS
from mien.models.contract import Embedding, Family
from mien.models.eet.config import PRESETS, UNITS_12, UNITS_17, EetConfig, pools
from mien.models.eet.equations import (
    LEVELS,
    attribute_loss,
    fused_feature,
    identity_confusion_loss,
    identity_discrimination_loss,
    image_adversarial_loss,
    image_discrimination_loss,
    reconstruction_loss,
    rounded_levels,
    swap_consistency_loss,
    swap_discrimination_loss,
    unit_confusion_loss,
    unit_discrimination_loss,
    unit_intensity_loss,
    unit_weights,
)
from mien.models.eet.nets import (
    Attributes,
    UnitEncoder,
    encoder,
    feature_discriminator,
    generator,
    halving,
    image_discriminator,
    progression,
)
from mien.models.eet.unit_statistics import Occurrence, UnitDirections
from mien.models.recipe import Adam, Sampling, Stage, Turn, rotations
from mien.nn.class_codes import ClassCodes
from mien.nn.losses import UNKNOWN, truth_loss
from mien.nn.modes import evaluating

MEMORY = 0.998  # a step, of what is gathered for editing: features of nets that have moved on fade


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
    PRESETS = PRESETS
    places: Tensor  # (m,) columns of Faces.aus
    edits_by = ("expression", "aus", "like")
    needs = ("aus",)
    deployed = ("encoder", "free_encoder", "unit_encoder", "generator", "class_codes", "unit_directions")

    def __init__(self, config: EetConfig):
        super().__init__(config)
        c = config
        self.units = UNITS_17 if c.aus17 else UNITS_12
        m, branches = len(self.units), 1 if c.single_branch else len(self.units)
        pooled = pools(c.image_size)
        doublings = 4 + pooled
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
        self.class_codes = ClassCodes(*self.shape)
        self.unit_directions = UnitDirections(m, unit[-1] * side * side)
        self.occurrence = Occurrence(m, threshold=(LEVELS - 1) / 2)
        self.register_buffer(
            "places", torch.tensor([AUS.index(au) for au in self.units], device="cpu"), persistent=False
        )

    def stages(self) -> tuple[Stage, ...]:
        """Sec. III-C: Eq. 11, then Eq. 12, with exact truths before and beside it where asked."""
        c = self.config
        discriminators = ("encoder", "attributes", "unit_discriminator", "identity_discriminator")
        makers = ("free_encoder", "unit_encoder", "generator")
        # Eq. 4 is a mean over n outputs: without this, what E_r feels of the game fades as 1/n. D_d itself, under Adam,
        # does not feel it, and in stage 1 a stronger pull would fill f_r with the person.
        many = c.subjects / c.game_people if c.game_people else 1.0
        classify = Turn(  # paper: Eq. 11
            "classify",
            (*discriminators, "free_encoder", "unit_encoder"),
            {
                "L_u": 1.0,
                "L_c": c.attributes,  # λ_c
                "L_u^(D)": c.unit_game,  # λ_adu
                "L_d^(D)": c.identity_game,  # λ_add
            },
            Adam(c.lr, (0.95, 0.999)),
        )
        # ours: Eq. 2 and 4 go on for their critics where E, E_f and E_r rest
        critics = Turn(
            "criticize",
            ("unit_discriminator", "identity_discriminator"),
            {"L_u^(D)": c.unit_game, "L_d^(D)": c.identity_game},
            Adam(c.lr, (0.95, 0.999)),
        )
        # ours: the true picture where there is one
        answer = Turn("answer", makers, {"L_u": c.units, "truth": c.truth}, Adam(c.answer_lr, (0.9, 0.999)))
        slow = Adam(c.swap_lr, (0.5, 0.9))
        # paper: Eq. 8 and 10 as D_sc and D_g have them, within Eq. 12
        judge_swaps = Turn("judge swaps", ("swap_discriminator",), {"L_sc": c.swap_consistency}, slow, c.game_every)
        judge_images = Turn("judge images", ("image_discriminator",), {"L_adg": c.adversarial}, slow, c.game_every)
        synthesize = Turn(  # paper: Eq. 12
            "synthesize",
            makers,
            {
                "L_u": c.units,
                "L_c": c.attributes,  # λ_c
                "L_r": c.reconstruction,  # λ_r
                "L_u^(E)": c.unit_game,  # λ_adu
                "L_d^(E)": c.identity_game * many,  # λ_add
                "L_sc": c.swap_consistency,  # λ_sc
                "L_adg": c.adversarial,  # λ_adg
            },
            slow,
            c.game_every,
        )
        answers, rested = (answer,) if c.truth else (), (critics,) if c.critic_steps else ()
        return (
            Stage("classify", c.classify_steps, (classify,), decay=0.5),
            *(Stage("criticize", c.critic_steps, (turn,), decay=0.5) for turn in rested),
            *(Stage("answer", c.answer_steps, (turn,)) for turn in answers),
            Stage("swap", c.steps, (*answers, judge_swaps, judge_images, synthesize), decay=0.5),
        )

    def sampling(self) -> Sampling:
        """Sec. IV-A: unpaired images, mirrored at random; crops, turns, colour and exact truths are `small`'s."""
        c = self.config
        return Sampling(c.same, c.alike, c.need_truth, margin=c.margin, rotations=rotations(c.turn, 1), colour=c.colour)

    def losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the turn's unweighted losses."""
        with parametrize.cached():  # a weight is normalised once a turn
            if turn == "classify":
                return self._classification(batch.both())
            if turn == "criticize":
                with evaluating(self.encoder, self.free_encoder, self.unit_encoder):
                    return self._criticism(batch.both())
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
        return {
            "L_u": unit_intensity_loss(estimates, aus, unit_weights(self.occurrence.rates())),
            "L_c": self._attributes(features, faces),
            **self._discrimination(free, fused_feature(maps), faces),
        }

    def _criticism(self, faces: Faces) -> dict[str, Tensor]:
        with torch.no_grad():
            features = self.encoder(faces.image)
            free, unit = self.free_encoder(features), fused_feature(self.unit_encoder(features)[0])
        return self._discrimination(free, unit, faces)

    def _discrimination(self, free: Tensor, unit: Tensor, faces: Faces) -> dict[str, Tensor]:
        scores = self.unit_discriminator(free).unflatten(1, (-1, LEVELS + 1))
        return {
            "L_u^(D)": unit_discrimination_loss(scores, rounded_levels(self._aus(faces))),
            "L_d^(D)": identity_discrimination_loss(self.identity_discriminator(unit), faces.subject),
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
        feature = fused_feature(maps.detach().float())
        self.class_codes.add(feature, faces.label, faces.intensity, MEMORY)
        self.unit_directions.add(feature.flatten(1), self._aus(faces), MEMORY)

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
        self.check_edit(controls)
        if "aus" in controls.kinds:
            asked = self.class_codes.fade(self._with_aus(face, controls.both_sides()), controls.intensity)
        else:
            asked = self.class_codes.asked(controls, self._unit)
        return self._generate(asked.expand(face.shape[0], -1, -1, -1), self.free_encoder(self.encoder(face)))

    def estimate_aus(self, face: Tensor) -> Tensor:
        """Return û·l: (B, 21) in the order of mien.labels.AUS, NaN for what the model's 12 or 17 AUs leave out."""
        estimates = self.unit_encoder(self.encoder(face))[1].float() * LEVELS
        all_aus = estimates.new_full((face.shape[0], len(AUS)), torch.nan)
        all_aus[:, self.places] = estimates
        return all_aus

    def embed(self, face: Tensor) -> Embedding:
        """Return the pooled f_r and the pooled f_f, what G paints from: (B, C) each."""
        features = self.encoder(face)
        unit = fused_feature(self.unit_encoder(features)[0])
        return Embedding(unit.mean((2, 3)), self.free_encoder(features).mean((2, 3)))

    def _unit(self, face: Tensor) -> Tensor:
        return fused_feature(self.unit_encoder(self.encoder(face))[0])

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
