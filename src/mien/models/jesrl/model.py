"""The model: its nets, its recipe and its uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.controls import Controls
from mien.data.batch import Batch, partners
from mien.models.contract import Embedding, Family, Prediction
from mien.models.jesrl.config import PRESETS, JesrlConfig
from mien.models.jesrl.equations import (
    adversarial_loss,
    block_mask,
    classification_loss,
    interpolate,
    interpolation_loss,
    naming_loss,
    perceptual_loss,
    pixel_sum_loss,
    reconstruction_loss,
    switch,
)
from mien.models.jesrl.nets import CODE_CHANNELS, Classifier, Discriminator, N, block_of, halves, one_hot
from mien.models.jesrl.unet import Encoded, UNetDecoder, UNetEncoder
from mien.models.jesrl.vgg import Vgg19, load_vgg19
from mien.models.recipe import Adam, Sampling, Sgd, Stage, Turn, rotations
from mien.nn.class_codes import ClassCodes
from mien.nn.losses import fooling_loss, total_variation, truth_loss
from mien.nn.modes import evaluating, untracked


class Jesrl(Family):
    """Transfer and recognition trained as one."""

    paper = (
        "X. Zhang, F. Zhang, C. Xu: Joint Expression Synthesis and Representation Learning for Facial Expression "
        "Recognition, IEEE TCSVT 32(3), 2022, doi:10.1109/TCSVT.2021.3056098"
    )
    Config = JesrlConfig
    PRESETS = PRESETS
    needs = ("expression",)
    deployed = ("encoder", "decoder", "classifier", "class_blocks")

    def __init__(self, config: JesrlConfig):
        super().__init__(config)
        c = config
        widths = [c.width, 2 * c.width, 4 * c.width, 8 * c.width]
        self.encoder = UNetEncoder([3, *widths, 8 * c.width], c.batch_norm)
        self.decoder = UNetDecoder([16 * c.width + CODE_CHANNELS * N, *reversed(widths)], c.batch_norm)
        self.discriminators = nn.ModuleList(
            Discriminator(c.discriminator_width, side) for side in (c.image_size, c.image_size // 2)
        )
        self.classifier = Classifier(c.vgg_width, c.batch_norm, 8 * c.width, c.pool)
        self.frozen_vgg = Vgg19(c.vgg_width, c.batch_norm)
        self.shape = (8 * c.width, c.image_size // 32, c.image_size // 32)  # of a representation
        self.class_blocks = ClassCodes(*self.shape)

    def stages(self) -> tuple[Stage, ...]:
        """Sec. III-D, IV-B: VGG first; then all at once, or without L_C (TwoStage); then the classifier alone.

        Between the first two, G may go ahead (ours): the classifier then learns from real pictures alone. It is updated
        equally often in all of these, and in the supervised baseline.
        """
        c, adam = self.config, Adam(self.config.lr)
        first = 0 if c.vgg_weights else c.pretrain_steps
        ahead, rounds = -(-c.generator_steps // c.every), -(-c.steps // c.every)  # steps 0, every, 2 every …
        slow: Adam | Sgd = Sgd(c.classifier_lr, c.momentum) if c.momentum else Adam(c.classifier_lr, (0.9, 0.999))
        alone = Turn("classify alone", ("classifier",), {"L_C": 1.0}, slow)  # ours, in the paper's place of ImageNet
        if c.supervised:  # paper, Table II: VGG19
            return (Stage("supervised", first + ahead + rounds + c.settle_steps, (alone,), decay=0.3),)
        games = {"L_adv": c.adversarial} | ({"L_inter": c.interpolation} if c.interpolation else {})
        synthesize = games | {
            "L_r": c.reconstruction,  # λ1
            "L_per": c.perceptual,  # λ2
            "L_p": c.pixel_sum,  # λ3
            "TV": c.smoothness,  # λ4
        }
        synthesize |= {"L_C": c.classification} if self._joint else {}
        known = ({"L_truth": c.truth} if c.truth else {}) | ({"L_name": c.naming} if c.naming else {})  # ours
        generator = ("encoder", "decoder")
        making = [
            Turn("discriminate", ("discriminators",), games, adam, c.every),  # paper, Eq. 5, 7
            Turn("synthesize", generator, synthesize | known, adam, c.every),  # paper, Eq. 12
        ]
        if c.truth:
            making.append(Turn("answer", generator, known, Adam(c.lr, (0.9, 0.999))))  # ours
        real = Turn("classify real", ("classifier",), {"L_C": 1.0}, slow, c.every)  # ours
        joint = Turn("classify", ("classifier",), {"L_C": 1.0}, slow, c.every)  # paper, Eq. 8
        name = Turn("name", ("encoder",), {"L_name": 1.0}, adam)  # ours
        settle = Turn("settle", ("classifier",), {"L_C": 1.0}, slow)  # paper, Eq. 8; ours: that G rests meanwhile
        first_alone = (Stage("generator", c.generator_steps, (*making, real)),) if c.generator_steps else ()
        return (
            Stage("pretrain", first, (alone, name) if c.naming else (alone,)),
            *first_alone,
            Stage("generate", c.steps, (*making, joint) if c.end_to_end else tuple(making), decay=0.3),
            Stage("settle", c.settle_steps + (0 if c.end_to_end else rounds), (settle,), decay=0.5),
        )

    @property
    def _joint(self) -> bool:
        """Whether L_C has a way to move the generator."""
        c = self.config
        return c.end_to_end and (c.representation or c.synthetic > 0)

    def sampling(self) -> Sampling:
        """The paper goes through the classes, and pairs people who show different ones. Known answers are ours."""
        c = self.config
        augmented = Sampling(margin=c.margin, rotations=rotations(c.turn), colour=c.colour)
        if c.cycled:
            return replace(augmented, cycled=True, least=c.least)
        return replace(augmented, same=c.same, alike=c.alike, need_truth=c.need_truth)

    def enter(self, stage: str) -> None:
        """Take ImageNet's weights where given, freeze a copy of VGG for Eq. 11, start the class blocks anew."""
        if stage in ("pretrain", "supervised") and self.config.vgg_weights:
            load_vgg19(self.classifier.vgg, Path(self.config.vgg_weights))
        if stage == ("generator" if self.config.generator_steps else "generate"):
            self.frozen_vgg.load_state_dict(self.classifier.vgg.state_dict())
        if stage == "settle":
            self.class_blocks.reset()

    def losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the turn's unweighted losses."""
        image = torch.cat([batch.target.image, batch.source.image])  # I_a, I_b
        label = torch.cat([batch.target.label, batch.source.label])
        if turn == "classify alone":
            return {"L_C": classification_loss(self.classifier(image, None), label)}
        if turn == "discriminate":
            return self._discriminate(image, label)
        if turn == "synthesize":
            return self._synthesize(image, label, batch.truth)
        if turn == "answer":
            return self._answer(image, label, batch.truth)
        if turn == "name":
            return {"L_name": naming_loss(self.encoder(image).representation, label)}
        with torch.no_grad(), evaluating(self.encoder, self.decoder):
            seen = self.encoder(image)
            made, made_label = self._made(seen, label, 0 if turn == "classify real" else self.config.synthetic)
            again = self.encoder(made).representation
        if turn == "settle":
            for faces, code in zip((batch.target, batch.source), seen.representation.chunk(2), strict=True):
                self.class_blocks.add(code, faces.label, faces.intensity)
        of_made = self._logits_of_made(made, again)
        if self.config.confirmed:
            made_label = made_label.where(of_made.argmax(1) == made_label, -100)  # left out of L_C
        logits = torch.cat([self._logits(image, seen.representation), of_made])
        return {"L_C": classification_loss(logits, torch.cat([label, made_label]))}

    def _chosen(self, label: Tensor, partner: Tensor) -> Tensor:
        """Return which blocks two faces switch (B, n): those of both classes; all where a class is unknown."""
        unknown = (label < 0) | (partner < 0)
        extra = torch.rand(len(label), N, device=label.device) < self.config.extra_blocks
        return one_hot(label) | one_hot(partner) | unknown[:, None] | extra

    def _made(self, seen: Encoded, label: Tensor, times: int) -> tuple[Tensor, Tensor]:
        """Return so many new images of every face, each with another one's expression, and their labels."""
        rows = torch.arange(len(label), device=label.device)
        rounds = [rows.roll(len(rows) // 2 + k) for k in range(times)]
        other = torch.cat([*rounds, rows[:0]])
        own = rows.repeat(times)
        chosen = self._chosen(label[own], label[other])
        r = seen.representation
        new = switch(r[own], r[other], block_mask(chosen, r.shape[1]))
        return self.draw(seen, new, chosen), label[other]

    def draw(self, seen: Encoded, new: Tensor, chosen: Tensor) -> Tensor:
        """Eq. 4: I_c = G_dec([R_c, R_a, S_c]) + I_a, for K new representations of each of B faces, which repeat.

        (K·B, C, h, w), (K·B, n) bool -> (K·B, 3, H, W) in [-1, 1].
        """
        times = (new.shape[0] // seen.image.shape[0], 1, 1, 1)  # shapes, for len() would fix the number in a graph
        code = chosen.repeat_interleave(CODE_CHANNELS, 1)[:, :, None, None].expand(-1, -1, *new.shape[2:])
        residual = self.decoder(torch.cat([new, seen.representation.repeat(times), code.to(new.dtype)], 1), seen.skips)
        return (seen.image.repeat(times) + residual).clamp(-1, 1)

    def _judge(self, image: Tensor, label: Tensor) -> list[Tensor]:
        """Return both discriminators' logits."""
        return [d(x, label) for d, x in zip(self.discriminators, (image, F.avg_pool2d(image, 2)), strict=True)]

    def _draw_all(self, seen: Encoded, label: Tensor, rebuild: bool) -> list[Tensor]:
        """Return I_c, I_d; then I'_a, I'_b if asked for; then the interpolated ones if there are such."""
        c, r, half = self.config, seen.representation, len(label) // 2
        chosen = self._chosen(label[:half], label[half:]).repeat(2, 1)  # one switch code for both orders
        mask = block_mask(chosen, r.shape[1])
        new, codes = [switch(r, partners(r), mask)], [chosen]
        if rebuild:
            new.append(r)
            codes.append(torch.zeros_like(chosen))
        if c.interpolation:
            new.append(interpolate(r, partners(r), mask, c.mixed))
            codes.append(chosen)
        return list(self.draw(seen, torch.cat(new), torch.cat(codes)).split(len(label)))

    def _discriminate(self, image: Tensor, label: Tensor) -> dict[str, Tensor]:
        with torch.no_grad(), untracked(self.encoder, self.decoder):
            switched, *mixed = self._draw_all(self.encoder(image), label, rebuild=False)
        wanted = partners(label)
        losses = {"L_adv": adversarial_loss(self._judge(image, label), self._judge(switched, wanted))}
        if mixed:
            losses["L_inter"] = interpolation_loss(*halves(self._judge(mixed[0], wanted)), called_real=False)
        return losses

    def _synthesize(self, image: Tensor, label: Tensor, truth: Tensor) -> dict[str, Tensor]:
        config, wanted, seen = self.config, partners(label), self.encoder(image)
        switched, rebuilt, *mixed = self._draw_all(seen, label, rebuild=True)
        (a, b), (c, d), (rebuilt_a, rebuilt_b) = image.chunk(2), switched.chunk(2), rebuilt.chunk(2)
        with torch.no_grad():
            maps_a, maps_b = halves(self._perceived(image))
        maps_c, maps_d = halves(self._perceived(switched))
        losses = {
            "L_adv": torch.stack([fooling_loss(f) for f in self._judge(switched, wanted)]).sum(),
            "L_r": reconstruction_loss(a, rebuilt_a, b, rebuilt_b),
            "L_per": perceptual_loss(maps_a, maps_d, maps_b, maps_c),
            "L_p": pixel_sum_loss(a, b, c, d),
            "TV": total_variation(switched),
        }
        if mixed:
            losses["L_inter"] = interpolation_loss(*halves(self._judge(mixed[0], wanted)), called_real=True)
        if self._joint:
            losses["L_C"] = self._classify_pair(seen, label, switched)
        if config.truth:
            losses["L_truth"] = truth_loss(c, truth, a, config.focus)
        if config.naming:
            losses["L_name"] = naming_loss(seen.representation, label)
        return losses

    def _perceived(self, image: Tensor) -> list[Tensor]:
        """Return F^(i) of Eq. 11."""
        return self.frozen_vgg.maps(image)[self.config.perceptual_from - 1 :]

    def _answer(self, image: Tensor, label: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """Return what is known for sure: I_c alone against its real picture, and the classes."""
        config, (a, b), face, seen = self.config, label.chunk(2), image[: len(truth)], self.encoder(image)
        (own, other), skips = seen.representation.chunk(2), [s[: len(a)] for s in seen.skips]
        chosen = self._chosen(a, b)
        made = self.draw(Encoded(face, own, skips), switch(own, other, block_mask(chosen, own.shape[1])), chosen)
        losses = {"L_truth": truth_loss(made, truth, face, config.focus)}
        return losses | ({"L_name": naming_loss(seen.representation, label)} if config.naming else {})

    def _classify_pair(self, seen: Encoded, label: Tensor, switched: Tensor) -> Tensor:
        """Return Eq. 8 on the pair and, where the classifier is to learn from such, on what is made of it."""
        logits = self._logits(seen.image, seen.representation)
        if self.config.synthetic:
            with untracked(self.encoder):
                again = self.encoder(switched).representation
            logits = torch.cat([logits, self._logits_of_made(switched, again)])
            label = torch.cat([label, partners(label)])
        return classification_loss(logits, label)

    def _logits(self, image: Tensor, representation: Tensor) -> Tensor:
        return self.classifier(image, representation if self.config.representation else None)

    def _logits_of_made(self, image: Tensor, representation: Tensor) -> Tensor:
        """Return logits of synthesised faces, a batch of their own: at use the classifier sees real ones alone."""
        if not len(image):
            return image.new_zeros(0, N)
        with untracked(self.classifier):
            return self._logits(image, representation)

    def _shown(self, seen: Encoded) -> Tensor:
        """Return which classes faces may show (B, n): the top one and all that are probable enough."""
        p = self._logits(seen.image, seen.representation).float().softmax(1)
        return p >= p.amax(1, keepdim=True).clamp(max=self.config.plausible)

    def transfer(self, face: Tensor, like: Tensor) -> Tensor:
        """Return `face` with the blocks of the classes that the two may show taken from `like`: (B, 3, H, W)."""
        seen, shown = self.encoder(face), self.encoder(like)
        chosen = self._shown(seen) | self._shown(shown)
        mask = block_mask(chosen, self.shape[0])
        return self.draw(seen, switch(seen.representation, shown.representation, mask), chosen)

    def reconstruct(self, face: Tensor) -> Tensor:
        """Return I'_a, with nothing switched: (B, 3, H, W) in [-1, 1]."""
        seen = self.encoder(face)
        return self.draw(seen, seen.representation, torch.zeros(face.shape[0], N, dtype=torch.bool, device=face.device))

    def edit(self, face: Tensor, controls: Controls) -> Tensor:
        """Return `face` with the asked expression; intensity interpolates blocks, from neutral ones to the asked."""
        self.check_edit(controls)
        seen, intensity, device = self.encoder(face), controls.intensity, face.device
        shown = self._shown(seen)
        if self.class_blocks.has("neutral"):
            shown = shown | block_of("neutral", device)
        if controls.like is not None and intensity > 0:
            example = self.encoder(controls.like)
            asked, shown = example.representation, shown | self._shown(example)
        else:
            word = controls.word if controls.word and intensity > 0 else "neutral"
            asked, shown = self.class_blocks.mean(word), shown | block_of(word, device)
        wanted = self.class_blocks.fade(asked, intensity)
        return self.draw(seen, switch(seen.representation, wanted, block_mask(shown, self.shape[0])), shown)

    def recognize(self, face: Tensor) -> Prediction:
        """Return class probabilities by the classifier."""
        return Prediction(self._logits(face, self.encoder(face).representation).float().softmax(1))

    def baseline(self, face: Tensor) -> Prediction:
        """Return class probabilities by VGG alone, as trained with `supervised`."""
        return Prediction(self.classifier(face, None).float().softmax(1))

    def embed(self, face: Tensor) -> Embedding:
        """Return the means of the expression blocks, and of what is never switched: other channels, deepest skip."""
        seen = self.encoder(face)
        blocks = self.shape[0] // N * N
        means = seen.representation.mean((2, 3))
        return Embedding(means[:, :blocks], torch.cat([means[:, blocks:], seen.skips[-1].mean((2, 3))], 1))
