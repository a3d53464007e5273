"""The evaluator, which measures what the models make."""

from typing import TYPE_CHECKING

from mien.models.lazy import names_in

if TYPE_CHECKING:
    from mien.models.evaluator.config import *
    from mien.models.evaluator.model import *
else:
    __getattr__ = names_in(__name__, "config", "model")
