"""Options whose values have a range: what is outside is one line, before any work begins."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from mien.devices import WORDS, check_device
from mien.errors import InputError
from mien.files import check_folder

MOST = 2**63 - 1  # of a seed: what random generators take


def device_name(text: str) -> str:
    """Return a device's name. Raises InputError for what is none that nets compute on."""
    check_device(text)
    return text


def backend_name(text: str) -> str:
    """Return the name of what runs models. Raises InputError for what does not."""
    from mien.runtime.open import check_backend

    check_backend(text)
    return text


def landmarker_name(text: str) -> str:
    """Return the name of who finds the eyes. Raises InputError for another."""
    from mien.runtime.landmarker import check_landmarker

    check_landmarker(text)
    return text


def accelerator_name(text: str) -> str:
    """Return what trainings compute on. Raises InputError for what is no such name."""
    if text not in ("auto", "cpu", "cuda", "gpu", "mps"):
        raise InputError(f"--device {text}: expected {WORDS}; --devices says how many")
    return text


def precision_name(text: str) -> str:
    """Return a precision's name. Raises InputError for one that is not known."""
    if text not in ("auto", "32-true", "bf16-mixed"):
        raise InputError(f"--precision {text}: choose auto, 32-true or bf16-mixed")
    return text


def folder_name(path: Path) -> Path:
    """Return a folder to write into. Raises InputError where there can be none."""
    check_folder(path)
    return path


def results_folder(context: typer.Context, path: Path) -> Path:
    """Return the folder for what a verb of `mien evaluate` finds. Raises InputError where it would replace others'."""
    from mien.evaluate.results import results_folder

    return results_folder(path, context.command.name or "", context.call_on_close)


def finite(option: typer.CallbackParam, value: float | None) -> float | None:
    """Return a number as it is. Raises InputError for NaN and infinity, which no least and most keep out."""
    if value is not None and not math.isfinite(value):
        raise InputError(f"--{str(option.name).replace('_', '-')} {value}: expected a finite number")
    return value


Device = Annotated[str, typer.Option(help=f"{WORDS}, or cuda:1, the second of several.", callback=device_name)]
Accelerator = Annotated[str, typer.Option("--device", help=f"{WORDS}.", callback=accelerator_name)]
PrecisionName = Annotated[str, typer.Option(help="auto, 32-true or bf16-mixed.", callback=precision_name)]
Backend = Annotated[
    str,
    typer.Option(
        help="What runs the model: torch, onnx or openvino; auto is onnx where it was exported so, as what comes with "
        "mien is, else torch.",
        callback=backend_name,
    ),
]
LandmarkerName = Annotated[
    str,
    typer.Option(
        "--landmarker",
        help="Who finds the eyes: net (our own), cascade, or mediapipe:FILE.task.",
        callback=landmarker_name,
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=MOST, help="Other seeds give other random numbers.")]
Seeds = Annotated[list[int] | None, typer.Option("--seed", min=0, max=MOST, help="Give it again for more trainings.")]
Folder = Annotated[Path, typer.Argument(help="Folder to write into.", callback=folder_name)]
Out = Annotated[Path, typer.Option("-o", "--output", help="Folder for tables.", callback=results_folder)]
