"""Any ONNX net as an evaluator, with a small JSON file beside it that says what goes in and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import InputError
from mien.evaluate.batches import batches
from mien.evaluate.evaluators.base import Reading, empty_aus
from mien.labels import AUS, CLASSES
from mien.reading import read_json

MOST = 256  # pictures that a net is given at once
SIDES = (8, 2048)  # pixels of a picture
KINDS = ("aus", "classes", "identity", "gaze")


@dataclass(frozen=True)
class Output:
    """What one of the net's outputs means."""

    name: str
    kind: str  # one of KINDS
    order: tuple[Any, ...] = ()  # of its columns: action units' numbers, or expression words
    top: float = 5.0  # the number that is AU intensity 5


@dataclass(frozen=True)
class Description:
    """The JSON file: what the net takes and what its outputs mean."""

    name: str
    size: int
    colour: str  # "rgb" or "bgr"
    layout: str  # "nchw" or "nhwc"
    mean: tuple[float, ...]  # of values 0-1, by channel in the net's order
    std: tuple[float, ...]
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class OnnxEvaluator:
    """Runs the net in batches; where it takes so many pictures and no fewer (`fixed`), the last one is filled up."""

    session: Any
    about: Description
    batch: int = 64
    fixed: bool = False

    @property
    def name(self) -> str:
        """As the description says."""
        return self.about.name

    @property
    def size(self) -> int:
        """As the description says."""
        return self.about.size

    @property
    def measures(self) -> tuple[str, ...]:
        """As the description says."""
        return tuple(output.kind for output in self.about.outputs)

    def mark(self) -> str:
        """Return "": its weights are not read by this program."""
        return ""

    def read(self, pictures: np.ndarray) -> Reading:
        """Return what the outputs mean."""
        parts = [self._run(prepared(pictures[rows], self.about)) for rows in batches(len(pictures), self.batch)]
        raw = [np.concatenate(some) for some in zip(*parts, strict=True)]
        found = {o.kind: meaning(o, np.asarray(v), self.name) for o, v in zip(self.about.outputs, raw, strict=True)}
        return Reading(found.get("aus"), found.get("classes"), found.get("identity"), found.get("gaze"))

    def _run(self, x: np.ndarray) -> list[np.ndarray]:
        """Return the outputs of a batch, a row a picture."""
        wanted, feed = [output.name for output in self.about.outputs], self.session.get_inputs()[0].name
        full = np.concatenate([x, np.repeat(x[-1:], self.batch - len(x), 0)]) if self.fixed else x
        return [np.asarray(values)[: len(x)] for values in self.session.run(wanted, {feed: full})]


def prepared(pictures: np.ndarray, about: Description) -> np.ndarray:
    """Return uint8 RGB (N, S, S, 3) as the net wants it, float32."""
    x = pictures[..., ::-1] if about.colour == "bgr" else pictures
    x = (x.astype(np.float32) / 255 - np.asarray(about.mean, np.float32)) / np.asarray(about.std, np.float32)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2) if about.layout == "nchw" else x, np.float32)


def meaning(output: Output, values: np.ndarray, evaluator: str) -> np.ndarray:
    """Return an output (N, C) as Reading has it. Raises InputError where it is not as wide as described."""
    flat = values.reshape(len(values), -1)
    width = {"gaze": 2, "identity": flat.shape[1]}.get(output.kind, len(output.order))
    if flat.shape[1] != width:
        found = f"output {output.name} has {flat.shape[1]} columns"
        raise InputError(f"{evaluator}: {found}; its description names {width}")
    if output.kind == "aus":
        aus = empty_aus(len(flat))
        for column, unit in enumerate(output.order):
            aus[:, AUS.index(unit)] = np.clip(flat[:, column] * 5 / output.top, 0, 5)
        return aus
    if output.kind == "classes":
        return np.array([CLASSES.index(word) for word in output.order])[flat.argmax(1)]
    return flat.astype(np.float64)


