"""The landmarks, by which photographs are aligned."""

from typing import TYPE_CHECKING

from mien.models.lazy import names_in

if TYPE_CHECKING:
    from mien.models.landmarks.config import *
    from mien.models.landmarks.model import *
else:
    __getattr__ = names_in(__name__, "config", "model")
