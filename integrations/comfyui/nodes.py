"""What ComfyUI is offered: a face's expression changed by words, units, eyes and head; another face's taken over.

ComfyUI's pictures are float (B, H, W, 3) in 0-1; pixels around the face come back as they were, but for 8 bits.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch

from mien.about import DEFAULT
from mien.controls import Controls
from mien.editing.editor import Editor
from mien.editing.keys import parse_request
from mien.editing.look import Look, Word
from mien.errors import InputError
from mien.labels import CLASSES, PARTS, PRESETS

NONE, WHOLE = "as it is", "whole face"
WORDS = (NONE, *CLASSES, *PRESETS)


@lru_cache(1)
def editor(model: str = DEFAULT) -> Editor:
    """Return the model, loaded once."""
    return Editor(model)


def changed(pictures: torch.Tensor, change: Any) -> torch.Tensor:
    """Return pictures (B, H, W, 3) of 0-1, each changed as uint8 by `change`."""
    made = [change((255 * one.clamp(0, 1)).round().byte().cpu().numpy()) for one in pictures]
    return torch.from_numpy(np.stack(made)).float() / 255


def angle(most: float) -> tuple[str, dict[str, float]]:
    """Return an input of degrees, to both sides of 0."""
    return "FLOAT", {"default": 0.0, "min": -most, "max": most, "step": 0.5}


class MienEdit:
    """Changes the expression of the largest face, or of a face by its number from the left."""

    CATEGORY, FUNCTION = "mien", "edit"
    RETURN_TYPES = ("IMAGE",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Return the inputs, as ComfyUI asks for them."""
        return {
            "required": {
                "image": ("IMAGE",),
                "expression": (list(WORDS), {"default": "happiness"}),
                "strength": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.05}),
                "part": ([WHOLE, *PARTS],),
                "units": ("STRING", {"default": "", "placeholder": "12=3,43L=5"}),
                "gaze_right": angle(40), "gaze_up": angle(40),
                "yaw": angle(15), "pitch": angle(9), "roll": angle(10),
                "face": ("INT", {"default": 0, "min": 0, "max": 99}),
            }
        }  # fmt: skip

    def edit(
        self, image: torch.Tensor, expression: str = NONE, strength: float = 1.0, part: str = WHOLE, units: str = "",
        gaze_right: float = 0.0, gaze_up: float = 0.0, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0,
        face: int = 0,
    ) -> tuple[torch.Tensor]:  # fmt: skip
        """Return the pictures with that asked of their face; by nothing asked, as they are. Face 0 is the largest."""
        only = () if part == WHOLE else (part,)
        words = () if expression == NONE else (Word(expression, strength, only),)
        asked = parse_request(units, "units") if units.strip() else None
        named = {str(unit): value for unit, value in (asked.aus or {}).items()} if asked else {}
        look = Look(words=words, units=named, gaze=(gaze_right, gaze_up), turn=(yaw, pitch), roll=roll)
        controls = look.controls()
        if controls is None:
            return (image,)
        return (changed(image, lambda rgb: editor().ask(rgb, controls, face or largest(rgb)).rgb),)


class MienTransfer:
    """Gives a face the expression of another picture's face."""

    CATEGORY, FUNCTION = "mien", "transfer"
    RETURN_TYPES = ("IMAGE",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Return the inputs, as ComfyUI asks for them."""
        strength = ("FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.05})
        return {"required": {"image": ("IMAGE",), "like": ("IMAGE",), "strength": strength, "part": ([WHOLE, *PARTS],)}}

    def transfer(
        self, image: torch.Tensor, like: torch.Tensor, strength: float = 1.0, part: str = WHOLE
    ) -> tuple[torch.Tensor]:
        """Return the pictures with the expression of the first of `like`, or of as many as there are pictures."""
        only = () if part == WHOLE else (part,)
        likes = [(255 * one.clamp(0, 1)).round().byte().cpu().numpy() for one in like]
        taken = iter(likes if len(likes) == len(image) else [likes[0]] * len(image))

        def take(rgb: np.ndarray) -> np.ndarray:
            other = next(taken)
            asked = Controls(like=editor().crop(other, largest(other)), intensity=strength, only=only)
            return editor().ask(rgb, asked, largest(rgb)).rgb

        return (changed(image, take),)


def largest(rgb: np.ndarray) -> int:
    """Return the number of the largest face. Raises InputError where there is none."""
    found = editor().crops(rgb)
    if not found:
        raise InputError("the picture shows no face; give one that does")
    return max(found, key=lambda cut: cut.box[2]).number


NODE_CLASS_MAPPINGS = {"MienEdit": MienEdit, "MienTransfer": MienTransfer}
NODE_DISPLAY_NAME_MAPPINGS = {
    "MienEdit": "Change an expression (mien)",
    "MienTransfer": "Take over an expression (mien)",
}
