"""The evaluator: a plain supervised net that measures faces, so that no model has to be asked about its own pictures.

It is no paper's. It reads action units, class and person from true photographs, never from a model's pictures, and no
model is trained with it. What it says of the true pictures of people it never saw is the ceiling of every table.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from mien.data.batch import Batch
from mien.labels import AUS, CLASSES
from mien.models.contract import Embedding, Family, Prediction
from mien.models.evaluator.config import PRESETS, EvaluatorConfig
from mien.models.recipe import Adam, Sampling, Stage, Turn, rotations
from mien.nn.blocks import halvings
from mien.nn.losses import known_cross_entropy, known_square_error
from mien.nn.trunk import Trunk

SCALE = 16.0  # of the cosine between a face and a person, as a logit (Wang et al. 2018, NormFace)


class Evaluator(Family):
    """Two trunks, so that what it says of a person cannot lean on what it says of their expression."""

    paper = ""
    Config = EvaluatorConfig
    PRESETS = PRESETS
    needs = ("aus", "expression")
    deployed = ("expression_trunk", "expression_code", "aus", "classes", "identity_trunk", "identity_code")

    def __init__(self, config: EvaluatorConfig):
        super().__init__(config)
        c = config
        flat = 8 * c.width * halvings(c.image_size, 4)[-1] ** 2
        widths = [c.width * k for k in (1, 2, 4, 8)]
        self.expression_trunk, self.identity_trunk = Trunk(widths), Trunk(widths)
        self.expression_code = nn.Sequential(nn.Dropout(0.2), nn.Linear(flat, c.expression_code), nn.LeakyReLU(0.2))
        self.identity_code = nn.Sequential(nn.Dropout(0.2), nn.Linear(flat, c.identity_code))
        self.aus = nn.Linear(c.expression_code, len(AUS))
        self.classes = nn.Linear(c.expression_code, len(CLASSES))
        self.people = nn.Linear(c.identity_code, c.subjects, bias=False)

    def stages(self) -> tuple[Stage, ...]:
        """Return one supervised stage."""
        c = self.config
        nets = (*self.deployed, "people")
        weights = {"au": c.au, "expression": c.expression, "identity": c.identity}
        return (Stage("supervised", c.steps, (Turn("measure", nets, weights, Adam(c.lr)),), decay=0.5),)

    def sampling(self) -> Sampling:
        """Pairs are only two faces here; augmented more than the models are."""
        c = self.config
        return Sampling(0.5, 0.0, margin=c.margin, rotations=rotations(c.turn), colour=c.colour, scale=c.scale)

    def losses(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the errors on action units, class and person, over both faces of the pairs."""
        faces = batch.both()
        shown = self._expression(faces.image)
        person = F.normalize(self.identity_code(self.identity_trunk(faces.image).flatten(1)).float())
        logits = SCALE * F.linear(person, F.normalize(self.people.weight))
        return {
            "au": known_square_error(self.aus(shown), faces.aus),
            "expression": known_cross_entropy(self.classes(shown), faces.label),
            "identity": F.cross_entropy(logits, faces.subject),
        }

    def estimate_aus(self, face: Tensor) -> Tensor:
        """Return AU intensities (B, 21), 0-5."""
        return self.aus(self._expression(face)).float().clamp(0, 5)

    def recognize(self, face: Tensor) -> Prediction:
        """Return class probabilities."""
        return Prediction(self.classes(self._expression(face)).float().softmax(1))

    def embed(self, face: Tensor) -> Embedding:
        """Return the code behind AUs and classes (B, 64), and the person's direction (B, 64) of length 1."""
        person = self.identity_code(self.identity_trunk(face).flatten(1)).float()
        return Embedding(self._expression(face), F.normalize(person))

    def _expression(self, face: Tensor) -> Tensor:
        return self.expression_code(self.expression_trunk(face).flatten(1))
