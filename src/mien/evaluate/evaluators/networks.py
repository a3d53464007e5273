"""Our own nets as evaluators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mien.evaluate.batches import batches
from mien.evaluate.evaluators.base import Evaluator, Reading
from mien.models.contract import Embeds, EstimatesAus, Family, Reads, Recognizes
from mien.models.io import fingerprint
from mien.models.reader.code import ANGLE, STRONGEST, UNITS
from mien.nn.images import to_tensor


@dataclass(frozen=True)
class NetEvaluator:
    """A net of ours, asked for whatever it can tell."""

    net: Any
    name: str = "evaluator"
    batch: int = 256

    @property
    def size(self) -> int:
        """Its own image size."""
        return int(self.net.config.image_size)

    @property
    def measures(self) -> tuple[str, ...]:
        """Whichever it has."""
        has = {
            EstimatesAus: ("aus",), Recognizes: ("classes", "probabilities"), Embeds: ("identity", "code"),
            Reads: ("left", "right", "head", "gaze"),
        }  # fmt: skip
        return tuple(kind for protocol, kinds in has.items() if isinstance(self.net, protocol) for kind in kinds)

    def mark(self) -> str:
        """Return the fingerprint of its weights."""
        return fingerprint(self.net)

    @torch.inference_mode()
    def read(self, pictures: np.ndarray) -> Reading:
        """Return what the net tells, whichever it has."""
        parts = [self._read(to_tensor(pictures[rows])) for rows in batches(len(pictures), self.batch)]
        kinds = parts[0] if parts else {}
        return Reading(**{kind: np.concatenate([part[kind].numpy() for part in parts]) for kind in kinds})

    def _read(self, face: torch.Tensor) -> dict[str, torch.Tensor]:
        found: dict[str, torch.Tensor] = {}
        if isinstance(self.net, Reads):
            left, right, head, gaze = self.net.read(face).float().split([UNITS, UNITS, 2, 2], 1)
            found |= {"left": STRONGEST * left, "right": STRONGEST * right, "head": ANGLE * head, "gaze": ANGLE * gaze}
            found["aus"] = torch.maximum(found["left"], found["right"])  # without looking a second time
        elif isinstance(self.net, EstimatesAus):
            found["aus"] = self.net.estimate_aus(face)
        if isinstance(self.net, Recognizes):
            found["probabilities"] = self.net.recognize(face).probabilities.float()
            found["classes"] = found["probabilities"].argmax(1)
        if isinstance(self.net, Embeds):
            codes = self.net.embed(face)
            found |= {"identity": codes.identity.float(), "code": codes.expression.float()}
        return found


def as_evaluator(evaluator: Evaluator | Family) -> Evaluator:
    """Return an evaluator as it is, a net of ours behind the protocol."""
    return evaluator if isinstance(evaluator, Evaluator) else NetEvaluator(evaluator)
