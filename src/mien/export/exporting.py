"""A model exported: its weights, its graphs, each checked against PyTorch, and what describes them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mien.errors import InputError
from mien.export.graph import Graph
from mien.export.graphs import graphs_of
from mien.export.onnx import OPSET, write_graph
from mien.export.parity import BOUNDS, MAP, measured
from mien.faces.align import EYES, align, similarity
from mien.faces.detect import find_faces
from mien.files import make_folder, whole, write_json
from mien.labels import AUS, CLASSES
from mien.media.photo import read_photo
from mien.models.contract import Family
from mien.models.io import fingerprint, load, save_model
from mien.models.registry import name_of
from mien.nn.images import to_tensor
from mien.reading import sha256_of
from mien.runtime.description import FORMATS, SCHEMA, Description, description_of, read_description
from mien.runtime.open import runner_of
from mien.runtime.pytorch import PytorchEngine
from mien.weights.resolve import CHECKPOINT, SUFFIX, resolve

RANGES = {
    "face": (-1, 1), "like": (-1, 1), "asked": (0, 1.2), "wanted": (0, 1.2), "intensity": (0, 1), "label": (0, 7),
    "units": (0, 5), "degrees": (-10, 10),
}  # fmt: skip
"""Of inputs by name. Of codes it is their action units' range; `units` that are NaN are not asked for."""

LICENCES = {"code": "Apache-2.0", "weights": "as the card of the weights says, NAME.md beside them"}

Say = Callable[[str, Sequence[dict[str, Any]]], None]
"""Hears of every use how far it is from PyTorch."""


def export(
    model: str, folder: Path, form: str = "onnx", photos: Sequence[Path] = (), only: Sequence[str] = (),
    half: bool = False, say: Say = lambda graph, rows: None,
) -> Description:  # fmt: skip
    """Write a model's uses (or `only` some) into `folder`, and return what describes them, which is written last.

    They are checked on the faces of `photos`, by default the demo's. With `half`, weights are written as half floats,
    as those are that come with the package. Raises InputError where a use is further from PyTorch than it may be.
    """
    if form not in FORMATS:
        raise InputError(f"--to {form}: choose {' or '.join(FORMATS)}")
    make_folder(folder)
    weights = placed_weights(model, folder, half)
    described = description_of(weights, form)
    described.unlink(missing_ok=True)  # graphs without a description are none, so nothing is ever half new
    net = load(str(weights))
    faces = checked_faces(int(net.config.image_size), photos)
    facts = facts_of(net, weights)
    draft, rows = Description(folder, form, facts), {}
    runner = runner_of(draft)
    for graph in graphs_of(net, faces):
        if only and graph.name not in only:
            continue
        facts["graphs"][graph.name] = about = _written(graph, folder, weights, form)
        rows[graph.name] = found = measured(graph, runner)
        about["checked"] = [
            {
                key: float(f"{row[key]:.3g}") if isinstance(row[key], float) else row[key]
                for key in ("output", "unit", "mean", "most")
            }
            for row in found
        ]
        say(graph.name, found)
    if not facts["graphs"]:
        raise InputError(f"--only {' '.join(only)}: {facts['model']} has no such use")
    write_json(described, facts)
    return read_description(described, form)


def placed_weights(model: str, folder: Path, half: bool) -> Path:
    """Return the model's weights in `folder`: there already, a copy, or of a checkpoint what its uses need."""
    source = resolve(model)
    plain = source.name != CHECKPOINT
    name = source.stem if plain and source.stem != "model" else name_of(load(model))
    target = folder / f"{name}{SUFFIX}"
    if plain and not half:
        if not (target.is_file() and target.samefile(source)):
            with whole(target) as beside:
                shutil.copyfile(source, beside)
        return target
    save_model(load(model), target, torch.float16 if half else None)
    return target


def checked_faces(size: int, photos: Sequence[Path] = ()) -> Tensor:
    """Return faces (B, 3, size, size) of photographs, by default the demo's as it is, mirrored, grey and dark."""
    if photos:
        pictures = [read_photo(photo).rgb for photo in photos]
    else:
        try:
            from skimage.data import astronaut
        except ImportError as error:
            raise InputError("--face: name a photograph to check on; the demo's needs scikit-image") from error
        rgb = astronaut()
        grey = np.repeat(rgb.mean(2, keepdims=True), 3, 2).astype(np.uint8)
        pictures = [rgb, np.ascontiguousarray(rgb[:, ::-1]), grey, (rgb * 0.4).astype(np.uint8)]
    crops = [align(rgb, similarity(face.eyes, size), size) for rgb in pictures for face in find_faces(rgb)]
    if not crops:
        raise InputError("--face: no face was found to check on; give another photograph")
    crops += crops[:1] * (len(crops) == 1)  # a batch is of two at least
    return to_tensor(np.stack(crops)).contiguous()


def facts_of(net: Family, weights: Path) -> dict[str, Any]:
    """Return what describes a model, without its graphs."""
    engine = PytorchEngine(net)
    units = list(engine.units) if "estimate_aus" in engine.abilities else []
    codes = getattr(net, "class_codes", getattr(net, "class_blocks", None))
    return {
        "schema": SCHEMA,
        "model": engine.name,
        "paper": engine.paper,
        "licence": LICENCES,
        "size": engine.size,
        "template": {"eyes": EYES, "of": "the crop's side; mid-points of each eye's corners, the image's left first"},
        "abilities": sorted(engine.abilities),
        "edits_by": list(engine.edits_by),
        "rounds": int(getattr(net.config, "rounds", 0)),
        "classes": [word for word in CLASSES if codes is None or codes.has(word)],
        "labels": list(CLASSES),
        "action_units": list(AUS),
        "units": units,
        "weights": {
            "file": weights.name,
            "sha256": sha256_of(weights, "these are the model's weights"),
            "fingerprint": fingerprint(net),
        },
        "opset": OPSET,
        "graphs": {},
    }


def _written(graph: Graph, folder: Path, weights: Path, form: str) -> dict[str, Any]:
    """Write a graph, and return what describes it."""
    path = folder / f"{weights.stem}.{graph.name}.onnx"
    write_graph(graph, path, weights)
    if form == "openvino":
        from mien.export.openvino import converted

        path = converted(path)
    outputs = graph.found()
    return {
        "file": path.name,
        "inputs": [_place(name, x, RANGES.get(name)) for name, x in graph.inputs.items()],
        "outputs": [_place(name, x, BOUNDS.get(name, MAP).span) for name, x in outputs.items()],
    }


def _place(name: str, x: Tensor, span: tuple[float, float] | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "shape": ["batch", *x.shape[1:]],
        "type": str(x.dtype).removeprefix("torch."),
    }
    return found | ({"range": list(span)} if span else {})