def open_onnx(path: Path) -> OnnxEvaluator:
    """Return the evaluator of FILE.onnx and FILE.json. Raises InputError where one is missing or does not fit."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; expected an ONNX net")
    about = read_description(path.with_suffix(".json"))
    try:
        import onnxruntime
    except ImportError:
        raise InputError(f"--evaluator onnx:{path}: the package onnxruntime is not installed; pip install it") from None
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own kinds, made at run time
        raise InputError(f"{path}: is no ONNX net that can be run ({str(error)[:100]})") from None
    there = [output.name for output in session.get_outputs()]
    for output in about.outputs:
        if output.name not in there:
            raise InputError(f"{path}: has no output {output.name!r}; it has {', '.join(there)}")
    evaluator = OnnxEvaluator(session, about, *_batch(path, session, about))
    try:  # a blank picture, before the models work for hours
        evaluator.read(np.full((1, about.size, about.size, 3), 128, np.uint8))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # see above
        raise InputError(f"{path}: cannot be run on pictures of {about.size} pixels ({str(error)[:100]})") from None
    return evaluator


def _batch(path: Path, session: Any, about: Description) -> tuple[int, bool]:
    """Return how many pictures the net is given at once, and whether it takes no fewer.

    Raises InputError where what the net takes is not what its description tells.
    """
    inputs = session.get_inputs()
    sides = (about.size, about.size)
    tells = (3, *sides) if about.layout == "nchw" else (*sides, 3)
    shape = list(inputs[0].shape) if inputs else []
    if len(inputs) != 1 or len(shape) != 4 or inputs[0].type != "tensor(float)":
        raise InputError(f"{path}: takes {_words(inputs)}; expected one float input of pictures (docs/evaluators.md)")
    if any(isinstance(axis, int) and axis > 0 and axis != told for axis, told in zip(shape[1:], tells, strict=True)):
        beside = path.with_suffix(".json").name
        raise InputError(
            f"{path}: takes {_words(inputs)}, but {beside} tells {about.layout} of {about.size} pixels; correct it"
        )
    several = shape[0]
    if isinstance(several, int) and several > MOST:
        raise InputError(f"{path}: takes {several} pictures at once; export it with a free batch, or at most {MOST}")
    return (several, True) if isinstance(several, int) and several > 0 else (64, False)


def _words(inputs: Any) -> str:
    return ", ".join(f"{put.name} {put.type} {put.shape}" for put in inputs) or "nothing"


def read_description(path: Path) -> Description:
    """Return a description. Raises InputError naming the entry that is missing or wrong."""
    entries = read_json(path, "the net needs a description beside it, size and outputs (docs/evaluators.md)", dict)
    size: Any = entries.get("size")
    whole = isinstance(size, int) and not isinstance(size, bool) and SIDES[0] <= size <= SIDES[1]
    _must(path, "size", whole, f"{SIDES[0]} to {SIDES[1]} pixels")
    colour, layout = entries.get("colour", "rgb"), entries.get("layout", "nchw")
    _must(path, "colour", colour in ("rgb", "bgr"), "rgb or bgr")
    _must(path, "layout", layout in ("nchw", "nhwc"), "nchw or nhwc")
    mean: Any = entries.get("mean", [0, 0, 0])
    std: Any = entries.get("std", [1, 1, 1])
    for name, three in (("mean", mean), ("std", std)):
        numbers = (
            isinstance(three, list)
            and len(three) == 3
            and all(isinstance(v, int | float) and abs(v) < 1e6 for v in three)
        )
        _must(path, name, numbers and (name == "mean" or all(v > 0 for v in three)), "three numbers, for values 0-1")
    outputs: Any = entries.get("outputs")
    _must(path, "outputs", isinstance(outputs, dict) and len(outputs) > 0, "an entry for each output")
    meant = tuple(_output(path, str(name), entry) for name, entry in outputs.items())
    _must(path, "outputs", len({o.kind for o in meant}) == len(meant), "each kind once")
    return Description(str(entries.get("name", path.stem)), size, colour, layout, tuple(mean), tuple(std), meant)


def _output(path: Path, name: str, entry: Any) -> Output:
    kind = entry.get("kind") if isinstance(entry, dict) else None
    _must(path, f"outputs.{name}.kind", kind in KINDS, f"one of {', '.join(KINDS)}")
    order, top = entry.get("order", []), entry.get("top", 5)
    known: tuple[Any, ...] = AUS if kind == "aus" else CLASSES
    if kind in ("aus", "classes"):
        fits = isinstance(order, list) and len(order) > 0 and len(set(map(str, order))) == len(order)
        _must(
            path,
            f"outputs.{name}.order",
            fits and all(o in known for o in order),
            f"some of {', '.join(map(str, known))}",
        )
    _must(path, f"outputs.{name}.top", isinstance(top, int | float) and 0 < top < 1e6, "the number that is intensity 5")
    return Output(name, str(kind), tuple(order), float(top))


def _must(path: Path, entry: str, holds: bool, expected: str) -> None:
    if not holds:
        raise InputError(f"{path}: {entry} is missing or wrong; expected {expected} (docs/evaluators.md)")
