"""A trainer's state in a file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mien.errors import InputError
from mien.models.io import describe
from mien.models.tensor_files import read_tensors, write_tensors
from mien.reading import misfit
from mien.training.trainer import Trainer

FORM = {
    "family": str, "config": dict, "stage": int, "step": int,
    "settings": {"seed": int, "precision": str, "devices": int, "nodes": int},
}  # fmt: skip
"""What a checkpoint's note says at least."""
_AGAIN = "it was changed or is damaged: begin anew in another folder"


def checkpoint(trainer: Trainer, path: Path) -> None:
    """Write the trainer's state as `write_state` does; all its processes meet here."""
    if trainer.fabric.is_global_zero:
        write_state(trainer, path)
    trainer.fabric.barrier()


def write_state(trainer: Trainer, path: Path) -> None:
    """Write the trainer's state; the file at `path` is whole at any moment, and never holds NaN.

    Raises InputError where the training has gone astray or the disk refuses: what was at `path` before then still is.
    """
    tensors, header = trainer.state()
    if wrong := next((name for name, t in tensors.items() if not finite(t)), None):
        raise trainer.astray(f"{wrong} has become NaN or infinite")
    write_tensors(path, tensors, header)


def resume(trainer: Trainer, path: Path) -> None:
    """Bring `trainer` to the state at `path`. Raises InputError if that is another model, config or seed."""
    tensors, header = read_tensors(path)
    if "stage" not in header:
        raise InputError(f"{path}: holds finished weights, not a checkpoint; give the folder of a training run")
    _check(trainer, path, tensors, header)
    mine = describe(trainer.model)
    if header["family"] != mine["family"]:
        raise InputError(f"{path}: is a checkpoint of {header['family']}, not {mine['family']}; choose another folder")
    for name, value in header["config"].items():
        if name not in mine["config"] or list_to_tuple(value) != mine["config"][name]:
            what = "data of as many people" if name == "subjects" else "the same settings"
            raise InputError(
                f"{path}: was begun with {name}={value}, not {mine['config'].get(name)}; "
                f"resume with {what} or choose another folder"
            )
    for name in ("seed", "precision", "devices", "nodes"):
        begun, now = header["settings"][name], getattr(trainer.settings, name)
        if begun != now:
            raise InputError(f"{path}: was begun with {name} {begun}, not {now}; resume with --{name} {begun}")
    try:
        trainer.restore(tensors, header)
    except Exception as error:  # moments that are missing, of another shape, of turns that there are not
        raise InputError(f"{path}: does not fit its own settings ({_brief(error)}); {_AGAIN}") from error


def _check(trainer: Trainer, path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Raise InputError for a checkpoint that somebody changed, or that holds values that are no numbers."""
    problem = misfit(header, FORM, "")
    if not problem and not (0 <= header["stage"] <= len(trainer.stages) and header["step"] >= -1):
        problem = f"stands at stage {header['stage']}, step {header['step']}, which there is not"
    if problem:
        raise InputError(f"{path}: its note does not fit ({problem}); {_AGAIN}")
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise InputError(f"{path}: {name} holds values that are no numbers (NaN); {_AGAIN}")


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def finite(tensor: Tensor) -> bool:
    """Whether all numbers of a tensor are finite."""
    return not tensor.is_floating_point() or bool(tensor.isfinite().all())


def list_to_tuple(value: Any) -> Any:
    """Return JSON's lists as the tuples they were."""
    return tuple(value) if isinstance(value, list) else value
