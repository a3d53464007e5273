"""An exported model as an engine: arrays in, arrays out, by whatever runs its graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from mien.controls import Controls, way
from mien.errors import InputError
from mien.faces.morph import Maps
from mien.labels import AUS, CLASSES
from mien.runtime.description import ANGLE, Description, shipped
from mien.runtime.engine import Ability, Change, Readings, Sitter
from mien.runtime.repainted import Repainted
from mien.whole_numbers import check_whole

UNITS = len(AUS)
WORDS = {"warp": "fields"}
"""What an ability is called in errors, where it has a name of its own."""


class Runner(Protocol):
    """What runs graphs."""

    def run(self, graph: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]) -> list[np.ndarray]:
        """Return what a graph gives for inputs by name; more inputs may be given than it has."""
        ...


WhoCan = Callable[[Ability, Sequence[str]], list[str]]
"""Returns the models that have an ability and edit by kinds of request."""


def exported_that(ability: Ability, kinds: Sequence[str]) -> list[str]:
    """Return those that come exported, which need no PyTorch."""
    facts = {about.name: about.facts for about in shipped()}
    return [name for name, f in facts.items() if ability in f["abilities"] and set(kinds) <= set(f["edits_by"])]


class ExportedEngine:
    """A described model and its runner, behind `mien.runtime.engine.Engine`."""

    def __init__(self, about: Description, runner: Runner, asked: str = "", who_can: WhoCan | None = None):
        """Make it of what was exported; `who_can` says who else is there, by default what comes exported alone."""
        facts, self._who_can = about.facts, who_can
        self.about, self.run = about, runner.run
        self.name, self.asked, self.size = about.name, asked or about.name, int(facts["size"])
        self.abilities: frozenset[Ability] = frozenset(facts["abilities"])
        self.edits_by, self.units = tuple(facts["edits_by"]), tuple(facts["units"]) or AUS
        self.fingerprint, self.paper = str(facts["weights"]["fingerprint"]), str(facts["paper"])

    def require(self, ability: Ability) -> None:
        """Raise InputError where the model cannot do this."""
        if ability not in self.abilities:
            use = WORDS.get(ability, ability).replace("_", " ")
            raise InputError(f"{self.name} cannot {use}; {self._others(ability)}")

    def require_edit(self, controls: Controls) -> None:
        """Raise InputError where the model cannot edit as asked."""
        kinds = controls.kinds
        if lacking := [kind for kind in kinds if kind not in self.edits_by]:
            raise InputError(f"{self.name} cannot edit by {way(lacking[0], controls)}; {self._others('edit', kinds)}")

    def _others(self, ability: Ability, kinds: Sequence[str] = ()) -> str:
        """Return in words which models can."""
        can = (self._who_can or exported_that)(ability, kinds)
        return f"these can{'' if self._who_can else ' without PyTorch'}: {', '.join(can) or 'none'}"

    def change(self, crop: np.ndarray, controls: Controls, transfers: bool = False) -> Change:
        """Return what brings a crop to what is asked."""
        if "warp" in self.abilities:
            sitter = self.sit(crop)
            return sitter.change(sitter.asked(controls))
        return np.ascontiguousarray(_upright(127.5 * self._painted(crop, controls, transfers, "residual")))

    def sit(self, crop: np.ndarray) -> Sitter:
        """Return a crop's face, read, for many requests."""
        return Warped(self, crop) if "warp" in self.abilities else Repainted(self, crop)

    def picture(self, crop: np.ndarray, controls: Controls, transfers: bool = False) -> np.ndarray:
        """Return a crop with the change made to it."""
        self.require("transfer")
        if "warp" in self.abilities:
            sitter = Warped(self, crop)
            return pixels(sitter.given(sitter.asked(controls), ("picture",))[0][0])
        residual = self._painted(crop, controls, transfers, "residual")
        return pixels(np.clip(prepared(crop[None]) + residual, -1, 1))

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """Return the probability of every class."""
        self.require("recognize")
        return self._read(crops, "probabilities")[0]

    def units_of(self, crops: np.ndarray) -> np.ndarray:
        """Return action units."""
        self.require("estimate_aus")
        return self.run("read", {"face": prepared(crops)}, ["units"])[0]  # which may be NaN

    def readings(self, crops: np.ndarray) -> Readings:
        """Return action units by side, head and gaze."""
        self.require("read")
        left, right, angles = self._read(crops, "left", "right", "angles")
        return Readings(left, right, angles[:, 0], angles[:, 1], angles[:, 2:])

    def codes(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """Return the codes of expression and identity."""
        self.require("embed")
        names = ("expression", "identity")
        return dict(zip(names, self.sound(self.run("embed", {"face": prepared(crops)}, names)), strict=True))

    def points(self, crops: np.ndarray) -> np.ndarray:
        """Return landmarks."""
        self.require("find_points")
        return self.sound(self.run("points", {"face": prepared(crops)}, ["points"]))[0]

    def generate(self, count: int, expression: str | None = None, seed: int = 0) -> np.ndarray:
        """Return people who do not exist; not those that PyTorch draws by the same seed."""
        self.require("generate")
        check_whole("count", count, 1)
        check_whole("seed", seed)
        if expression is not None and expression not in CLASSES:
            raise InputError(f"expression {expression!r} is not known; choose one of {', '.join(CLASSES)}")
        draw = np.random.default_rng(seed)
        label = draw.integers(1, len(CLASSES), count) if expression is None else [CLASSES.index(expression)] * count
        graph = self.about.facts["graphs"]["generate"]["inputs"]
        noise = {
            place["name"]: draw.uniform(-1, 1, (count, place["shape"][1])).astype(np.float32)
            for place in graph
            if place["name"] != "label"
        }
        made = self.sound(self.run("generate", noise | {"label": np.asarray(label, np.int64)}, ["picture"]))[0]
        return np.stack([pixels(picture[None]) for picture in made])

    @cached_property
    def reads(self) -> frozenset[str]:
        """What its reader gives."""
        return frozenset(self.about.outputs("read"))

    def _read(self, crops: np.ndarray, *names: str) -> list[np.ndarray]:
        return self.sound(self.run("read", {"face": prepared(crops)}, names))

    def _painted(self, crop: np.ndarray, controls: Controls, transfers: bool, output: str) -> np.ndarray:
        """Return what a model that paints makes of a crop, (1, 3, S, S)."""
        share = np.array([controls.intensity], np.float32)
        inputs = {"face": prepared(crop[None]), "intensity": share}
        if controls.like is not None:
            inputs["like"] = prepared(np.asarray(controls.like)[None])
        if transfers and controls.whole:
            self.require("transfer")
            return self.sound(self.run("transfer", inputs, [output]))[0]
        self.require_edit(controls)
        if controls.like is not None:
            return self.sound(self.run("edit_like", inputs, [output]))[0]
        if controls.word:
            inputs["label"] = np.array([self._label(controls)])
            return self.sound(self.run("edit", inputs, [output]))[0]
        asked = controls.both_sides()
        if unknown := sorted(asked.keys() - set(self.units)):
            raise InputError(f"AU {unknown[0]}: this model knows AUs {', '.join(map(str, self.units))}")
        inputs["units"] = np.array([[asked.get(au, np.nan) for au in AUS]], np.float32)
        return self.sound(self.run("edit_units", inputs, [output]))[0]

    def _label(self, controls: Controls) -> int:
        """Return the index of the class that is asked for."""
        word = controls.word or ""
        for needed in (word, *(("neutral",) if controls.intensity < 1 else ())):
            if needed not in self.about.facts["classes"]:
                raise InputError(f"this model never saw {needed!r} in training, or its last stage was not run")
        return CLASSES.index(word)

    def sound(self, found: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return what the model found; raises InputError where that is NaN, which no picture may be made of."""
        if not all(np.isfinite(one).all() for one in found):
            raise InputError(f"{self.asked}: finds no finite numbers here; its weights are spoilt, fetch them again")
        return list(found)


MAPS = ("flow", "shade", "alpha", "paint")
"""What the mover gives of `Maps`."""


def _maps(found: Sequence[np.ndarray]) -> Maps:
    """Return what the mover gave, in the order of MAPS."""
    flow, shade, alpha, paint = map(_upright, found)
    return Maps(flow, shade[..., 0], alpha[..., 0], (paint + 1) * 127.5)


class Warped:
    """A face whose pixels are moved: requests are codes, with the tilt of the head (47,)."""

    def __init__(self, engine: ExportedEngine, crop: np.ndarray):
        self._engine = engine
        face, names = prepared(crop[None]), engine.about.outputs("see")
        found = engine.sound(engine.run("see", {"face": face}, names))
        self._seen = {"face": face, **dict(zip(names, found, strict=True))}

    def asked(self, controls: Controls | None, after: np.ndarray | None = None) -> np.ndarray:
        """Return a request's code."""
        rest = np.append(self._seen["known"][0], np.float32(0)) if after is None else after
        if controls is None:
            return rest
        example = None
        if controls.like is not None:
            example = self._engine.run("read", {"face": prepared(np.asarray(controls.like)[None])}, ["code"])[0][0]
        code, tilt = asked_code(rest[:-1], controls, example), controls.tilted or rest[-1]
        return np.append(code, np.float32(tilt))

    def change(self, asked: np.ndarray, draft: bool = False) -> Maps:
        """Return what brings the face to a code; a draft is not read again and corrected."""
        return _maps(self.given(asked, MAPS, 0 if draft else None)[0])

    def corrected(self, asked: np.ndarray) -> tuple[Maps, np.ndarray]:
        """Return what `change` does, and what the code lacked."""
        found, reached = self.given(asked, MAPS)
        return _maps(found), reached - asked

    def again(self, asked: np.ndarray, lacked: np.ndarray) -> Maps:
        """Return what brings the face to a code of which it is known what it lacks."""
        return _maps(self.given(held(asked + lacked), MAPS, 0)[0])

    def given(
        self, wanted: np.ndarray, outputs: tuple[str, ...], rounds: int | None = None
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Return what the mover gives for a code, corrected by what the result is read as (Eq. 16 of fields).

        And the code that gave it.
        """
        engine, code, tilt = self._engine, wanted[None, :-1], wanted[-1]
        asked, last = code, engine.about.facts["rounds"] if rounds is None else rounds
        for k in range(last + 1):
            inputs = {**self._seen, "asked": asked, "wanted": code, "degrees": np.array([[tilt]], np.float32)}
            if k == last:
                break
            *found, better = engine.run("move", inputs, (*outputs, "better"))
            if np.array_equal(better, asked):
                if tilt:
                    break
                return engine.sound(found), wanted
            asked = better
        return engine.sound(engine.run("tilt" if tilt else "move", inputs, outputs)), np.append(asked[0], tilt)


def asked_code(known: np.ndarray, controls: Controls, example: np.ndarray | None = None) -> np.ndarray:
    """Return the code (46,) that an edit of a face that shows `known` asks for, as `mien.models.fields` does."""
    code = known.copy()
    if example is not None:
        taken = [_place(au, side) for au, side in controls.places()]
        code[taken] = np.float32(controls.intensity) * example[taken]
    for au, side, value in controls.units():
        code[_place(au, side)] = value
    for side in "LR":  # what is asked to shut is not raised
        code[_place(5, side)] *= 1 - np.clip(code - known, 0, 1)[_place(43, side)]
    if controls.turned is not None:
        code[-4:-2] += np.asarray(controls.turned, np.float32) / np.float32(ANGLE)
    if controls.eyes is not None:
        code[-2:] += np.asarray(controls.eyes, np.float32) / np.float32(ANGLE)
    return code


def held(code: np.ndarray) -> np.ndarray:
    """Return a code with its action units in the range that corrections keep to (Eq. 16)."""
    return np.concatenate([code[: 2 * UNITS].clip(0, 1.2), code[2 * UNITS :]])


def _place(au: int, side: str) -> int:
    return AUS.index(au) + UNITS * (side == "R")


def prepared(crops: np.ndarray) -> np.ndarray:
    """Return crops uint8 (B, S, S, 3) as graphs take them: float32 (B, 3, S, S) in [-1, 1]."""
    values = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), np.float32)
    values /= np.float32(127.5)
    values -= 1
    return values


def pixels(picture: np.ndarray) -> np.ndarray:
    """Return a picture (1, 3, S, S) in [-1, 1] as uint8 (S, S, 3)."""
    return np.clip(np.rint((_upright(picture) + 1) * 127.5), 0, 255).astype(np.uint8)


def _upright(maps: np.ndarray) -> np.ndarray:
    """Return maps (1, C, H, W) as (H, W, C)."""
    return np.ascontiguousarray(maps[0].transpose(1, 2, 0))
