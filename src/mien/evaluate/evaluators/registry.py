"""From words to an evaluator: who measures the pictures.

Any weights of ours, as `evaluator`; `onnx:FILE.onnx`; `mediapipe:FILE.task`; `openface:FILE.csv`; `pyfeat:FILE.csv`;
`pyfeat`. docs/evaluators.md has the formats.
"""

from __future__ import annotations

from pathlib import Path

from mien.errors import InputError
from mien.evaluate.evaluators.base import Evaluator
from mien.weights.resolve import OLD_NAMES, check_name

TOOLS = ("onnx", "mediapipe", "openface", "pyfeat")


def check_evaluator(text: str) -> None:
    """Raise InputError for words that name no evaluator, and for files that are not there."""
    kind, colon, where = text.partition(":")
    if not colon and text != "pyfeat":
        return check_name(text)
    if kind not in TOOLS:
        raise InputError(
            f"--evaluator {text}: expected weights of mien, onnx:FILE.onnx, mediapipe:FILE.task, openface:FILE.csv or "
            "pyfeat:FILE.csv"
        )
    if colon and not where:
        raise InputError(f"--evaluator {text}: names no file; expected {kind}:FILE")
    if kind in ("onnx", "mediapipe") and not Path(where).exists():  # a table is asked for first, and written then
        raise InputError(f"{where}: there is no such file; expected what --evaluator {kind}:FILE measures by")


def find_evaluator(text: str) -> Evaluator:
    """Return the evaluator that words name. Raises InputError naming what is missing: a word, a file or a package."""
    check_evaluator(text)
    kind, colon, where = text.partition(":")
    path = Path(where)
    if not colon and text != "pyfeat":
        from mien.evaluate.evaluators.networks import NetEvaluator
        from mien.models.io import load

        return NetEvaluator(load(text), OLD_NAMES.get(text, text))
    if kind == "onnx":
        from mien.evaluate.evaluators.onnx import open_onnx

        return open_onnx(path)
    if kind == "mediapipe":
        from mien.evaluate.evaluators.mediapipe import open_mediapipe

        return open_mediapipe(path)
    from mien.evaluate.evaluators.tables import TOOLS as TABLES
    from mien.evaluate.evaluators.tables import TableEvaluator, open_pyfeat

    return TableEvaluator(path, TABLES[kind]) if colon else open_pyfeat()
