"""The JSON file beside an ONNX net: what the net takes and what its outputs mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.labels import AUS, CLASSES
from mien.reading import read_json

SIDES = (8, 2048)  # pixels of a picture
KINDS = ("aus", "classes", "identity", "gaze")

ARCFACE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
"""Where nets after ArcFace (Deng et al. 2019) want five points in 112 pixels: eyes, nose, corners of the mouth."""

ARCFACE_SIZE = 112

_HALVES, _NONE, _ONES = [0.5] * 3, [0.0] * 3, [1.0] * 3
_BYTES = [1 / 255] * 3  # leaves values 0-255

LIKE: Mapping[str, Mapping[str, Any]] = {
    "arcface": {"size": 112, "mean": _HALVES, "std": _HALVES, "align": "arcface"},
    "arcface_bytes": {"size": 112, "mean": _NONE, "std": _BYTES, "align": "arcface"},
    "adaface": {"size": 112, "colour": "bgr", "mean": _HALVES, "std": _HALVES, "align": "arcface"},
    "magface": {"size": 112, "colour": "bgr", "mean": _NONE, "std": _ONES, "align": "arcface"},
    "facenet": {"size": 160, "mean": _HALVES, "std": [128 / 255] * 3, "align": "arcface"},
    "facenet_keras": {"size": 160, "layout": "nhwc", "whiten": True, "align": "arcface"},
}
"""Usual inputs of published nets that tell people apart, by a word; docs/evaluators.md says whose they are."""


@dataclass(frozen=True)
class Output:
    """What one of the net's outputs means."""

    name: str
    kind: str  # one of KINDS
    order: tuple[Any, ...] = ()  # of its columns: action units' numbers, or expression words
    top: float = 5.0  # the number that is AU intensity 5


@dataclass(frozen=True)
class Description:
    """What the file says."""

    name: str
    size: int
    colour: str  # "rgb" or "bgr"
    layout: str  # "nchw" or "nhwc"
    mean: tuple[float, ...]  # of values 0-1, by channel in the net's order
    std: tuple[float, ...]
    outputs: tuple[Output, ...]  # none: the net's only one is the identity
    points: tuple[tuple[float, float], ...] = ()  # where five points lie in its input, pixels; none: our own crop
    whiten: bool = False  # each picture by its own mean and spread, in place of `mean` and `std`


def read_description(path: Path) -> Description:
    """Return a description. Raises InputError naming the entry that is missing or wrong."""
    told = read_json(path, "the net needs a description beside it, size and outputs (docs/evaluators.md)", dict)
    like: Any = told.get("like")
    _must(path, "like", like is None or like in LIKE, f"one of {', '.join(LIKE)}")
    entries = {**(LIKE[like] if like else {}), **told}
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
    outputs: Any = entries.get("outputs", {} if like else None)
    named = isinstance(outputs, dict) and (len(outputs) > 0 or "outputs" not in told)
    _must(path, "outputs", named, "an entry for each output")
    meant = tuple(_output(path, str(name), entry) for name, entry in outputs.items())
    _must(path, "outputs", len({o.kind for o in meant}) == len(meant), "each kind once")
    whiten = entries.get("whiten", False)
    _must(path, "whiten", isinstance(whiten, bool), "true or false")
    points = _points(path, entries.get("align", "none"), size)
    name = str(entries.get("name", path.stem))
    return Description(name, size, colour, layout, tuple(mean), tuple(std), meant, points, whiten)


def _points(path: Path, align: Any, size: int) -> tuple[tuple[float, float], ...]:
    """Return where five points are to lie in an input of `size` pixels; none for our own crop."""
    if align == "none":
        return ()
    if align == "arcface":
        return tuple((x * size / ARCFACE_SIZE, y * size / ARCFACE_SIZE) for x, y in ARCFACE)
    five = isinstance(align, list) and len(align) == 5 and all(isinstance(p, list) and len(p) == 2 for p in align)
    numbers = five and all(isinstance(v, int | float) and abs(v) <= 2 * size for p in align for v in p)
    apart = numbers and len({tuple(p) for p in align}) == 5
    _must(path, "align", apart, "none, arcface, or five points [x, y] in pixels of the input")
    return tuple((float(x), float(y)) for x, y in align)


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
