"""A model of ours as an engine: the one place where photographs meet torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.parametrize import is_parametrized

from mien.controls import Controls
from mien.devices import resolved
from mien.errors import InputError
from mien.faces.morph import Maps
from mien.labels import AUS
from mien.models import contract
from mien.models.contract import Family
from mien.models.io import fingerprint, load, place
from mien.models.reader.code import ANGLE, STRONGEST, UNITS
from mien.models.registry import able, editor_by, name_of, those_that
from mien.models.residual import composite, residual_of
from mien.nn.blocks import folded
from mien.nn.images import to_pixels, to_tensor
from mien.nn.modes import native_bf16
from mien.nn.warp import Fields
from mien.runtime.description import FINER
from mien.runtime.engine import Ability, Change, Readings, Sitter
from mien.runtime.exported import held
from mien.runtime.repainted import Repainted

PROTOCOLS: dict[Ability, type] = {
    "edit": contract.Edits,
    "transfer": contract.Transfers,
    "warp": contract.Warps,
    "recognize": contract.Recognizes,
    "estimate_aus": contract.EstimatesAus,
    "read": contract.Reads,
    "embed": contract.Embeds,
    "find_points": contract.FindsPoints,
    "generate": contract.Generates,
}
"""Ability -> what a model has that can do it."""


def who_can(ability: Ability, kinds: Sequence[str] = ()) -> list[str]:
    """Return the models with an ability, that edit by kinds of request."""
    return those_that(PROTOCOLS[ability], kinds)


class PytorchEngine:
    """A `Family` on a device, behind `mien.runtime.engine.Engine`."""

    def __init__(self, model: Family, device: str = "cpu", asked: str = ""):
        self.device = resolved(device)
        self.model = place(model, self.device)
        self.name = name_of(model)
        self._opened, self.asked = asked, asked or self.name  # the file or name by which somebody asked for it
        self.size = int(model.config.image_size)
        self.abilities = frozenset(ability for ability, protocol in PROTOCOLS.items() if isinstance(model, protocol))
        self.edits_by = type(model).edits_by if "edit" in self.abilities else ()
        self._last: tuple[np.ndarray, np.ndarray, np.ndarray] | None = (
            None  # crops that were read, and what they showed
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Let another process open the model by its name, and be given one that has none."""
        if self._opened:
            return open_pytorch, (self._opened, self.device)
        if any(map(is_parametrized, self.model.modules())):  # which torch itself refuses, in other words
            raise InputError(f"{self.name}: cannot be pickled as it is; save_pretrained(FOLDER), and open that")
        return super().__reduce_ex__(protocol)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the model's parameters and buffers."""
        return fingerprint(self.model)

    @property
    def paper(self) -> str:
        """The model's citation."""
        return type(self.model).paper

    @cached_property
    def units(self) -> tuple[int, ...]:
        """The action units that it measures; all if it measures none."""
        if "estimate_aus" not in self.abilities:
            return AUS
        found = self.units_of(np.full((1, self.size, self.size, 3), 128, np.uint8))[0].tolist()
        return tuple(au for au, value in zip(AUS, found, strict=True) if not math.isnan(value))

    def require(self, ability: Ability) -> None:
        """Raise InputError where the model cannot do this."""
        able(self.model, PROTOCOLS[ability])

    def require_edit(self, controls: Controls) -> None:
        """Raise InputError where the model cannot edit as asked."""
        editor_by(self.model, controls)

    @torch.inference_mode()
    def change(self, crop: np.ndarray, controls: Controls, transfers: bool = False) -> Change:
        """Return what brings a crop to what is asked."""
        if isinstance(self.model, contract.Warps):
            sitter = self.sit(crop)
            return sitter.change(sitter.asked(controls))
        face = self._tensor(crop[None])
        made = self._generated(face, controls, transfers)
        residual = residual_of(able(self.model, contract.Transfers), face, made)[0] * 127.5  # (3, S, S) grey levels
        return np.ascontiguousarray(self._sound(residual.permute(1, 2, 0).cpu().numpy()))

    def sit(self, crop: np.ndarray) -> Sitter:
        """Return a crop's face, read, for many requests."""
        return _Warped(self, self.model, crop) if isinstance(self.model, contract.Warps) else Repainted(self, crop)

    @torch.inference_mode()
    def picture(self, crop: np.ndarray, controls: Controls, transfers: bool = False) -> np.ndarray:
        """Return a crop with the change made to it."""
        face = self._tensor(crop[None])
        model = able(self.model, contract.Transfers)
        made = composite(model, face, self._generated(face, controls, transfers))[0]
        self._sound(_array(made))
        return to_pixels(made)

    @torch.inference_mode()
    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """Return the probability of every class."""
        if "read" in self.abilities:
            return self._told(crops)[1]
        found = able(self.model, contract.Recognizes).recognize(self._tensor(crops))
        return self._sound(_array(found.probabilities))

    @torch.inference_mode()
    def units_of(self, crops: np.ndarray) -> np.ndarray:
        """Return action units."""
        return _array(able(self.model, contract.EstimatesAus).estimate_aus(self._tensor(crops)))

    @torch.inference_mode()
    def readings(self, crops: np.ndarray) -> Readings:
        """Return action units by side, head and gaze."""
        able(self.model, contract.Reads)
        code = self._told(crops)[0]
        left, right, yaw, pitch, gaze = np.split(code, [UNITS, 2 * UNITS, 2 * UNITS + 1, 2 * UNITS + 2], axis=1)
        units, angle = np.float32(STRONGEST), np.float32(ANGLE)
        return Readings(units * left, units * right, angle * yaw[:, 0], angle * pitch[:, 0], angle * gaze)

    def _told(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return codes (B, 46) and probabilities (B, 8); the last crops', asked for again, are not read again."""
        last = self._last
        if last is None or not np.array_equal(last[0], crops):
            assert isinstance(self.model, contract.Reads)
            code, words = self.model.tell(self._tensor(crops))
            last = crops.copy(), self._sound(_array(code)), self._sound(_array(words.softmax(1)))
            self._last = last
        return last[1], last[2]

    @torch.inference_mode()
    def codes(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """Return the codes of expression and identity."""
        found = able(self.model, contract.Embeds).embed(self._tensor(crops))
        return {name: self._sound(_array(getattr(found, name))) for name in ("expression", "identity")}

    @torch.inference_mode()
    def points(self, crops: np.ndarray) -> np.ndarray:
        """Return landmarks."""
        return self._sound(_array(able(self.model, contract.FindsPoints).find_points(self._tensor(crops))))

    @torch.inference_mode()
    def generate(self, count: int, expression: str | None = None, seed: int = 0) -> np.ndarray:
        """Return people who do not exist."""
        made = able(self.model, contract.Generates).generate(count, expression, seed)
        self._sound(_array(made))
        return np.stack([to_pixels(image) for image in made])

    def _generated(self, face: Tensor, controls: Controls, transfers: bool) -> Tensor:
        """Return the model's own picture of what is asked, (1, 3, S, S)."""
        asked = self._controls(controls)
        if transfers and asked.whole:
            return able(self.model, contract.Transfers).transfer(face, asked.like)
        return editor_by(self.model, asked).edit(face, asked)

    def _controls(self, controls: Controls) -> Controls:
        """Return what is asked with its example as a tensor, which it may be already."""
        if controls.like is None:
            return controls
        like = controls.like.to(self.device) if isinstance(controls.like, Tensor) else self._tensor(controls.like[None])
        return replace(controls, like=like)

    def _tensor(self, crops: np.ndarray) -> Tensor:
        return to_tensor(crops).to(self.device)

    def _sound(self, found: np.ndarray) -> np.ndarray:
        """Return what the model found; raises InputError where that is NaN, which no picture may be made of."""
        if not np.isfinite(found).all():
            raise InputError(f"{self.asked}: finds no finite numbers here; its weights are spoilt, fetch them again")
        return found


class _Warped:
    """A face whose pixels are moved: requests are codes, with the tilt of the head (47,).

    On a processor that computes in bf16 fields are made in it: at most 1.4 of 255 grey levels off, on one face.
    """

    def __init__(self, engine: PytorchEngine, model: contract.Warps, crop: np.ndarray):
        self._engine, self._model = engine, model
        with self._computing():
            self._seen = model.see(engine._tensor(crop[None]))

    def asked(self, controls: Controls | None, after: np.ndarray | None = None) -> np.ndarray:
        """Return a request's code."""
        controls = None if controls is None else self._engine._controls(controls)
        with self._computing():
            return _array(self._model.asked(self._seen, controls, None if after is None else self._code(after)))[0]

    def change(self, asked: np.ndarray, draft: bool = False) -> Maps:
        """Return what brings the face to a code; a draft is not read again and corrected, and is painted coarser."""
        return self._made(asked, 0 if draft else None, 1 if draft else FINER)[0]

    def corrected(self, asked: np.ndarray) -> tuple[Maps, np.ndarray]:
        """Return what `change` does, and what the code lacked."""
        change, reached = self._made(asked, None, FINER)
        return change, reached - asked

    def again(self, asked: np.ndarray, lacked: np.ndarray) -> Maps:
        """Return what brings the face to a code of which it is known what it lacks."""
        return self._made(held(asked + lacked), 0, FINER)[0]

    def _made(self, asked: np.ndarray, rounds: int | None, finer: int) -> tuple[Maps, np.ndarray]:
        with self._computing():
            fields, reached = self._model.fields_to(self._seen, self._code(asked), rounds)
            maps = maps_of(fields, self._engine.size, finer)
        found = Maps(*map(self._engine._sound, (maps.flow, maps.shade, maps.alpha, maps.paint)))
        return found, _array(reached)[0]

    def _code(self, asked: np.ndarray) -> Tensor:
        return torch.from_numpy(asked[None]).to(self._engine.device)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=native_bf16()):
            yield


def open_pytorch(name: str, device: str = "cpu") -> PytorchEngine:
    """Return the model of a zoo name, a file, a run's folder or a hub id, made quick for use."""
    model = load(name, device)
    folded(model)
    return PytorchEngine(model, device, name)


def maps_of(fields: Fields, size: int, finer: int = FINER) -> Maps:
    """Return the first face's fields as arrays, for a crop of `size`; paint has `finer` times its pixels."""

    def array(x: Tensor) -> np.ndarray:
        return np.ascontiguousarray(x[0].permute(1, 2, 0).float().cpu().numpy())

    paint = (array(fields.paint(finer * size)) + 1) * 127.5
    return Maps(array(fields.motion(size)), array(fields.shade)[..., 0], array(fields.alpha(size))[..., 0], paint)


def _array(x: Tensor) -> np.ndarray:
    return x.float().cpu().numpy()
