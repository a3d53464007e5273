"""Blendshapes of units and back, against the tables of names that others publish."""

import numpy as np
import pytest

from mien.blendshapes import SHAPES, gaze_of, shapes_of, units_by_side
from mien.labels import AUS, BLENDSHAPES

MEDIAPIPE = {
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen",
    "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight",
    "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft",
    "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight",
}  # fmt: skip
"""What its FaceLandmarker names: all but the tongue."""


def sides(**units):
    """Return (2, 21) units by names as AU12_L."""
    found = np.zeros((2, len(AUS)))
    for name, value in units.items():
        unit, _, side = name[2:].partition("_")
        found["LR".index(side) if side else slice(None), AUS.index(int(unit))] = value
    return found


def test_the_names_are_arkits():
    assert len(SHAPES) == len(set(SHAPES)) == 52 and {*SHAPES} == {*MEDIAPIPE, "tongueOut"}
    assert {shape for shapes in BLENDSHAPES.values() for shape in shapes} <= {*SHAPES}


def test_units_become_shapes_by_side():
    found = shapes_of(*sides(AU12_L=5, AU43_R=2.5, AU1_L=1, AU1_R=3))
    shown = {name: value for name, value in found.items() if value}
    assert shown == pytest.approx({"mouthSmileLeft": 1, "eyeBlinkRight": 0.5, "browInnerUp": 0.6})
    assert shapes_of(*sides(AU26=4, AU25=1))["mouthClose"] == pytest.approx(0.6)  # lips kept together
    assert shapes_of(*sides(AU26=4, AU25=5))["mouthClose"] == 0
    assert max(shapes_of(*sides(AU12=9)).values()) == 1
    assert not any(shapes_of(*np.full((2, len(AUS)), np.nan), (np.nan, np.nan)).values())


def test_a_look_to_the_images_right_is_to_the_persons_left():
    found = shapes_of(*sides(), gaze=(15.0, -6.0))
    shown = {name: value for name, value in found.items() if value}
    expected = {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5, "eyeLookDownLeft": 0.2, "eyeLookDownRight": 0.2}
    assert shown == pytest.approx(expected)
    assert gaze_of(found) == pytest.approx((15.0, -6.0))


def test_there_and_back():
    rng = np.random.default_rng(0)
    units = rng.uniform(0, 5, (2, len(AUS)))
    back = np.array(units_by_side(shapes_of(*units)))
    for k, unit in enumerate(AUS):
        if unit in (23, 25):
            assert np.isnan(back[:, k]).all()  # no shape says them
        elif len(BLENDSHAPES[unit]) == 2:
            np.testing.assert_allclose(back[:, k], units[:, k], atol=1e-6)
        else:
            np.testing.assert_allclose(back[:, k], units[:, k].max(), atol=1e-6)
