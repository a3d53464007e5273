"""A use of a model as an ONNX graph, whose weights stay in the model's own safetensors file.

Several graphs thus share one file of weights, half-float or not, and computing is in float32: a half-float tensor is
cast once, when a runtime opens the graph. Batch norms are not multiplied into kernels here, where that would make
weights that no file has; runtimes do it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import struct
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.export import Dim

from mien.errors import InputError, missing
from mien.export.graph import Graph
from mien.files import write_whole

if TYPE_CHECKING:
    import onnx

OPSET = 20  # from which GridSample takes what PyTorch's does
LEAST = 256  # bytes of a tensor that stays in the file of weights
GROWN = 4096  # numbers that a constant may grow to when it is computed beforehand: grids are made where they are used
DTYPES = {"F16": np.float16, "F32": np.float32}

Place = tuple[str, int, int]
"""A tensor in a safetensors file: its kind of number, and where its bytes begin and how many there are."""


def write_graph(graph: Graph, path: Path, weights: Path) -> None:
    """Write a graph whole or not at all. Raises InputError where the packages that write graphs are missing, and where
    a graph would take a fixed number of faces, as torch makes it of what asks for `len(tensor)`.
    """
    program = translated(graph)
    proto = slim(program)
    if fixed := [place.name for place in proto.graph.input if not place.type.tensor_type.shape.dim[0].dim_param]:
        raise InputError(f"{graph.name}: takes two faces at once and no other number ({fixed[0]}); it was not exported")
    link(proto, weights.name, places_in(weights))
    write_whole(path, proto.SerializeToString())


def translated(graph: Graph) -> Any:
    """Return a graph as torch translates it, for any number of faces at once."""
    try:
        import onnxscript  # noqa: F401 - torch asks for it
    except ImportError as error:
        raise missing("writing ONNX", error) from error
    batch = Dim("batch")
    inputs = graph.inputs
    shapes = {"inputs": tuple({0: batch} for _ in inputs)}
    with torch.no_grad(), _quietly():
        examples = tuple(x[:2].contiguous() for x in inputs.values())
        return torch.onnx.export(
            graph.net.eval(), examples, dynamo=True, opset_version=OPSET, dynamic_shapes=shapes, optimize=False,
            verbose=False, input_names=list(inputs), output_names=list(graph.outputs),
        )  # fmt: skip


def slim(program: Any) -> onnx.ModelProto:
    """Return what torch translated without what can be computed or left out beforehand."""
    import onnx_ir as ir
    from onnx_ir.passes import common
    from onnxscript.optimizer import fold_constants_ir

    model = program.model
    common.InlinePass()(model)
    for _ in range(2):
        fold_constants_ir(model, onnx_shape_inference=True, output_size_limit=GROWN)
        common.RemoveUnusedNodesPass()(model)
    ir.passes.Sequential(
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        common.DeduplicateInitializersPass(),
        common.CommonSubexpressionEliminationPass(),
        common.IdentityEliminationPass(),
        common.RemoveUnusedOpsetsPass(),
        common.OutputFixPass(),
        common.NameFixPass(),
    )(model)
    proto = ir.to_proto(model)
    proto.producer_name, proto.doc_string = "mien", ""
    del proto.graph.value_info[:], proto.metadata_props[:], proto.graph.metadata_props[:]
    for part in (*proto.graph.node, *proto.graph.input, *proto.graph.output, *proto.graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]
    return proto


def link(proto: onnx.ModelProto, file: str, places: Mapping[bytes, Place]) -> None:
    """Let a graph take its tensors from a file beside it, wherever that holds the same numbers."""
    from onnx import TensorProto, helper, numpy_helper

    kept, casts = [], []
    for tensor in proto.graph.initializer:
        values = numpy_helper.to_array(tensor)
        there = values.dtype == np.float32 and values.nbytes >= LEAST
        place = places.get(_mark(values)) if there else None
        if place is None:
            kept.append(tensor)
            continue
        kind, offset, length = place
        half = kind == "F16"
        name = f"{tensor.name}.half" if half else tensor.name
        data_type = TensorProto.FLOAT16 if half else TensorProto.FLOAT
        outside = TensorProto(name=name, data_type=data_type, dims=tensor.dims, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", file), ("offset", offset), ("length", length)):
            outside.external_data.add(key=key, value=str(value))
        kept.append(outside)
        if half:
            casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(proto.graph.node)
    del proto.graph.initializer[:], proto.graph.node[:]
    proto.graph.initializer.extend(kept)
    proto.graph.node.extend([*casts, *nodes])


def places_in(weights: Path) -> dict[bytes, Place]:
    """Return where a safetensors file holds its floating-point tensors, by a mark of their numbers."""
    found: dict[bytes, Place] = {}
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        head, base = json.loads(file.read(length)), 8 + length
        for name, about in head.items():
            if name == "__metadata__" or about["dtype"] not in DTYPES:
                continue
            begin, end = about["data_offsets"]
            file.seek(base + begin)
            values = np.frombuffer(file.read(end - begin), DTYPES[about["dtype"]]).reshape(about["shape"])
            found[_mark(values.astype(np.float32))] = (about["dtype"], base + begin, end - begin)
    return found


def _mark(values: np.ndarray) -> bytes:
    return hashlib.sha256(repr(values.shape).encode() + np.ascontiguousarray(values).tobytes()).digest()


@contextmanager
def _quietly() -> Any:
    """Keep to oneself what torch's exporter tells of packages that it looked for, and of its own calls."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
