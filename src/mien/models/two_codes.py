"""What TER-GAN and REL-GAN can be asked for alike: a face as codes f(e) of its expression and f(i) of its person."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mien.controls import Controls
from mien.data.batch import Faces
from mien.models.contract import Embedding, Family, Prediction
from mien.nn.class_codes import ClassCodes
from mien.nn.losses import known_cross_entropy
from mien.nn.modes import evaluating


class TwoCodes(Family):
    """Two encoders G_es and G_et, a decoder G_de, and an expression classifier on f(e)."""

    baseline_embeds = True

    expression_encoder: nn.Module  # G_es
    identity_encoder: nn.Module  # G_et
    decoder: nn.Module  # G_de
    recognizer: nn.Module
    class_codes: ClassCodes

    def _recognition(self, faces: Faces) -> Tensor:
        with torch.no_grad(), evaluating(self.expression_encoder):
            code = self.expression_encoder(faces.image).float()
        self.class_codes.add(code, faces.label, faces.intensity)
        return known_cross_entropy(self.recognizer(code), faces.label)

    def transfer(self, face: Tensor, like: Tensor) -> Tensor:
        """Return x̄ = G_de(G_es(like), G_et(face)): (B, 3, H, W) in [-1, 1]."""
        return self._decode(self.expression_encoder(like), self.identity_encoder(face))

    def reconstruct(self, face: Tensor) -> Tensor:
        """Return the model's own picture of `face`: (B, 3, H, W) in [-1, 1]."""
        return self.transfer(face, face)

    def edit(self, face: Tensor, controls: Controls) -> Tensor:
        """Return `face` with the asked expression; intensity is the way from the neutral code to the asked one.

        Note: TER-GAN's paper edits by an exemplar of the same person, REL-GAN's not at all; the mean code of a class
        serves for a class.
        """
        self.check_edit(controls)
        code = self.class_codes.asked(controls, self.expression_encoder)
        return self._decode(code.expand(len(face), -1), self.identity_encoder(face))

    def recognize(self, face: Tensor) -> Prediction:
        """Return class probabilities by the classifier on f(e)."""
        return Prediction(self.recognizer(self.expression_encoder(face)).float().softmax(1))

    def embed(self, face: Tensor) -> Embedding:
        """Return f(e) (B, 30) and f(i) (B, 50)."""
        return Embedding(self.expression_encoder(face), self.identity_encoder(face))

    def _decode(self, expression: Tensor, identity: Tensor) -> Tensor:
        return self.decoder(torch.cat([expression, identity], 1))  # f(x): (B, 30 + 50)
