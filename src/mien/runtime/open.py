"""A model by name or file, as an engine; what runs it is imported only when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mien.runtime.engine import Engine

if TYPE_CHECKING:
    from mien.models.contract import Family


def open_engine(model: str | Engine | Family, device: str = "cpu") -> Engine:
    """Return the engine of a zoo name, a file, a run's folder, a hub id or a model; an engine as it is.

    Raises InputError where there is no such model, and for a device that is not there.
    """
    if not isinstance(model, str) and hasattr(model, "abilities"):
        return cast(Engine, model)
    from mien.runtime.pytorch import PytorchEngine, open_pytorch

    return open_pytorch(model, device) if isinstance(model, str) else PytorchEngine(cast("Family", model), device)
