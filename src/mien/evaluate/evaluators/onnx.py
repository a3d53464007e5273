"""Any ONNX net as an evaluator, with a small JSON file beside it that says what goes in and what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import InputError, missing
from mien.evaluate.batches import batches
from mien.evaluate.evaluators.base import Reading, empty_aus, squares
from mien.evaluate.evaluators.onnx_description import Description, Output, read_description
from mien.faces.align import align, similarity_onto
from mien.faces.landmarks import five_points
from mien.labels import AUS, CLASSES

MOST = 256  # pictures that a net is given at once
CUT_FROM = 256  # pixels of the crops that faces are aligned anew from

Points = Callable[[np.ndarray], np.ndarray]
"""Crops uint8 (N, S, S, 3) -> their 68 landmarks (N, 68, 2) in pixels."""


@dataclass(frozen=True)
class OnnxEvaluator:
    """Runs the net in batches; where it takes so many pictures and no fewer (`fixed`), the last one is filled up."""

    session: Any
    about: Description
    batch: int = 64
    fixed: bool = False
    points: Points | None = None  # of a net whose faces are aligned by five points

    @property
    def name(self) -> str:
        """As the description says."""
        return self.about.name

    @property
    def size(self) -> int:
        """As the description says, or as faces are aligned from."""
        return CUT_FROM if self.about.points else self.about.size

    @property
    def measures(self) -> tuple[str, ...]:
        """As the description says."""
        kinds = tuple(output.kind for output in self.about.outputs)
        return (*kinds, "probabilities") if "classes" in kinds else kinds

    def mark(self) -> str:
        """Return "": its weights are not read by this program."""
        return ""

    def read(self, pictures: np.ndarray) -> Reading:
        """Return what the outputs mean."""
        parts = [self._run(pictures[rows]) for rows in batches(len(pictures), self.batch)]
        raw = [np.concatenate(some) for some in zip(*parts, strict=True)]
        found: dict[str, np.ndarray] = {}
        for output, values in zip(self.about.outputs, raw, strict=True):
            found |= meaning(output, np.asarray(values), self.name)
        return Reading(**found)

    def _run(self, pictures: np.ndarray) -> list[np.ndarray]:
        """Return the outputs of a batch, a row a picture."""
        if self.points is not None:
            pictures = aligned_anew(pictures, self.points(pictures), self.about)
        x = prepared(pictures, self.about)
        wanted, feed = [output.name for output in self.about.outputs], self.session.get_inputs()[0].name
        full = np.concatenate([x, np.repeat(x[-1:], self.batch - len(x), 0)]) if self.fixed else x
        return [np.asarray(values)[: len(x)] for values in self.session.run(wanted, {feed: full})]


def aligned_anew(pictures: np.ndarray, landmarks: np.ndarray, about: Description) -> np.ndarray:
    """Return crops (N, size, size, 3) in which the five points lie where the net wants them, as near as can be."""
    cut = [
        align(picture, similarity_onto(five_points(points), np.array(about.points)), about.size)
        for picture, points in zip(pictures, landmarks, strict=True)
    ]
    return np.stack(cut)


def prepared(pictures: np.ndarray, about: Description) -> np.ndarray:
    """Return uint8 RGB (N, S, S, 3) as the net wants it, float32."""
    x = (pictures[..., ::-1] if about.colour == "bgr" else pictures).astype(np.float32) / 255
    if about.whiten:
        every = x.reshape(len(x), -1)
        mean, spread = every.mean(1), np.maximum(every.std(1), every.shape[1] ** -0.5 / 255)
        x = (x - mean[:, None, None, None]) / spread[:, None, None, None]
    else:
        x = (x - np.asarray(about.mean, np.float32)) / np.asarray(about.std, np.float32)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2) if about.layout == "nchw" else x, np.float32)


def meaning(output: Output, values: np.ndarray, evaluator: str) -> dict[str, np.ndarray]:
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
        return {"aus": aus}
    if output.kind == "classes":
        shares = np.zeros((len(flat), len(CLASSES)))
        columns = [CLASSES.index(word) for word in output.order]
        shares[:, columns] = as_probabilities(flat)
        return {"classes": np.array(columns)[flat.argmax(1)], "probabilities": shares}
    return {output.kind: flat.astype(np.float64)}


def as_probabilities(scores: np.ndarray) -> np.ndarray:
    """Return scores (N, C) as they are where each row is of numbers from 0 that sum to 1, else their softmax."""
    scores = scores.astype(np.float64)
    if (scores >= 0).all() and np.allclose(scores.sum(1), 1, atol=1e-3):
        return scores
    found = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(found / found.sum(1, keepdims=True))


def open_onnx(path: Path) -> OnnxEvaluator:
    """Return the evaluator of FILE.onnx and FILE.json. Raises InputError where one is missing or does not fit."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; expected an ONNX net")
    about = read_description(path.with_suffix(".json"))
    try:
        import onnxruntime
    except ImportError:
        raise missing(f"--evaluator onnx:{path}", "onnxruntime") from None
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own kinds, made at run time
        raise InputError(f"{path}: is no ONNX net that can be run ({str(error)[:100]})") from None
    there = [output.name for output in session.get_outputs()]
    if not about.outputs:
        if len(there) != 1:
            raise InputError(f"{path}: has outputs {', '.join(there)}; name in {path.stem}.json which is the identity")
        about = replace(about, outputs=(Output(there[0], "identity"),))
    for output in about.outputs:
        if output.name not in there:
            raise InputError(f"{path}: has no output {output.name!r}; it has {', '.join(there)}")
    evaluator = OnnxEvaluator(session, about, *_batch(path, session, about), _own_points() if about.points else None)
    try:  # a blank picture, before the models work for hours
        evaluator.read(np.full((1, evaluator.size, evaluator.size, 3), 128, np.uint8))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # see above
        raise InputError(f"{path}: cannot be run on pictures of {about.size} pixels ({str(error)[:100]})") from None
    return evaluator


def _own_points() -> Points:
    """Return what finds landmarks in crops: our own net. Raises InputError where its weights are missing."""
    from mien.runtime.landmarker import own_landmarker

    engine = own_landmarker().engine

    def points(crops: np.ndarray) -> np.ndarray:
        side = crops.shape[1]
        return engine.points(squares(list(crops), engine.size)).astype(np.float64) * side - 0.5

    return points


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
