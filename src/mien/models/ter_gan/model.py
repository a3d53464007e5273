"""TER-GAN: its equations, its nets and what can be asked of it; the symbols stand at the package's head."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.data.batch import Batch, Faces
from mien.labels import CLASSES
from mien.models.contract import Prediction
from mien.models.recipe import Adam, Sampling, Stage, Turn, rotations
from mien.models.ter_gan.config import PRESETS, TerGanConfig
from mien.models.two_codes import TwoCodes
from mien.nn.blocks import Decoder, Encoder, perceptron
from mien.nn.class_codes import ClassCodes
from mien.nn.gradient_reversal import reverse_gradient
from mien.nn.losses import image_l1, known_cross_entropy, mean_l1, share_of
from mien.nn.modes import untracked
from mien.nn.naming_discriminator import NamingDiscriminator

MAP_WEIGHTS = (0.5, 0.6, 0.7, 0.88, 0.99)  # Sec. 4.1: ω1_l = ω2_l, finest map first


def discriminator_loss(
    real_expression: Tensor, expression: Tensor, real_identity: Tensor, identity: Tensor, fake_expression: Tensor
) -> Tensor:
    """Eq. 1: L_D = -E[log D_e^ys(x_s) + log D_i^yt(x_t)] - E[log D_e^(n+1)(x̄)], on logits; labels -100 are left out."""
    fake = torch.full_like(expression, fake_expression.shape[1] - 1)
    return (
        known_cross_entropy(real_expression, expression)
        + known_cross_entropy(real_identity, identity)
        + F.cross_entropy(fake_expression, fake)
    )


def generator_loss(fake_expression: Tensor, expression: Tensor, fake_identity: Tensor, identity: Tensor) -> Tensor:
    """Eq. 2: L_G = -E[log D_e^ys(x̄) + log D_i^yt(x̄)], on logits; labels -100 are left out."""
    return known_cross_entropy(fake_expression, expression) + known_cross_entropy(fake_identity, identity)


def adversarial_loss(generator: Tensor, discriminator: Tensor) -> Tensor:
    """Eq. 3: L_adv = L_G + L_D. G and D take turns, so each turn sees its own summand."""
    return generator + discriminator


def expression_consistency_loss(source: Tensor, fake: Tensor) -> Tensor:
    """Eq. 4: L_Des = E[L(1, D_es(G_es(x_s)))] + E[L(2, D_es(G_es(x̄)))], cross entropy on logits (B, 1)."""
    return F.softplus(-source).mean() + F.softplus(fake).mean()


def identity_consistency_loss(target: Tensor, fake: Tensor) -> Tensor:
    """Eq. 5: L_Det = E[L(1, D_et(G_et(x_t)))] + E[L(2, D_et(G_et(x̄)))], cross entropy on logits (B, 1)."""
    return F.softplus(-target).mean() + F.softplus(fake).mean()


def identity_reconstruction_loss(fake: Tensor, target: Tensor) -> Tensor:
    """Eq. 6: L_irec = L1(x̄, x_t), one number a pair (B,)."""
    return image_l1(fake, target)


def expression_reconstruction_loss(fake: Tensor, source: Tensor) -> Tensor:
    """Eq. 7: L_erec = L1(x̄, x_s), one number a pair (B,)."""
    return image_l1(fake, source)


def expression_feature_loss(fake: Sequence[Tensor], source: Sequence[Tensor]) -> Tensor:
    """Eq. 8: L_ef = Σ_l ω1_l L1(h1_l(x̄), h1_l(x_s)), maps of the frozen expression encoder."""
    return weighted_map_l1(fake, source)


def identity_feature_loss(fake: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """Eq. 9: L_if = Σ_l ω2_l L1(h2_l(x̄), h2_l(x_t)), maps of the frozen identity encoder."""
    return weighted_map_l1(fake, target)


def weighted_map_l1(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """Return Σ_l ω_l mean|a_l - b_l|."""
    terms = [w * mean_l1(x, y) for w, x, y in zip(MAP_WEIGHTS, a, b, strict=True)]
    return torch.stack(terms).sum()


class TerGan(TwoCodes):
    """The three uses of the paper's title behind one interface."""

    paper = (
        "K. Ali, C. E. Hughes: All-In-One: Facial Expression Transfer, Editing and Recognition "
        "Using A Single Network, arXiv:1911.07050, 2019"
    )
    Config = TerGanConfig
    PRESETS = PRESETS
    stage_1 = {"discriminator_steps": 0, "steps": 0}  # noqa: RUF012
    needs = ("expression",)
    deployed = ("expression_encoder", "identity_encoder", "decoder", "recognizer", "class_codes")

    def __init__(self, config: TerGanConfig):
        super().__init__(config)
        c, n = config, len(CLASSES)
        channels = [c.width * 2**k for k in range(5)]
        self.expression_encoder = Encoder(c.image_size, channels, c.expression_code)
        self.identity_encoder = Encoder(c.image_size, channels, c.identity_code)
        self.decoder = Decoder(
            c.image_size,
            c.expression_code + c.identity_code,
            channels[-1],
            [8 * c.width, 4 * c.width, 2 * c.width, c.width, 3],
        )
        self.discriminator = NamingDiscriminator(c.image_size, c.discriminator_width, n, c.subjects)
        self.expression_game = perceptron(c.expression_code, (32, 16, 1))
        self.identity_game = perceptron(c.identity_code, (32, 16, 1))
        self.expression_classifier = nn.Linear(c.expression_code, n)  # stage 1 only, thrown away
        self.identity_classifier = nn.Linear(c.identity_code, c.subjects)  # stage 1 only, thrown away
        self.recognizer = perceptron(c.expression_code, (64, n))
        self.frozen_expression_encoder = copy.deepcopy(self.expression_encoder)
        self.frozen_identity_encoder = copy.deepcopy(self.identity_encoder)
        self.class_codes = ClassCodes(c.expression_code)

    def stages(self) -> tuple[Stage, ...]:
        """Sec. 3.1.4: pre-train the encoders; train all in two steps a batch; a classifier on the detached G_es."""
        c, adam = self.config, Adam(self.config.lr)
        encoders, games = ("expression_encoder", "identity_encoder"), ("expression_game", "identity_game")
        slower = dict.fromkeys(encoders, c.encoder_rate)
        classify = Turn(  # paper: stage 1, and the CNN baseline
            "classify expression", ("expression_encoder", "expression_classifier"), {"expression": 1.0}, adam
        )
        if c.supervised:
            return (Stage("supervised", c.pretrain_steps + c.steps, (classify,), decay=0.3),)
        identify = Turn(  # paper: stage 1
            "classify identity", ("identity_encoder", "identity_classifier"), {"identity": 1.0}, adam
        )
        discriminate = Turn("discriminate", ("discriminator",), {"L_D": c.adversarial}, adam, c.game_every)  # paper: λ7
        image_losses = {
            "L_if": c.identity_features,  # λ1
            "L_ef": c.expression_features,  # λ2
            "L_irec_same": c.irec_same,  # λ3
            "L_irec_alike": c.irec_alike,
            "L_irec_different": c.irec_different,
            "L_erec_same": c.erec_same,  # λ4
            "L_erec_alike": c.erec_alike,
            "L_erec_different": c.erec_different,
            "L_G": c.adversarial,  # λ7
        }
        code_losses = {"L_Det": c.identity_consistency, "L_Des": c.expression_consistency}  # λ5, λ6
        # paper: the first step of a batch
        synthesize = Turn("synthesize", (*encoders, "decoder"), image_losses, adam, rates=slower)
        re_encode = Turn(  # paper: the second step
            "re-encode", (*encoders, *games), code_losses, Adam(c.re_encode_lr), c.game_every, slower
        )
        together = Turn(  # ours: both in one
            "synthesize", (*encoders, "decoder", *games), image_losses | code_losses, adam, rates=slower
        )
        play = (discriminate, together) if c.one_step else (discriminate, synthesize, re_encode)
        alone = (Stage("discriminator", c.discriminator_steps, (discriminate,)),) if c.discriminator_steps else ()
        recognize = Turn("recognize", ("recognizer",), {"expression": 1.0}, adam)  # paper: the shallow classifier
        return (
            Stage("pretrain", c.pretrain_steps, (classify, identify)),
            *alone,
            Stage("adversarial", c.steps, play, decay=0.3),
            Stage("recognition", c.recognition_steps, (recognize,)),
        )

    def sampling(self) -> Sampling:
        """Sec. 4.1: five crops × four rotations (and none) × flip. The share of pairs of one person is ours."""
        c = self.config
        return Sampling(c.same, c.alike, margin=c.margin, rotations=rotations(c.turn), colour=c.colour)

    def enter(self, stage: str) -> None:
        """Keep frozen copies of the pre-trained encoders for Eq. 8 and 9; start the class codes anew."""
        if stage == "recognition":
            self.class_codes.reset()
        if stage == "adversarial":
            self.frozen_expression_encoder.load_state_dict(self.expression_encoder.state_dict())
            self.frozen_identity_encoder.load_state_dict(self.identity_encoder.state_dict())

    def losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the turn's unweighted losses."""
        source, target = batch.source, batch.target
        if turn == "classify expression":
            logits = self.expression_classifier(self.expression_encoder(source.image))
            return {"expression": known_cross_entropy(logits, source.label)}
        if turn == "classify identity":
            logits = self.identity_classifier(self.identity_encoder(target.image))
            return {"identity": F.cross_entropy(logits.float(), target.subject)}
        if turn == "recognize":
            return {"expression": self._recognition(source)}
        if turn == "discriminate":
            with torch.no_grad():
                fake = self.transfer(target.image, source.image)
            return {"L_D": self._discrimination(source, target, fake)}
        if turn == "synthesize":
            return self._synthesis(batch)
        with torch.no_grad(), untracked(self.expression_encoder, self.identity_encoder, self.decoder):
            fake = self.transfer(target.image, source.image)
        return self._consistency(source.image, target.image, fake)

    def _discrimination(self, source: Faces, target: Faces, fake: Tensor) -> Tensor:
        real_expression, _ = self.discriminator(source.image)
        _, real_identity = self.discriminator(target.image)
        fake_expression, _ = self.discriminator(fake)
        return discriminator_loss(real_expression, source.label, real_identity, target.subject, fake_expression)

    def _synthesis(self, batch: Batch) -> dict[str, Tensor]:
        source, target, same = batch.source, batch.target, batch.same
        alike, different = batch.alike, ~(batch.same | batch.alike)
        fake = self.transfer(target.image, source.image)
        fake_expression, fake_identity = self.discriminator(fake)
        with torch.no_grad():
            source_maps = self.frozen_expression_encoder.maps(source.image)
            target_maps = self.frozen_identity_encoder.maps(target.image)
        # With one person, x_s shifted as x_t is: the encoder then cannot smuggle the picture's place through f(e).
        answer = torch.where(same[:, None, None, None], batch.truth, source.image)
        irec = identity_reconstruction_loss(fake, target.image)
        erec = expression_reconstruction_loss(fake, answer)
        codes = self._consistency(source.image, target.image, fake.detach()) if self.config.one_step else {}
        return codes | {
            "L_if": identity_feature_loss(self.frozen_identity_encoder.maps(fake), target_maps),
            "L_ef": expression_feature_loss(self.frozen_expression_encoder.maps(fake), source_maps),
            "L_irec_same": share_of(irec, same),
            "L_irec_alike": share_of(irec, alike),
            "L_irec_different": share_of(irec, different),
            "L_erec_same": share_of(erec, same),
            "L_erec_alike": share_of(erec, alike),
            "L_erec_different": share_of(erec, different),
            "L_G": generator_loss(fake_expression, source.label, fake_identity, target.subject),
        }

    def _consistency(self, source: Tensor, target: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Return Eq. 4 and 5; no gradient goes to the decoder."""

        def play(encoder: nn.Module, game: nn.Module, real: Tensor) -> tuple[Tensor, Tensor]:
            if self.config.joint_norm:
                with untracked(encoder):
                    first, second = game(reverse_gradient(encoder(torch.cat([real, fake])))).chunk(2)
                return first, second
            of_real = game(reverse_gradient(encoder(real)))
            with untracked(encoder):
                return of_real, game(reverse_gradient(encoder(fake)))

        return {
            "L_Des": expression_consistency_loss(*play(self.expression_encoder, self.expression_game, source)),
            "L_Det": identity_consistency_loss(*play(self.identity_encoder, self.identity_game, target)),
        }

    def baseline(self, face: Tensor) -> Prediction:
        """Return class probabilities by the CNN baseline: G_es with the class layer of stage 1."""
        return Prediction(self.expression_classifier(self.expression_encoder(face)).float().softmax(1))
