"""Our own nets as evaluators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mien.evaluate.evaluators.base import Evaluator, Reading
from mien.models.contract import Embeds, EstimatesAus, Family, Recognizes
from mien.models.io import fingerprint
from mien.nn.images import to_tensor


@dataclass(frozen=True)
class NetEvaluator:
    """A net of ours, asked for whatever it can tell."""

    net: Any
    name: str = "judge"
    batch: int = 256

    @property
    def size(self) -> int:
        """Its own image size."""
        return int(self.net.config.image_size)

    @property
    def gives(self) -> tuple[str, ...]:
        """Whichever it has."""
        has = {EstimatesAus: ("aus",), Recognizes: ("classes",), Embeds: ("identity", "code")}
        return tuple(kind for protocol, kinds in has.items() if isinstance(self.net, protocol) for kind in kinds)

    @torch.inference_mode()
    def read(self, pictures: np.ndarray) -> Reading:
        """Return action units, class, identity and code, whichever the net has."""
        found: dict[str, list[np.ndarray]] = {}
        for k in range(0, len(pictures), self.batch):
            face = to_tensor(pictures[k : k + self.batch])
            for kind, value in self._of(face).items():
                found.setdefault(kind, []).append(value.numpy())
        joined = {kind: np.concatenate(parts) for kind, parts in found.items()}
        return Reading(joined.get("aus"), joined.get("classes"), joined.get("identity"), None, joined.get("code"))

    def _of(self, face: torch.Tensor) -> dict[str, torch.Tensor]:
        told: dict[str, torch.Tensor] = {}
        if isinstance(self.net, EstimatesAus):
            told["aus"] = self.net.estimate_aus(face)
        if isinstance(self.net, Recognizes):
            told["classes"] = self.net.recognize(face).probabilities.argmax(1)
        if isinstance(self.net, Embeds):
            codes = self.net.embed(face)
            told |= {"identity": codes.identity.float(), "code": codes.expression.float()}
        return told


def as_evaluator(judge: Evaluator | Family) -> Evaluator:
    """Return a judge as it is, a net of ours behind the protocol."""
    return judge if isinstance(judge, Evaluator) else NetEvaluator(judge)


def signature(judge: Evaluator) -> list[str]:
    """Return what tells a judge from another: its name, and a net's weights."""
    return [judge.name, fingerprint(judge.net) if isinstance(judge, NetEvaluator) else ""]
