"""ARKit's 52 blendshapes from what a face shows, and back: one map for tables, live links to puppets, and readers.

Shapes go from 0 to 1, and `Left` is the person's own. `mien.labels.BLENDSHAPES` says which action unit (0-5) is like
which shape: the shape is a fifth of it, of a shape without sides of the stronger side. Beside them:

* the eyes' direction in the head, in degrees / LOOK, is eyeLookIn, Out, Up and Down of both eyes alike;
* mouthClose is how far a jaw is open (AU26) beyond what the lips part (AU25): ARKit's lips part with its jaw.

What no unit of ours is like stays 0: cheekPuff, jawForward, jawLeft, jawRight, mouthLeft, mouthRight, mouthRollLower,
mouthRollUpper, mouthShrugUpper, tongueOut. AU23 has no shape.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mien.labels import AUS, BLENDSHAPES

SHAPES = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight", "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel",
    "mouthPucker", "mouthLeft", "mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp",
    "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft",
    "noseSneerRight", "tongueOut",
)  # fmt: skip
"""ARKit's names, in the order of Apple's documentation."""

LOOK = 30.0  # degrees of gaze at which an eyeLook shape is 1
FULL = 5.0  # of an action unit at which its shape is 1
_UNIT_OF = {shape: unit for unit, shapes in BLENDSHAPES.items() for shape in shapes}


def shapes_of(left: np.ndarray, right: np.ndarray, gaze: tuple[float, float] = (0.0, 0.0)) -> dict[str, float]:
    """Return all SHAPES, 0-1, of action units (21,) 0-5 on either side and gaze in degrees.

    Gaze > 0 is to the image's right and up. Units that are not known (NaN) count as absent.
    """
    by_side = {"Left": np.nan_to_num(left), "Right": np.nan_to_num(right)}
    both = np.maximum(by_side["Left"], by_side["Right"])
    found = dict.fromkeys(SHAPES, 0.0)
    for shape, unit in _UNIT_OF.items():
        found[shape] = float(by_side.get(_side(shape), both)[AUS.index(unit)]) / FULL
    x, y = (float(np.nan_to_num(angle)) / LOOK for angle in gaze)
    for side, outwards in (("Left", x), ("Right", -x)):  # the person's left is the image's right
        found |= {f"eyeLookOut{side}": outwards, f"eyeLookIn{side}": -outwards}
        found |= {f"eyeLookUp{side}": y, f"eyeLookDown{side}": -y}
    found["mouthClose"] = float(both[AUS.index(26)] - both[AUS.index(25)]) / FULL
    return {shape: min(max(value, 0.0), 1.0) for shape, value in found.items()}


def units_by_side(shapes: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return action units (21,) 0-5 of the left and of the right of shapes 0-1; NaN for those that no shape says."""
    sides = np.full((2, len(AUS)), np.nan)
    for shape, unit in _UNIT_OF.items():
        value = FULL * float(shapes.get(shape, np.nan))
        for k, side in enumerate(("Left", "Right")):
            if _side(shape) in (side, ""):
                sides[k, AUS.index(unit)] = value
    return sides[0], sides[1]


def gaze_of(shapes: Mapping[str, float]) -> tuple[float, float]:
    """Return where shapes 0-1 look, in degrees to the image's right and up, the mean of both eyes."""
    look = {name: float(shapes.get(f"eyeLook{name}", 0.0)) for name in _LOOKS}
    x = look["OutLeft"] - look["InLeft"] + look["InRight"] - look["OutRight"]
    y = look["UpLeft"] - look["DownLeft"] + look["UpRight"] - look["DownRight"]
    return LOOK * x / 2, LOOK * y / 2


_LOOKS = tuple(f"{way}{side}" for way in ("In", "Out", "Up", "Down") for side in ("Left", "Right"))


def _side(shape: str) -> str:
    return next((side for side in ("Left", "Right") if shape.endswith(side)), "")
