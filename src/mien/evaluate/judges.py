"""Who judges the pictures: a protocol, our own nets behind it, and the words that name a judge.

`judge` or any weights of ours; `onnx:FILE.onnx`; `mediapipe:FILE.task`; `openface:FILE.csv`; `pyfeat:FILE.csv`;
`pyfeat`. docs/judges.md has the formats. A table names who labelled and who judged, and warns where they are one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import pandas as pd
import torch

from mien.data.manifest import Manifest
from mien.errors import InputError
from mien.labels import AUS
from mien.models.contract import Embeds, EstimatesAus, Family, Recognizes
from mien.models.io import fingerprint, load
from mien.nn.images import to_tensor

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Reading:
    """What a judge says of N pictures; None where it says nothing of the kind."""

    aus: np.ndarray | None = None  # (N, 21) 0-5, order of mien.labels.AUS; NaN for units it does not know
    classes: np.ndarray | None = None  # (N,) index into mien.labels.CLASSES; -1 where it found no face
    identity: np.ndarray | None = None  # (N, D)
    gaze: np.ndarray | None = None  # (N, 2) degrees: towards the right of the image, up
    code: np.ndarray | None = None  # (N, E) features of the expression


@runtime_checkable
class Judge(Protocol):
    """Reads faces."""

    @property
    def name(self) -> str:
        """As tables name it."""
        ...

    @property
    def size(self) -> int:
        """Pixels of the pictures it wants."""
        ...

    @property
    def gives(self) -> tuple[str, ...]:
        """What it can say: some of aus, classes, identity, gaze, code, the fields of Reading."""
        ...

    def read(self, pictures: np.ndarray) -> Reading:
        """Return what it says of uint8 RGB (N, S, S, 3), S its own size."""
        ...


def must_give(judge: Judge, kind: str) -> None:
    """Raise InputError, before anything is read, where a judge says nothing of a kind that is measured."""
    if kind not in judge.gives:
        can = ", ".join(judge.gives)
        raise InputError(f"the judge {judge.name} gives {can}, but {kind} is measured here; choose another --judge")


class Unread(InputError):
    """A tool outside has to read the pictures first; they lie in a folder now."""


@dataclass(frozen=True)
class NetJudge:
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


def as_judge(judge: Judge | Family) -> Judge:
    """Return a judge as it is, a net of ours behind the protocol."""
    return judge if isinstance(judge, Judge) else NetJudge(judge)


def signature(judge: Judge) -> list[str]:
    """Return what tells a judge from another: its name, and a net's weights."""
    return [judge.name, fingerprint(judge.net) if isinstance(judge, NetJudge) else ""]


def find_judge(text: str) -> Judge:
    """Return the judge that words name. Raises InputError naming what is missing: a word, a file or a package."""
    kind, colon, where = text.partition(":")
    path = Path(where)
    if not colon and text != "pyfeat":
        return NetJudge(load(text), text)
    if kind not in ("onnx", "mediapipe", "openface", "pyfeat"):
        raise InputError(
            f"--judge {text}: expected weights of mien, onnx:FILE.onnx, mediapipe:FILE.task, openface:FILE.csv or "
            "pyfeat:FILE.csv"
        )
    if colon and not where:
        raise InputError(f"--judge {text}: names no file; expected {kind}:FILE")
    if kind == "onnx":
        from mien.evaluate.judge_onnx import open_onnx

        return open_onnx(path)
    if kind == "mediapipe":
        from mien.evaluate.judge_mediapipe import open_mediapipe

        return open_mediapipe(path)
    from mien.evaluate.judge_csv import TOOLS, TableJudge, open_pyfeat

    return TableJudge(path, TOOLS[kind]) if colon else open_pyfeat()


def all_read(work: Mapping[K, Callable[[], V]]) -> dict[K, V]:
    """Do every piece of work, and only then raise Unread: one run hands an outside tool all it must read."""
    done: dict[K, V] = {}
    unread: Unread | None = None
    for key, do in work.items():
        try:
            done[key] = do()
        except Unread as error:
            unread = error
    if unread is not None:
        raise unread
    return done


def labelled_by(manifest: Manifest) -> str:
    """Return who labelled a data set: the words of its `source` column, "unknown" where there are none."""
    return "+".join(str(word) for word in np.unique(manifest.source) if word) or "unknown"


def named(table: pd.DataFrame, judge: Judge, manifest: Manifest) -> pd.DataFrame:
    """Return a table with two more columns: who labelled and who judged."""
    return table.assign(labels=labelled_by(manifest), judge=judge.name)


def circular(judge: Judge, manifest: Manifest, models: Iterable[Any] = ()) -> list[str]:
    """Return a line for each way in which the judge is no stranger: it labelled the data, or it is judged itself."""
    words = [str(word) for word in np.unique(manifest.source)]
    kind = _plain(judge.name.split(":")[0].removesuffix(" CSV"))
    lines = []
    if labelled := [word for word in words if kind in _plain(word)]:
        lines.append(
            f"{judge.name} judges, and the labels come from {', '.join(labelled)}: agreement is partly with itself"
        )
    net = judge.net if isinstance(judge, NetJudge) else None
    if any(type(model) is type(net) for model in models):
        lines.append(f"{judge.name} judges a model of its own kind: it may forgive its own mistakes")
    return lines


def _plain(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())


def empty_aus(count: int) -> np.ndarray:
    """Return (N, 21) NaN, to be filled in."""
    return np.full((count, len(AUS)), np.nan)
