"""How near edited faces are to true ones of a class: the Fréchet distance in the judge's features, class by class."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch.nn import functional as F

from mien.data.cache import Data, to_tensor
from mien.errors import InputError
from mien.labels import CLASSES
from mien.metrics.frechet import frechet_distance
from mien.models import Controls, Edits, Embeds, Family, Transfers, able, change


@torch.inference_mode()
def frechet_by_class(model: Family, judge: Family, data: Data, least: float = 0.75, batch: int = 128) -> pd.DataFrame:
    """Return the Fréchet distance between a class's true pictures and neutral faces edited to it.

    Features are both of the judge's codes, so that a lost person counts as a wrong expression does. As many edited
    faces as true ones, of the same people, at the same intensity. Columns: expression, images; unchanged (the neutral
    faces themselves), picture (the model's own), pasted (the face plus the model's change), true (one half of the
    true pictures against the other: what is left at this number of images). Raises InputError without neutral faces.
    """
    manifest, size = data.manifest, model.config.image_size
    neutral = {manifest.subject[i]: i for i in np.flatnonzero(manifest.expression == 0)}
    rows = []
    for k, word in enumerate(CLASSES):
        shown = (manifest.expression == k) & (manifest.intensity >= least)
        true = np.array([i for i in np.flatnonzero(shown) if manifest.subject[i] in neutral], dtype=np.int64)
        if not k or len(true) < 4:
            continue
        sets: dict[str, list[np.ndarray]] = {name: [] for name in ("true", "unchanged", "picture", "pasted")}
        for first in range(0, len(true), batch):
            some = true[first : first + batch]
            face = resized(data.images[np.array([neutral[s] for s in manifest.subject[some]])], size)
            made = edited(model, face, word, manifest.intensity[some])
            pasted = (face + change(able(model, Transfers), face, made)).clamp(-1, 1)
            for name, picture in (
                *(("true", resized(data.images[some], size)), ("unchanged", face)),
                *(("picture", made), ("pasted", pasted)),
            ):
                sets[name].append(features(judge, picture))
        codes = {name: np.concatenate(parts) for name, parts in sets.items()}
        found = {name: frechet_distance(codes["true"], codes[name]) for name in ("unchanged", "picture", "pasted")}
        halves = frechet_distance(codes["true"][::2], codes["true"][1::2])
        rows.append({"expression": word, "images": len(true)} | found | {"true": halves})
    if not rows:
        raise InputError(f"{manifest.folder}: nobody shows both neutral and an expression; nothing to compare with")
    return pd.DataFrame(rows)


def edited(model: Family, face: torch.Tensor, expression: str, intensity: np.ndarray) -> torch.Tensor:
    """Return `face` (B, 3, S, S) edited to a class, each at its own intensity (B,)."""
    made = torch.empty_like(face)
    for level in np.unique(intensity):
        rows = torch.from_numpy(intensity == level)
        made[rows] = able(model, Edits).edit(face[rows], Controls(expression, float(level))).to(made.dtype)
    return made


def resized(pictures: np.ndarray, size: int) -> torch.Tensor:
    """Return uint8 (B, S, S, 3) as (B, 3, size, size) in [-1, 1]."""
    return F.interpolate(to_tensor(pictures), size=(size, size), mode="area")


def features(judge: Family, picture: torch.Tensor) -> np.ndarray:
    """Return the judge's two codes of pictures side by side, (B, E + I) float64."""
    seen = F.interpolate(picture, size=(judge.config.image_size,) * 2, mode="area")
    codes = able(judge, Embeds).embed(seen)
    return torch.cat([codes.expression, codes.identity], 1).double().numpy()
