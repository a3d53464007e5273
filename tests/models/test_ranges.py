"""Every setting has a range, whoever sets it: a user by --set, or a file that says what it holds."""

import dataclasses
import json
import math

import pytest

from mien.errors import InputError
from mien.models.build import outline
from mien.models.presets import CONFIGS, presets_of, typed_changes
from mien.models.ranges import Range, _fields
from mien.models.registry import FAMILIES
from mien.training.settings import Settings

NUMBERS = [
    pytest.param(family, name, kind, allowed, id=f"{family}-{name}")
    for family in FAMILIES
    for name, (kind, allowed) in _fields(FAMILIES[family].Config).items()
    if kind in (int, float)
]


@pytest.mark.parametrize(("family", "name", "kind", "allowed"), NUMBERS)
def test_no_number_is_without_a_range(family, name, kind, allowed, tmp_path):
    assert isinstance(allowed, Range) and math.isfinite(allowed.low) and math.isfinite(allowed.high)
    wrong = [allowed.low - 1, allowed.high * 2 + 1, 10**40, "text", None, True, [1]]
    wrong += [math.nan, math.inf, -math.inf, allowed.high] if kind is float and allowed.below else []
    wrong += [1.5] if kind is int else [math.nan, math.inf, -math.inf]
    config = dataclasses.asdict(FAMILIES[family].PRESETS["small"])
    for value in wrong:
        with pytest.raises(InputError, match=rf"^{name} is .*; expected"):
            FAMILIES[family].Config(**config | {name: value})
        note = json.loads(json.dumps({"family": family, "config": config | {name: value}}))
        with pytest.raises(InputError, match=rf"w\.safetensors: .*{name} is"):
            outline(note, tmp_path / "w.safetensors")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("value", ["nan", "-1", "1e400", "-inf", "1e40"])
def test_set_refuses_rates_that_are_none(family, value):
    with pytest.raises(InputError, match="lr"):
        typed_changes(family, "small", {"lr": value})


@pytest.mark.parametrize("family", FAMILIES)
def test_edges_are_in_their_ranges(family):
    for name, (kind, allowed) in _fields(FAMILIES[family].Config).items():
        if allowed is not None:
            assert allowed.holds(allowed.low) and allowed.holds(allowed.high) != allowed.below, name
        else:
            assert kind in (bool, str), name


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", -1), ("seed", 2**63), ("devices", 0), ("devices", 10**6), ("checkpoint_every", 0),
     ("accelerator", "meta"), ("accelerator", ""), ("stop_after", -1.0), ("stop_after", math.nan)],
)  # fmt: skip
def test_how_to_train_has_ranges_too(name, value):
    with pytest.raises(InputError, match="device" if name == "accelerator" else name):
        Settings(**{name: value})


def test_presets_are_those_of_the_models():
    """What the shell judges by, without PyTorch, is what the models have."""
    assert CONFIGS.keys() == FAMILIES.keys()
    for name, family in FAMILIES.items():
        assert presets_of(name) == family.PRESETS
        assert all(isinstance(config, family.Config) for config in family.PRESETS.values())
