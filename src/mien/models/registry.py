"""The table of the models, and a model by its name or by what it must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from mien.controls import Controls, way
from mien.errors import InputError
from mien.models.contract import Edits, Family
from mien.models.eet.model import Eet
from mien.models.evaluator.model import Evaluator
from mien.models.expr_gan.model import ExprGan
from mien.models.fields.model import FieldModel
from mien.models.jesrl.model import Jesrl
from mien.models.landmarks.model import Landmarks
from mien.models.presets import preset_config
from mien.models.reader.model import ReaderModel
from mien.models.rel_gan.model import RelGan
from mien.models.ter_gan.model import TerGan
from mien.weights.resolve import OLD_NAMES


class _Families(dict[str, type[Family]]):
    """Gives a family by an old name too, and lists the present ones alone."""

    def __missing__(self, name: str) -> type[Family]:
        return self[OLD_NAMES[name]]


FAMILIES: dict[str, type[Family]] = _Families(
    {
        "ter_gan": TerGan,
        "rel_gan": RelGan,
        "expr_gan": ExprGan,
        "jesrl": Jesrl,
        "eet": Eet,
        "fields": FieldModel,
        "reader": ReaderModel,
        "evaluator": Evaluator,
        "landmarks": Landmarks,
    }
)


def find_family(name: str) -> type[Family]:
    """Return a family by its name, or by one of OLD_NAMES. Raises InputError for another."""
    family = FAMILIES.get(OLD_NAMES.get(str(name), str(name)))
    if family is None:
        raise InputError(f"no model named {name!r}; choose one of {', '.join(sorted(FAMILIES))}")
    return family


def create(name: str, preset: str = "small", **changes: Any) -> Family:
    """Return an untrained model: a preset of a family, as "small", with named config fields changed.

    Raises InputError for an unknown family, preset or field.
    """
    config = preset_config(name, preset)
    unknown = [field for field in changes if field not in config.__dataclass_fields__]
    if unknown:
        raise InputError(f"{name} has no setting {unknown[0]!r}; it has {', '.join(config.__dataclass_fields__)}")
    return find_family(name)(replace(config, **changes))


def name_of(model: Family) -> str:
    """Return the name by which FAMILIES knows a model; that of its class if it is not in the table."""
    return next((name for name, family in FAMILIES.items() if type(model) is family), type(model).__name__)


Capability = TypeVar("Capability")


def able(model: Family, protocol: type[Capability]) -> Capability:
    """Return `model` as what it must be able to do, as Transfers. Raises InputError naming the models that can."""
    if isinstance(model, protocol):
        return cast(Capability, model)
    use = _uses(protocol)[0].replace("_", " ")
    raise InputError(f"{name_of(model)} cannot {use}; these can: {', '.join(those_that(protocol)) or 'none'}")


def editor_by(model: Family, controls: Controls) -> Edits:
    """Return `model` as what can edit so. Raises InputError naming the models that can if it cannot."""
    lacking = [kind for kind in controls.kinds if not isinstance(model, Edits) or kind not in type(model).edits_by]
    if not lacking and isinstance(model, Edits):
        return model
    can = ", ".join(those_that(Edits, controls.kinds)) or "none"
    raise InputError(f"{name_of(model)} cannot edit by {way(lacking[0], controls)}; these can: {can}")


def those_that(protocol: type, kinds: Sequence[str] = ()) -> list[str]:
    """Return the models that can do what a protocol asks, and edit by kinds of request."""
    return [
        name
        for name, family in FAMILIES.items()
        if all(hasattr(family, use) for use in _uses(protocol)) and (not kinds or set(kinds) <= set(family.edits_by))
    ]


def _uses(protocol: type) -> list[str]:
    return [name for name in vars(protocol) if not name.startswith("_")]
