"""The model: its nets, its recipe and its uses."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.data.batch import Batch, Faces
from mien.data.words import named, shares
from mien.models.contract import Family, Prediction
from mien.models.fields.code import UNITS, code_of
from mien.models.reader.config import ReaderConfig
from mien.models.reader.nets import Reader, mirrored
from mien.models.recipe import Adam, Balance, Sampling, Stage, Turn
from mien.nn.randomise import randomised

SMALL_ERROR = 0.1  # of the code: below, its loss is a square


class ReaderModel(Family):
    """Reads action units, head, gaze and expression."""

    paper = "Ours: docs/reader.md tells it as a paper would."
    Config = ReaderConfig
    PRESETS = {"small": ReaderConfig()}  # noqa: RUF012
    needs = ("aus",)
    deployed = ("reader",)

    def __init__(self, config: ReaderConfig):
        super().__init__(config)
        self.learner = Reader(config.side, config.width)
        self.reader = deepcopy(self.learner)  # the learner's weights, averaged over steps

    def stages(self) -> tuple[Stage, ...]:
        """Return one supervised stage."""
        c = self.config
        read = Turn("read", ("learner",), {"code": 1.0, "words": c.words}, Adam(c.lr, (0.9, 0.99), 1e-4))
        return (Stage("read", c.steps, (read,), decay=0.7),)

    def sampling(self) -> Sampling:
        """Single faces, balanced; they are randomised here, not by the sampler."""
        c = self.config
        return Sampling(balance=Balance(c.neutral, c.unnamed, c.photographs))

    def losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the errors of code and words, over both faces of the pairs."""
        faces = batch.both()
        self._average()
        code, words = self.learner(randomised(faces.image, self.config.side, self.config.randomisation))
        return {"code": code_loss(code, code_of(faces)), "words": words_loss(words, faces)}

    @torch.no_grad()
    def _average(self) -> None:
        """Let the reader follow the learner; at the beginning quickly."""
        step = int(self.learner.trunk[1].num_batches_tracked)
        share = 1 - min(self.config.memory, (step + 1) / (step + 10))
        new = self.learner.state_dict()
        for name, mine in self.reader.state_dict().items():
            if mine.is_floating_point():  # all but batch norm's counts
                mine.lerp_(new[name], share)

    def read(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """Return code (B, 46) and logits (B, 8) of faces (B, 3, S, S), the mean over each and its mirror image."""
        code, words = self.reader(torch.cat([face, face.flip(3)]))
        (a, b), (first, second) = code.chunk(2), words.chunk(2)
        return (a + mirrored(b)) / 2, (first + second) / 2

    def recognize(self, face: Tensor) -> Prediction:
        """Return class probabilities."""
        return Prediction(self.read(face)[1].softmax(1))

    def estimate_aus(self, face: Tensor) -> Tensor:
        """Return AU intensities (B, 21), 0-5, the larger side."""
        code = 5 * self.read(face)[0].clamp(0, 1)
        return torch.maximum(code[:, :UNITS], code[:, UNITS : 2 * UNITS])


def code_loss(code: Tensor, true: Tensor) -> Tensor:
    """Return the mean Huber error of codes (B, 46) where `true` is known (not NaN)."""
    known = ~true.isnan()
    error = F.smooth_l1_loss(code, true.nan_to_num(), reduction="none", beta=SMALL_ERROR)
    return (error * known).sum() / known.sum().clamp(min=1)


def words_loss(logits: Tensor, faces: Faces) -> Tensor:
    """Return the cross-entropy of logits (B, 8) to the shares of words, over the faces that have any."""
    left, right = faces.left.cpu().numpy(), faces.right.cpu().numpy()
    true = torch.from_numpy(shares(named(faces.expression.cpu().numpy(), left, right), left, right)).to(logits.device)
    known = ~true[:, :1].isnan()
    loss = -(true.nan_to_num() * logits.log_softmax(1)).sum(1, keepdim=True)
    return (loss * known).sum() / known.sum().clamp(min=1)
