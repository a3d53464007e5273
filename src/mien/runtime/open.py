"""A model by name or file, as an engine; what runs it is imported only when it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from os import PathLike
from typing import TYPE_CHECKING, cast

from mien.devices import AUTO, best_device
from mien.errors import InputError
from mien.runtime.description import FORMATS, Description, find_description
from mien.runtime.engine import Ability, Engine
from mien.weights.resolve import as_name

if TYPE_CHECKING:
    from mien.models.contract import Family
    from mien.runtime.exported import Runner

BACKENDS = ("auto", "torch", *FORMATS)
"""What can run a model. "auto" is ONNX Runtime on a CPU where the model was exported, as those are that come with the
package and need no torch; else PyTorch."""

NO_TORCH = "is run by PyTorch: pip install 'mien[torch]'"


def open_engine(model: str | PathLike[str] | Engine | Family, device: str = "cpu", backend: str = "auto") -> Engine:
    """Return the engine of a zoo name, a file, a run's folder, a hub id or a model; an engine as it is.

    By "auto" as a device the best that is there computes: cuda, then (of what PyTorch runs) mps, else the processor.

    Raises InputError where there is no such model, for a device that is not there, and for a backend that cannot run
    it.
    """
    check_backend(backend)
    if hasattr(model, "abilities"):
        return cast(Engine, model)
    if hasattr(model, "parameters") and hasattr(model, "config"):
        from mien.runtime.pytorch import PytorchEngine

        return PytorchEngine(cast("Family", model), device)
    model = as_name(model)
    if about := _exported(model, device, backend):
        from mien.runtime.exported import ExportedEngine

        by_torch = backend == "auto" and has_torch()
        return ExportedEngine(about, runner_of(about, device, backend), model, _who_can if by_torch else None)
    if not has_torch():
        raise InputError(f"{model}: {NO_TORCH}")
    from mien.runtime.pytorch import open_pytorch

    return open_pytorch(model, device)


def check_backend(name: str) -> None:
    """Raise InputError for what runs no model."""
    if name not in BACKENDS:
        raise InputError(f"--backend {name}: choose from {', '.join(BACKENDS)}")


def has_torch() -> bool:
    """Whether PyTorch is installed, without importing it."""
    try:
        return find_spec("torch") is not None
    except ValueError:  # blocked: sys.modules holds None for it
        return False


def runner_of(about: Description, device: str = "cpu", backend: str = "auto") -> Runner:
    """Return what runs a description's graphs; OpenVINO reads ONNX files, too."""
    if "openvino" in (about.form, backend):
        from mien.runtime.openvino import OpenvinoRunner

        return OpenvinoRunner(about, device)
    from mien.runtime.onnx import OnnxRunner

    return OnnxRunner(about, device)


def _needs_torch(device: str) -> bool:
    """Whether an exported model is PyTorch's to run: what runs graphs here has a processor alone, as a rule."""
    return best_device() == "cuda" if device == AUTO else device != "cpu"


def _who_can(ability: Ability, kinds: Sequence[str]) -> list[str]:
    """Return the models that can, now that whatever is not exported is run by PyTorch."""
    from mien.runtime.pytorch import who_can

    return who_can(ability, kinds)


def _exported(model: str, device: str, backend: str) -> Description | None:
    """Return the description by which a model is run, None where PyTorch runs it."""
    if backend == "torch" or (backend == "auto" and has_torch() and _needs_torch(device)):
        return None
    forms = {"auto": FORMATS[:1], "onnx": FORMATS[:1], "openvino": ("openvino", "onnx")}[backend]
    about = next(filter(None, (find_description(model, form) for form in forms)), None)
    if about is not None and about.fits():
        return about
    if backend == "auto" and has_torch():
        return None
    if about is None:
        hint = f"{NO_TORCH}, or export it where that is" if backend == "auto" else "was not exported"
        raise InputError(f"{model}: {hint}: mien export {model} -o DIR, and name DIR as the model")
    raise InputError(
        f"{model}: its weights are not those that were exported ({about.facts['weights']['file']}); export it again"
    )
