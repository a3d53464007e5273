"""The model: its nets, its recipe and its uses."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.controls import Controls
from mien.data.batch import Batch, Faces
from mien.errors import InputError
from mien.labels import CLASSES, class_index
from mien.models.contract import Embedding, Family, Prediction
from mien.models.expr_gan.config import PRESETS, ExprGanConfig
from mien.models.expr_gan.equations import (
    K,
    code_adversarial_value,
    fade,
    full_code,
    identity_loss,
    image_adversarial_value,
    present_blocks,
    regularizer_loss,
    uniform,
)
from mien.models.expr_gan.nets import ConditionedTrunk, GrowingDecoder, Regressor, StridedEncoder, normed_perceptron
from mien.models.expr_gan.supervision import Paired, Unpaired
from mien.models.recipe import Adam, Sampling, Stage, Turn, rotations
from mien.nn.blocks import Encoder
from mien.nn.losses import fooling_loss, known_cross_entropy, total_variation
from mien.nn.modes import untracked
from mien.whole_numbers import check_whole, is_number


class ExprGan(Family):
    """Editing in class, style and intensity; transfer, generation and recognition on the same codes.

    A face recognition net of one's own takes the place of ours in L_id: set `frozen_identity_net` before training to a
    module whose `maps`, or else whose forward, gives feature maps of images (B, 3, H, W) in [-1, 1]. It is never
    trained, gradients flow through it, and checkpoints hold it: a resume without it is refused.
    """

    paper = (
        "H. Ding, K. Sricharan, R. Chellappa: ExprGAN: Facial Expression Editing with Controllable Expression "
        "Intensity, AAAI 2018, arXiv:1709.03842"
    )
    Config = ExprGanConfig
    PRESETS = PRESETS
    needs = ("expression",)
    recognizes_plainly = True
    deployed = ("encoder", "decoder", "trunk", "regressor", "classifier")
    frozen_identity_net: nn.Module | None

    def __init__(self, config: ExprGanConfig):
        super().__init__(config)
        c, doubling = config, [2**k for k in range(7)]
        self.supervision: Unpaired | Paired = Paired(c) if c.exact else Unpaired(c)
        channels = [min(c.width * k, c.widest) for k in doubling[:5]]
        self.encoder = StridedEncoder(c.image_size, channels, c.identity_code, c.norm)
        # At the paper's width 1024 channels, then blocks of 512-256-128-64-32-16-3.
        seed, *growing = [min(c.decoder_width * k, c.widest) for k in doubling[::-1]]
        self.decoder = GrowingDecoder(
            c.image_size, c.identity_code + K * c.style, seed, [*growing, 3], doublings=5, norm=c.norm
        )
        self.trunk = ConditionedTrunk(c.image_size, c.discriminator_width, c.shared)
        self.image_head = nn.Linear(c.shared, 1)
        self.regressor = Regressor(c.shared, c.style)
        self.code_head = normed_perceptron(c.identity_code, (64, 32, 16, 1))
        self.classifier = nn.Sequential(
            StridedEncoder(c.image_size, channels, c.identity_code, c.norm),
            nn.ReLU(),
            nn.Linear(c.identity_code, len(CLASSES)),
        )
        self.identity_encoder = Encoder(c.image_size, [c.identity_width * k for k in doubling[:5]], c.identity_code)
        self.identity_classifier = nn.Linear(c.identity_code, c.subjects)
        self.frozen_identity_encoder = copy.deepcopy(self.identity_encoder)
        self.frozen_identity_net = None

    def stages(self) -> tuple[Stage, ...]:
        """Eq. 10 by Sec. "Incremental Training", after a stage for the classifier of y_B and our own φ."""
        c, adam, slow = self.config, Adam(self.config.lr), Adam(self.config.refining_lr)
        identify = ("identity_encoder", "identity_classifier")
        classify = Turn("classify expression", ("classifier",), {"expression": 1.0}, adam)
        if c.supervised:
            return (Stage("supervised", c.pretrain_steps, (classify,), decay=0.3),)
        pretrain = (classify, Turn("classify identity", identify, {"identity": 1.0}, adam, c.discriminate_every))
        discriminators = ("trunk", "image_head", "regressor")
        control_weights = {"L_Q": 1.0, "L_adv_img": 1.0}
        control = (
            Turn("discriminate noise", discriminators, control_weights, adam),
            Turn("control", ("decoder",), control_weights, adam),
        )
        likeness = {"L_pixel": 1.0, "L_id": c.identity_features}  # λ1
        reconstruct = Turn(
            "reconstruct",
            ("encoder", "decoder", "trunk", "regressor"),
            likeness | {"L_Q": c.reconstruction_regularizer} | self.supervision.extra_weights(),
            adam,
        )
        adversarial = {
            "L_Q": c.regularizer,  # λ2
            "L_adv_img": c.image_adversarial,  # λ3
            "L_adv_z": c.code_adversarial,  # λ4
        }
        refine = (
            Turn("discriminate", (*discriminators, "code_head"), adversarial, slow, c.discriminate_every),
            Turn("refine", ("encoder", "decoder"), likeness | adversarial | {"L_tv": c.smoothness}, slow),  # λ5
        )
        return (
            Stage("pretrain", c.pretrain_steps, pretrain, decay=0.3),
            Stage("controller", c.controller_steps, control),
            Stage("reconstruction", c.reconstruction_steps, (reconstruct,), decay=0.3),
            Stage("refining", c.refining_steps, refine, decay=0.3),
        )

    def sampling(self) -> Sampling:
        """The paper flips alone; what else is augmented, and which pairs, is ours."""
        c = self.config
        truth, turns = self.supervision.need_truth, rotations(c.turn, 1) if c.turn else (0.0,)
        return Sampling(c.same, c.alike, truth, margin=c.margin, rotations=turns, colour=c.colour)

    def enter(self, stage: str) -> None:
        """Keep a frozen copy of the pre-trained identity encoder for Eq. 7."""
        if stage == "controller":
            self.frozen_identity_encoder.load_state_dict(self.identity_encoder.state_dict())

    def losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the turn's unweighted losses."""
        turns = {
            "classify expression": self._expression_turn,
            "classify identity": self._identity_turn,
            "discriminate noise": self._noise_turn,
            "control": self._control_turn,
            "reconstruct": self._reconstruct_turn,
            "discriminate": self._discriminate_turn,
            "refine": self._refine_turn,
        }
        return turns[turn](batch)

    def _expression_turn(self, batch: Batch) -> dict[str, Tensor]:
        return {"expression": known_cross_entropy(self.classifier(batch.source.image), batch.source.label)}

    def _identity_turn(self, batch: Batch) -> dict[str, Tensor]:
        logits = self.identity_classifier(self.identity_encoder(batch.target.image))
        return {"identity": F.cross_entropy(logits.float(), batch.target.subject)}

    def _noise_turn(self, batch: Batch) -> dict[str, Tensor]:
        with torch.no_grad():
            fake, code, present = self._from_noise(batch.source)
        return self._discriminate_images(batch.source.image, fake, code, present)

    def _control_turn(self, batch: Batch) -> dict[str, Tensor]:
        return self._fool_images(*self._from_noise(batch.source))

    def _reconstruct_turn(self, batch: Batch) -> dict[str, Tensor]:
        face, shown, answer = self.supervision.task(batch)
        present = self._present(shown)
        code, unanswered = self._codes(shown, present)
        fake = self._decode(self._identity(face), code)
        some = self._watched_rows(fake)
        if not self.config.estimated:  # else Q has seen real faces while codes were made
            with torch.no_grad():
                self._trunk_of_real(shown.image[some], present[some])
        _, estimate = self._trunk_of_fake(fake[some], present[some])
        return (
            self._likeness(fake, answer, face, unanswered)
            | {"L_Q": regularizer_loss(estimate, code[some].detach())}
            | self.supervision.extra_losses(code, present, shown, unanswered)
        )

    def _discriminate_turn(self, batch: Batch) -> dict[str, Tensor]:
        face, shown, _ = self.supervision.task(batch)
        with torch.no_grad(), untracked(self.trunk, self.regressor):  # they see the same real faces below
            present = self._present(shown)
            code, _ = self._codes(shown, present)
            identity = self._identity(face)
            fake = self._decode(identity, code)
        judged = self._discriminate_images(shown.image, fake, code, present)
        return judged | {"L_adv_z": -code_adversarial_value(*self._code_logits(identity))}

    def _refine_turn(self, batch: Batch) -> dict[str, Tensor]:
        face, shown, answer = self.supervision.task(batch)
        with torch.no_grad():
            present = self._present(shown)
            code, unanswered = self._codes(shown, present)
        identity = self._identity(face)
        fake = self._decode(identity, code)
        return (
            self._likeness(fake, answer, face, unanswered)
            | self._fool_images(fake, code, present)
            | {"L_adv_z": fooling_loss(self._code_logits(identity)[1]), "L_tv": total_variation(fake)}
        )

    def _from_noise(self, faces: Faces) -> tuple[Tensor, Tensor, Tensor]:
        """Return x̂ of nobody, its code and y: the controller stage, in which g(x) is noise."""
        present = self._present(faces)
        code = self.supervision.draw(present, faces.label)
        return self._decode(uniform(len(faces), self.config.identity_code, code.device), code), code, present

    def _discriminate_images(self, real: Tensor, fake: Tensor, code: Tensor, present: Tensor) -> dict[str, Tensor]:
        """Return what D_img and Q minimise."""
        of_real = self.image_head(self._trunk_of_real(real, present))
        shared, estimate = self._trunk_of_fake(fake, present)
        return {
            "L_Q": regularizer_loss(estimate, code),
            "L_adv_img": -image_adversarial_value(of_real, self.image_head(shared)),
        }

    def _fool_images(self, fake: Tensor, code: Tensor, present: Tensor) -> dict[str, Tensor]:
        """Return what G minimises in D_img and Q."""
        shared, estimate = self._trunk_of_fake(fake, present)
        return {"L_Q": regularizer_loss(estimate, code.detach()), "L_adv_img": fooling_loss(self.image_head(shared))}

    def _likeness(self, fake: Tensor, answer: Tensor, face: Tensor, unanswered: Tensor) -> dict[str, Tensor]:
        """Return L_pixel and L_id; a picture without an answer is its own."""
        answer = torch.where(unanswered[:, None, None, None], fake.detach().to(answer.dtype), answer)
        some = self._watched_rows(fake)
        with torch.no_grad():
            wanted = self._identity_maps(answer[some])
        return {
            "L_pixel": self.supervision.pixels(fake, answer, face),
            "L_id": identity_loss(self._identity_maps(fake[some]), wanted),
        }

    def _identity_maps(self, image: Tensor) -> Sequence[Tensor]:
        """Return φ_l of Eq. 7: by the net that was given, else by our own."""
        net = self.frozen_identity_encoder if self.frozen_identity_net is None else self.frozen_identity_net
        found = getattr(net, "maps", net)(image)
        return [found] if isinstance(found, Tensor) else found

    def _watched_rows(self, fake: Tensor) -> slice:
        """Return which of a batch's x̂ (B, 3, H, W) L_id and the reconstruction stage's L_Q look at: the first ones."""
        return slice(max(2, round(self.config.watched * len(fake))))  # batch norm needs two

    def _code_logits(self, identity: Tensor) -> tuple[Tensor, Tensor]:
        """Return D_z's logits for the prior and for g(x), in one batch: batch norm must not hide what differs."""
        prior = uniform(len(identity), identity.shape[1], identity.device).to(identity.dtype)
        of_prior, of_codes = self.code_head(torch.cat([prior, identity])).chunk(2)
        return of_prior, of_codes

    def _present(self, faces: Faces) -> Tensor:
        """Return y (B, K): the label one-hot, 0 for neutral; where it is unknown, the classifier's probabilities."""
        label = faces.label
        known = F.one_hot(label.clamp(min=0), len(CLASSES)).to(faces.image.dtype)
        if (label >= 0).all():
            return known[:, 1:]
        with torch.no_grad(), untracked(self.classifier):
            guess = self.classifier(faces.image).to(known.dtype).softmax(1)
        return torch.where(label[:, None] >= 0, known, guess)[:, 1:]

    def _codes(self, faces: Faces, present: Tensor) -> tuple[Tensor, Tensor]:
        """Return codes to learn from (B, K d), and for which (B,) no picture can be the answer."""
        return self.supervision.codes(faces, present, self._estimate)

    def _trunk_of_real(self, real: Tensor, present: Tensor) -> Tensor:
        """Return the trunk's numbers of real faces, which alone move its and Q's running figures: Q is used on them."""
        shared = self.trunk(real, present)
        with torch.no_grad():
            self.regressor(shared)
        return shared

    def _trunk_of_fake(self, fake: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Return the trunk's numbers of x̂ and what L_Q compares with the code, leaving all running figures alone."""
        with untracked(self.trunk, self.regressor):
            shared = self.trunk(fake, present)
            estimate = self.regressor(shared)
        return shared, self.supervision.compared(estimate, present)

    def _estimate(self, image: Tensor, present: Tensor) -> Tensor:
        """Return Q's code of a picture, given y: what is absent is -1, what is present as strong as Q sees it."""
        return present_blocks(self.regressor(self.trunk(image, present)), present)

    def _example_code(self, image: Tensor) -> Tensor:
        """Return c_B of a picture alone: the classifier gives y_B, Q the rest."""
        return self._estimate(image, self.recognize(image).probabilities[:, 1:])

    def _class_code(self, expression: str | None) -> Tensor:
        """Return a class's code (1, K d): its block 1, the rest -1."""
        label = torch.tensor([CLASSES.index(expression or "neutral")])
        return full_code(F.one_hot(label, len(CLASSES))[:, 1:].float(), self.config.style)

    def _identity(self, face: Tensor) -> Tensor:
        return self.encoder(face).tanh()  # g(x), in the prior's range

    def _decode(self, identity: Tensor, code: Tensor) -> Tensor:
        return self.decoder(torch.cat([identity, code.to(identity.dtype)], 1))

    def transfer(self, face: Tensor, like: Tensor) -> Tensor:
        """Return G_dec(g(face), c_B) with c_B of `like`: (B, 3, H, W) in [-1, 1]."""
        return self._decode(self._identity(face), self._example_code(like))

    def reconstruct(self, face: Tensor) -> Tensor:
        """Return the model's own picture of `face`: (B, 3, H, W) in [-1, 1]."""
        return self.transfer(face, face)

    def edit(self, face: Tensor, controls: Controls) -> Tensor:
        """Return `face` with a class's block at 1 and the rest at -1, or with another face's code.

        Intensity is the way to that code from neutral, all -1. Raises InputError for other ways of asking.
        """
        self.check_edit(controls)
        like = controls.like
        asked = self._class_code(controls.word) if like is None else self._example_code(like)
        code = fade(asked.to(face.device), controls.intensity)
        return self._decode(self._identity(face), code.expand(face.shape[0], -1))

    def element(self, face: Tensor, expression: str, element: int, value: float = 1.0) -> Tensor:
        """Return `face` with one element of a class's block at `value` in [-1, 1] and all others at -1 (Fig. 3).

        Raises InputError for neutral, which has no block, and for an element or value out of range.
        """
        d = self.config.style
        if expression not in CLASSES[1:]:
            raise InputError(f"{expression!r} has no block in the code; choose one of {', '.join(CLASSES[1:])}")
        known = hasattr(element, "__index__") and is_number(value)
        if not known or not 0 <= element < d or not -1.0 <= value <= 1.0:
            raise InputError(f"element {element} at {value}: expected 0 to {d - 1}, at -1 to 1")
        code = self._class_code("neutral").to(face.device)
        code[:, (CLASSES.index(expression) - 1) * d + element] = value
        return self._decode(self._identity(face), code.expand(face.shape[0], -1))

    def vary(self, face: Tensor, expression: str, seed: int = 0) -> Tensor:
        """Return `face` (B, 3, H, W) showing a class by codes of Eq. 3 that are drawn, of varied style and strength."""
        check_whole("seed", seed)
        labels = torch.full((len(face),), class_index(expression))
        code = self._drawn_code(labels, torch.Generator().manual_seed(seed))
        return self._decode(self._identity(face), code.to(face.device))

    def _drawn_code(self, labels: Tensor, draw: torch.Generator) -> Tensor:
        z = uniform(len(labels), self.config.style, generator=draw)
        return self.supervision.controlled(F.one_hot(labels, len(CLASSES))[:, 1:].float(), z, labels)

    def generate(self, count: int, expression: str | None = None, seed: int = 0) -> Tensor:
        """Return (count, 3, H, W) in [-1, 1]: g(x) and z_y are noise; without a class each face has a random one."""
        check_whole("count", count, 1)
        check_whole("seed", seed)
        draw = torch.Generator().manual_seed(seed)
        labels = torch.randint(1, len(CLASSES), (count,), generator=draw)
        if expression is not None:
            labels.fill_(class_index(expression))
        identity = uniform(count, self.config.identity_code, generator=draw)
        code = self._drawn_code(labels, draw)
        device = self.decoder.linear.weight.device
        return self._decode(identity.to(device), code.to(device))

    invent = generate  # its old name, until 0.2

    def recognize(self, face: Tensor) -> Prediction:
        """Return class probabilities by the classifier of y_B."""
        return Prediction(self.classifier(face).float().softmax(1))

    def baseline(self, face: Tensor) -> Prediction:
        """Return class probabilities by the CNN baseline: G_enc's structure and one more layer, as in the model."""
        return self.recognize(face)

    def embed(self, face: Tensor) -> Embedding:
        """Return c (B, K d) by classifier and Q, and g(x) (B, 50)."""
        return Embedding(self._example_code(face), self._identity(face))
