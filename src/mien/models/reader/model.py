"""The model: its nets, its recipe and its uses."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor

from mien.data.batch import Batch
from mien.models.contract import Family, Prediction
from mien.models.reader.code import code_of, held, stronger_side
from mien.models.reader.config import PRESETS, ReaderConfig
from mien.models.reader.equations import code_loss, words_loss
from mien.models.reader.nets import Reader
from mien.models.recipe import Adam, Balance, Sampling, Stage, Turn
from mien.nn.randomise import grown, randomised

GENTLE = 0.3  # of the learning rate at the beginning: at a high one nothing but the mean face is learnt


class ReaderModel(Family):
    """Reads action units, head, gaze and expression."""

    paper = ""
    Config = ReaderConfig
    PRESETS = PRESETS
    needs = ("aus",)
    deployed = ("reader",)

    def __init__(self, config: ReaderConfig):
        super().__init__(config)
        self.learner = Reader(config.side, config.width)
        self.reader = deepcopy(self.learner)  # the learner's weights, averaged over steps

    def stages(self) -> tuple[Stage, ...]:
        """Return two supervised stages: a gentle beginning, and reading."""
        c = self.config
        weights = {"code": c.code, "words": c.words}
        begin = Turn("begin", ("learner",), weights, Adam(GENTLE * c.lr, (0.9, 0.99), 1e-4))
        read = Turn("read", ("learner",), weights, Adam(c.lr, (0.9, 0.99), 1e-4))
        return Stage("begin", c.begin_steps, (begin,)), Stage("read", c.steps, (read,), decay=0.5)

    def sampling(self) -> Sampling:
        """Single faces, balanced; they are randomised here, not by the sampler."""
        c = self.config
        return Sampling(balance=Balance(c.neutral, c.unnamed, c.photographs))

    def losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the errors of code and words, over both faces of the pairs."""
        c, faces = self.config, batch.both()
        self._average()
        strength = c.randomisation * grown(self.learner.batches, c.begin_steps + c.steps)
        code, words = self.learner(randomised(faces.image, c.side, strength))
        return {"code": code_loss(code, code_of(faces), c.angles), "words": words_loss(words, faces)}

    @torch.no_grad()
    def _average(self) -> None:
        """Let the reader follow the learner; at the beginning quickly."""
        step = self.learner.batches
        share = 1 - min(self.config.memory, (step + 1) / (step + 10))
        new = self.learner.state_dict()
        for name, mine in self.reader.state_dict().items():
            if mine.is_floating_point():  # all but batch norm's counts
                mine.lerp_(new[name], share)

    def look(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """Return the code (B, 46) and the logits of words (B, 8) of faces (B, 3, S, S)."""
        return self.reader.read(face)

    def read(self, face: Tensor) -> Tensor:
        """Return the code (B, 46) of faces (B, 3, S, S), action units held in 0-1."""
        return held(self.look(face)[0])

    def tell(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """Return the code (B, 46) that `read` gives and the logits (B, 8) of words, by one look."""
        code, words = self.look(face)
        return held(code), words

    def recognize(self, face: Tensor) -> Prediction:
        """Return class probabilities."""
        return Prediction(self.tell(face)[1].softmax(1))

    def estimate_aus(self, face: Tensor) -> Tensor:
        """Return AU intensities (B, 21), 0-5, the larger side."""
        return stronger_side(self.look(face)[0])
